"""A failed invocation, as a page for a browser: self-contained, every piece of text escaped."""

from __future__ import annotations

from html import escape

from lambent.dev.doors.model import RawHeaders
from lambent.dev.report import Failure

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{
  color-scheme: light dark;
  --ink: #1d2129; --soft: #616b7a; --paper: #f7f7f5; --card: #fff; --line: #dcdcd6; --red: #b3261e
}}
@media (prefers-color-scheme: dark) {{
  :root {{ --ink: #e7e9ed; --soft: #9aa3b2; --paper: #15171b; --card: #1d2026; --line: #343944; --red: #ff8a80 }}
}}
body {{
  margin: 0; padding: 3rem 1.25rem; background: var(--paper); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif
}}
main {{ max-width: 60rem; margin: auto }}
p {{ color: var(--soft) }}
h1 {{ margin: 0; font-size: 1.4rem; color: var(--red); overflow-wrap: anywhere }}
h1 + p {{
  margin: .5rem 0 1.5rem; font-size: 1.1rem; color: var(--ink); white-space: pre-wrap; overflow-wrap: anywhere
}}
pre {{
  padding: 1rem; overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  font: .85rem/1.55 ui-monospace, monospace
}}
</style>
</head>
<body>
<main>
<h1>{kind}</h1>
<p>{message}</p>
{stack}<p>{door} answers {status} to this. Clients other than browsers get the body that AWS would send.<br>
Request id {request_id}</p>
</main>
</body>
</html>
"""

SECURITY = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", b"default-src 'none'; style-src 'unsafe-inline'"),
    (b"cache-control", b"no-store"),
]


def failure_page(failure: Failure, *, status: int, door: str, request_id: str) -> bytes:
    """The whole page, in UTF-8."""
    stack = f"<pre>{escape(failure.stack)}</pre>\n" if failure.stack else ""
    kind = failure.error_type or "The invocation failed"
    text = PAGE.format(
        title=escape(kind),
        kind=escape(kind),
        message=escape(failure.message),
        stack=stack,
        door=escape(door),
        status=status,
        request_id=escape(request_id),
    )
    return text.encode("utf-8", "replace")


def wants_page(method: str, headers: RawHeaders) -> bool:
    """Whether a person is looking: a browser that navigates, rather than a script that fetches."""
    values = {name: value.decode("latin-1").lower() for name, value in headers}
    if "text/html" not in values.get(b"accept", ""):
        return False
    return method in ("GET", "HEAD") or values.get(b"sec-fetch-mode") == "navigate"
