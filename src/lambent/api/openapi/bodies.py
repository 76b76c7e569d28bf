"""What a route takes as a request's body, in a document. Pure."""

from __future__ import annotations

from lambent.api.openapi.parameters import about, schema

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from lambent.api.model import Parameter
    from lambent.api.openapi.parameters import Part
    from lambent.api.openapi.schemas import Schemas

    Json = dict[str, Any]

JSON = "application/json"
MULTIPART = "multipart/form-data"
URLENCODED = "application/x-www-form-urlencoded"


def request_body(
    parts: Sequence[Part], parameters: Sequence[Parameter], schemas: Schemas, *, closed: bool
) -> Json | None:
    """A request body object; None where nothing is taken from there. `closed`: fields that are not told are refused."""
    forms = [each for each in parts if each.source in {"form", "file"}]
    if forms:
        content = {each: {"schema": _object(forms, schemas)} for each in media_types(forms)}
        return _body(content, required=any(each.required for each in forms))
    for each in parts:
        if each.source == "body":
            return {**_described(each), **_body({JSON: {"schema": schema(each, schemas)}}, required=each.required)}
    fields = [each for each in parts if each.source == "field"]
    if not fields:
        return None
    body = _body({JSON: {"schema": _object(fields, schemas)}}, required=any(each.required for each in fields))
    if closed:
        body["content"][JSON]["schema"]["additionalProperties"] = False
    if any(each.source == "either" for each in parameters):
        body["description"] = "A plain field may be given in the query instead."
    return body


def media_types(forms: Sequence[Part]) -> Sequence[str]:
    """A file is sent in one way only."""
    return (MULTIPART,) if any(each.source == "file" for each in forms) else (URLENCODED, MULTIPART)


def _described(part: Part) -> Json:
    return {key: each for key, each in about(part).items() if key == "description"}


def _body(content: Json, *, required: bool) -> Json:
    return {"content": content, "required": True} if required else {"content": content}


def _object(parts: Sequence[Part], schemas: Schemas) -> Json:
    required = [each.name for each in parts if each.required]
    return {
        "type": "object",
        "properties": {each.name: {**schema(each, schemas), **about(each)} for each in parts},
        **({"required": required} if required else {}),
    }
