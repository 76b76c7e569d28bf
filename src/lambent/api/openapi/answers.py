"""What a route answers, in a document: by what its function says it returns, and how its requests can fail. Pure."""

from __future__ import annotations

import collections.abc
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from lambent.api.exceptions import phrase
from lambent.api.openapi.bodies import JSON
from lambent.api.openapi.fields import SERIALIZATION
from lambent.api.openapi.schemas import any_of
from lambent.api.responses.making import unwrapped

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambent.api.model import Route
    from lambent.api.openapi.parameters import Part
    from lambent.api.openapi.schemas import Schemas

    Json = dict[str, Any]

TEXT = "text/plain"
BINARY = "application/octet-stream"
LINES = "application/jsonl"
EVENTS = "text/event-stream"
ANY = "*/*"

_STREAMS = (
    collections.abc.AsyncGenerator,
    collections.abc.AsyncIterable,
    collections.abc.AsyncIterator,
    collections.abc.Generator,
    collections.abc.Iterator,
)


def responses(route: Route, parts: Sequence[Part], schemas: Schemas) -> Json:
    """Response objects by status. `default` is every other failure: `{"detail": ...}`."""
    found = _successes(route, schemas)
    found |= {str(status): _failure(status, schemas) for status in _failures(parts) if str(status) not in found}
    for status, told in route.responses.items():
        ours = found.get(str(status), {"description": _phrase(status)})
        found[str(status)] = {**ours, **_told(told, schemas)}
    default = {"default": {"description": "Error", "content": {JSON: {"schema": error(schemas)}}}}
    return {**dict(sorted(found.items())), **({} if "default" in found else default)}


def _successes(route: Route, schemas: Schemas) -> Json:
    returns = _returns(route)
    members = _members(returns)
    kinds = [each for each in [unwrapped(route.response_class)[0], *members] if _is_response(each)]
    names = {base.__name__ for kind in kinds for base in kind.__mro__}
    nothing = type(None) in members
    if route.status_code is None and members == [type(None)]:
        return {"204": {"description": phrase(204)}}
    status = route.status_code or (307 if kinds and "RedirectResponse" in names else 200)
    content = {} if status in {204, 205, 304} or 300 <= status < 400 else _content(route, members, schemas)
    found = {str(status): {"description": phrase(status), **({"content": content} if content else {})}}
    if nothing and route.status_code is None:
        found["204"] = {"description": phrase(204)}
    if "FileResponse" in names:
        found |= {"206": {"description": phrase(206), "content": content}, "304": {"description": phrase(304)}}
    return found


def _returns(route: Route) -> Any:
    if route.response_model is not ...:
        return ... if route.response_model is None else route.response_model
    returns = route.plan.returns
    return ... if getattr(returns, "__name__", "") == "_empty" else returns


def _members(annotation: Any) -> list[Any]:
    """Of a union each; what is un-annotated is `...`."""
    origin: Any = get_origin(annotation)
    if origin is Annotated and type(None) in get_args(get_args(annotation)[0]):
        return _members(get_args(annotation)[0])
    if origin in (Union, UnionType):
        return [member for each in get_args(annotation) for member in _members(each)]
    return [type(None) if annotation is None else annotation]


def _is_response(kind: Any) -> bool:
    """A response class: ours, or another framework's."""
    return isinstance(kind, type) and hasattr(kind, "media_type") and hasattr(kind, "render")


def _content(route: Route, members: Sequence[Any], schemas: Schemas) -> Json:
    """Media type → what is sent so."""
    values = [each for each in members if each is not type(None) and not _is_response(each)]
    if route.response_class is not None:
        kind, said = unwrapped(route.response_class)
        media = _bare(said.get("media_type") or getattr(kind, "media_type", None))
        return {media: {"schema": _sent(media, values, schemas)}}
    found: dict[str, list[Any]] = {}
    for each in members:
        if each is not type(None):
            media, value = _media(each)
            found.setdefault(media, []).append(value)
    return {media: {"schema": _sent(media, values, schemas)} for media, values in found.items()}


def _media(member: Any) -> tuple[str, Any]:
    """How what a function returns is sent, and what that is an annotation of; `...` where it says nothing."""
    if member in (..., Any, object):
        return ANY, ...
    if _is_response(member):
        return _bare(member.media_type), ...
    if member is str:
        return TEXT, str
    if member in (bytes, bytearray, memoryview):
        return BINARY, ...
    if get_origin(member) in _STREAMS or member in _STREAMS:
        return _stream(get_args(member)[0] if get_args(member) else ...)
    return JSON, member


def _stream(item: Any) -> tuple[str, Any]:
    if getattr(item, "__name__", "") == "ServerSentEvent":
        return EVENTS, ...
    if item in (..., Any, object):
        return ANY, ...
    return {str: (TEXT, str), bytes: (BINARY, ...)}.get(item, (LINES, ...))


def _bare(media_type: str | None) -> str:
    """Without its parameters."""
    return (media_type or ANY).partition(";")[0].strip()


def _sent(media: str, values: Sequence[Any], schemas: Schemas) -> Json:
    known = [each for each in values if each is not ...]
    if media == JSON or media.endswith("+json"):
        return (
            any_of([schemas.of(each, SERIALIZATION) for each in known]) if known and len(known) == len(values) else {}
        )
    return {"type": "string"} if media.startswith("text/") and media != EVENTS else {}


def _failures(parts: Sequence[Part]) -> list[int]:
    """What binding answers, beside what the function raises."""
    sources = {each.source for each in parts}
    form = sources & {"form", "file"}
    found = [400] if form else []
    if form or sources & {"body", "field"}:
        found.append(413)
    if form or any(each.source in {"body", "field"} and each.required for each in parts):
        found.append(415)
    return [*found, 422] if parts else found


def _failure(status: int, schemas: Schemas) -> Json:
    made = invalid(schemas) if status == 422 else error(schemas)
    return {"description": phrase(status), "content": {JSON: {"schema": made}}}


def error(schemas: Schemas) -> Json:
    """As an HTTPException is answered."""
    whole = {
        "title": "HTTPError",
        "type": "object",
        "properties": {"detail": {"description": "What went wrong."}},
        "required": ["detail"],
    }
    return schemas.named("HTTPError", SERIALIZATION, ["HTTPError", "lambent.HTTPError"], lambda: whole)


def invalid(schemas: Schemas) -> Json:
    """As a RequestInvalid is answered: each place, what was expected there, and why it is told."""
    place = {"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "integer"}]}}
    text = {"type": "string"}
    told = {"title": "Problem", "type": "object", "properties": {"loc": place, "msg": text, "type": text}}
    told["required"] = ["loc", "msg", "type"]
    problem = schemas.named("Problem", SERIALIZATION, ["Problem", "lambent.Problem"], lambda: told)
    whole = {
        "title": "RequestInvalid",
        "type": "object",
        "properties": {"detail": {"type": "array", "items": problem}},
        "required": ["detail"],
    }
    return schemas.named("RequestInvalid", SERIALIZATION, ["RequestInvalid", "lambent.RequestInvalid"], lambda: whole)


def _told(told: Any, schemas: Schemas) -> Json:
    """What a route says of an answer: words, a response object (with its `model`, perhaps), or a model."""
    if isinstance(told, str):
        return {"description": told}
    if not isinstance(told, collections.abc.Mapping):
        return {} if told is None else {"content": {JSON: {"schema": schemas.of(told, SERIALIZATION)}}}
    said = {key: each for key, each in told.items() if key != "model"}
    if told.get("model") is None:
        return said
    content: Mapping[str, Any] = said.get("content", {})
    made = {"schema": schemas.of(told["model"], SERIALIZATION), **content.get(JSON, {})}
    return {**said, "content": {**content, JSON: made}}


def _phrase(status: int | str) -> str:
    text = str(status)
    return phrase(int(text)) if text.isdecimal() else {"default": "Error"}.get(text, text)
