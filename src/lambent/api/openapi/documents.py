"""The OpenAPI document and its page, as responses."""

from __future__ import annotations

from lambent.api.openapi import page
from lambent.api.responses.base import HTMLResponse
from lambent.api.responses.json import JSONResponse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.api.application import Api
    from lambent.api.responses.base import Response
    from lambent.types import Scope


def answer(api: Api, path: str, scope: Scope) -> Response:
    """The document, for whoever asks below `root_path`; or its page, which asks for it in turn."""
    document = api.openapi()
    root = scope.get("root_path", "").rstrip("/")
    if root:
        document = {**document, "servers": [{"url": root}]}
    if path == api.openapi_url:
        return JSONResponse(document)
    where = page.relative(path, api.openapi_url) if api.openapi_url else ""
    return HTMLResponse(page.page(api.title, where, document), headers={"content-security-policy": page.policy()})
