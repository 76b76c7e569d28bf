"""One application for another adapter and ours, and what there is to compare of their replies."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.payloads import Payload

Facts = dict[str, Any]


async def tell(request: Request) -> Response:
    """What an application sees of a request, and two cookies."""
    route_path = request.scope["path"].removeprefix(request.scope["root_path"])
    response = JSONResponse(
        {
            "method": request.method,
            "route path": route_path,
            "query": sorted(request.query_params.multi_items()),
            "raw query": request.scope["query_string"].decode("latin-1"),
            "client": request.client and request.client.host,
            "server": request.scope["server"] and request.scope["server"][0],
            "fields": [field for field in request.headers.items() if field[0] not in ("content-length", "cookie")],
            "cookies": request.cookies,
            "body": (await request.body()).decode("latin-1"),
        },
        status_code=201,
        headers={"x-plain": "yes"},
    )
    response.set_cookie("a", "1")
    response.set_cookie("b", "2")
    return response


APP = Starlette(routes=[Route("/{path:path}", tell, methods=["GET", "POST", "PUT"])])


def facts(reply: Payload) -> Facts:
    """A reply as a client gets it, whichever door it is for; and what the application saw."""
    fields: dict[str, list[str]] = {}
    for headers in (reply.get("headers") or {}, reply.get("multiValueHeaders") or {}):
        for name, values in headers.items():
            fields.setdefault(name.lower(), []).extend([values] if isinstance(values, str) else values)
    fields.setdefault("set-cookie", []).extend(reply.get("cookies") or ())
    fields.pop("content-length", None)  # it counts what the application saw
    return {
        "status": int(reply.get("statusCode") or reply["status"]),
        "base64": reply.get("isBase64Encoded", reply.get("bodyEncoding") == "base64"),
        "sent fields": fields,
        **json.loads(reply["body"]),
    }


def differences(theirs: Callable[[], Payload], ours: Callable[[], Payload]) -> set[str]:
    """The names of what is not the same; `refused` if they raise and we answer."""
    mine = facts(ours())
    try:
        other = facts(theirs())
    except Exception:  # anything, for an event that it does not know
        return {"refused"}
    return {name for name in mine if mine[name] != other[name]}


def examples(page: str, app: object) -> list[dict[str, Any]]:
    """What each Python block of a page under docs/how-to defines, run with `app` there."""
    text = (Path(__file__).parents[2] / "docs" / "how-to" / page).read_text("utf-8")
    found = []
    for block in re.findall(r"^```python\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        names: dict[str, Any] = {"app": app}
        exec(block, names)
        found.append(names)
    return found
