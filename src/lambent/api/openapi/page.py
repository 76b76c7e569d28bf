"""The page of the documentation: Swagger UI from a network, and a list of the routes without it. Pure.

The network's files are pinned by version and by hash, so that it can send nothing else. The list stands where Swagger
UI goes: it is what there is without JavaScript, and where the network cannot be reached.
"""

from __future__ import annotations

from html import escape

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

SWAGGER_UI = "https://cdn.jsdelivr.net/npm/swagger-ui-dist@5.35.0/"
"""As the package registry has it; a new version has new hashes: `openssl dgst -sha384 -binary <file> | base64`."""

SCRIPT_HASH = "sha384-gjRm0bEPMeTmMh5jT2cHccIwCUZSTd8YC+j0d0sXw0MdGEfScduGpSyF3ZSSLkX9"
STYLE_HASH = "sha384-WlYgdmXYOOBWL5apwjDEZwN+U3HmXSSu5R6V5aGxEcf7z+KuRNwBhoxKVN1i3D5I"

START = """
const place = document.getElementById("docs");
if (place.dataset.url && window.SwaggerUIBundle) {
  SwaggerUIBundle({ url: place.dataset.url, domNode: place, deepLinking: true, validatorUrl: null });
}
"""

STYLE = """
:root { color-scheme: light }
body { margin: 0; background: #fff; color: #1d2129 }
.plain { max-width: 60rem; margin: auto; padding: 2rem 1.25rem; font: 1rem/1.5 system-ui, sans-serif }
.plain td { padding: .25rem 1rem .25rem 0; vertical-align: top }
.plain code { font-family: ui-monospace, monospace; overflow-wrap: anywhere }
"""

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<link rel="stylesheet" href="{cdn}swagger-ui.css" integrity="{style_hash}" crossorigin="anonymous">
</head>
<body>
<div id="docs" data-url="{url}">
<main class="plain">
<h1>{title}</h1>
<table>
{rows}</table>
{link}</main>
</div>
<script src="{cdn}swagger-ui-bundle.js" integrity="{script_hash}" crossorigin="anonymous"></script>
<script>{start}</script>
</body>
</html>
"""


def page(title: str, openapi_url: str, document: Mapping[str, Any] | None = None) -> str:
    """The page, in HTML.

    - `openapi_url`: of the document, as `relative` gives it: then it is found behind any prefix. Empty: there is only
      the list
    - `document`: whose routes are listed
    """
    url = escape(openapi_url)
    return PAGE.format(
        title=escape(title or "API"),
        url=url,
        link=f'<p><a href="{url}">OpenAPI document</a></p>\n' if url else "",
        rows="".join(map(_row, _operations(document or {}))),
        style=STYLE,
        start=START,
        cdn=SWAGGER_UI,
        style_hash=STYLE_HASH,
        script_hash=SCRIPT_HASH,
    )


def policy() -> str:
    """The value of Content-Security-Policy that the page needs, and no more.

    Swagger UI sets styles of elements itself, and calls the API from the page: that of the page's own origin.
    """
    return "; ".join(
        [
            "default-src 'none'",
            f"script-src {SWAGGER_UI}swagger-ui-bundle.js '{_hash(START)}'",
            f"style-src {SWAGGER_UI}swagger-ui.css 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ]
    )


def relative(docs_url: str, openapi_url: str) -> str:
    """The document's URL as seen from the page, both paths of the API: `/docs`, `/openapi.json` → `openapi.json`."""
    from posixpath import relpath

    found = relpath(openapi_url, docs_url.rpartition("/")[0] or "/")
    return found + "/" * openapi_url.endswith("/")


def _hash(text: str) -> str:
    from base64 import b64encode
    from hashlib import sha256

    return f"sha256-{b64encode(sha256(text.encode()).digest()).decode()}"


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Method, path, summary."""
    for path, item in document.get("paths", {}).items():
        for method, operation in item.items():
            yield method.upper(), path, operation.get("summary", "")


def _row(operation: tuple[str, str, str]) -> str:
    method, path, summary = map(escape, operation)
    return f"<tr><td><code>{method}</code></td><td><code>{path}</code></td><td>{summary}</td></tr>\n"
