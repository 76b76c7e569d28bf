"""What a route's parameters are in a document: where each lies, and its schema. Pure.

A plain parameter without a marker is taken from the query or from a field of a JSON object. A document has no words for
"or": it is told as a field of the body where the method has a body and nothing else needs it, else as of the query.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from lambent.api.binding.texts import is_many
from lambent.api.openapi.fields import ABSENT, fields, has_fields, without_none
from lambent.api.openapi.shown import shown, with_default

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from lambent.api.markers import Bounds, Marker
    from lambent.api.model import Parameter
    from lambent.api.openapi.schemas import Schemas

    Json = dict[str, Any]

WITH_BODY = ("POST", "PUT", "PATCH")
"""Methods whose requests have a body by the rules of HTTP."""

_CONVERTERS: dict[str, Json] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "uuid": {"type": "string", "format": "uuid"},
}
_OF_TEXT = ("path", "query", "header", "cookie", "form")
_REPEATED = ("query", "header", "cookie", "form", "file")


class Part(NamedTuple):
    """One place in the request."""

    name: str
    source: str
    """`path`, `query`, `header`, `cookie`; `field` of a JSON object, the whole `body`; `form`, `file`."""
    annotation: Any
    required: bool
    default: Any = ABSENT
    bounds: Bounds | None = None
    marker: Marker | None = None
    description: str = ""


def parts(parameters: Sequence[Parameter], method: str) -> list[Part]:
    """Each place once, however many functions ask for it. Models in the query and the like are told by their fields."""
    found: dict[tuple[str, str], Part] = {}
    either = _either(parameters, method)
    for each in parameters:
        if each.marker is None or each.marker.include_in_schema:
            for part in _of(each, either):
                known = found.get((part.name, part.source), part)
                found[part.name, part.source] = known._replace(required=known.required or part.required)
    return list(found.values())


def _either(parameters: Iterable[Parameter], method: str) -> str:
    """Where plain parameters are said to lie."""
    taken = any(each.source in {"form", "file"} or (each.source == "body" and not each.embedded) for each in parameters)
    return "field" if method in WITH_BODY and not taken else "query"


def _of(parameter: Parameter, either: str) -> Iterator[Part]:
    source = either if parameter.source == "either" else parameter.source
    if source == "body" and parameter.embedded:
        source = "field"
    told = fields(parameter.annotation) if source in _OF_TEXT and has_fields(parameter.annotation) else []
    for each in told:
        name = each.name.replace("_", "-").lower() if source == "header" else each.name
        required = parameter.required and each.required
        yield Part(name, source, each.annotation, required, each.default, description=each.description)
    if not told:
        default = ABSENT if parameter.required else parameter.default
        about = (parameter.required, default, parameter.bounds, parameter.marker)
        yield Part(parameter.wire, source, parameter.annotation, *about)


def schema(part: Part, schemas: Schemas) -> Json:
    """Of the value there, with its bounds, its default and its examples."""
    made = of_text(part, schemas) if part.source in _OF_TEXT else schemas.of(_known(part.annotation))
    if part.source == "file":
        made = _files(part.annotation)
    if part.required and part.source in _REPEATED and made.get("type") == "array":
        made = {"minItems": 1, **made}  # none at all is as if it were not there
    made = with_default(bounded(made, part.bounds), part.default)
    examples = [shown(each) for each in (part.marker.examples if part.marker is not None else ())]
    return {**made, "examples": [each for each in examples if each is not ABSENT]} if examples else made


def _known(annotation: Any) -> Any:
    """Un-annotated: anything."""
    return Any if annotation is ... or getattr(annotation, "__name__", "") == "_empty" else annotation


def of_text(part: Part, schemas: Schemas) -> Json:
    """What is never null, and text where nothing is said."""
    return schemas.of(without_none(_known(part.annotation))) or {"type": "string"}


def _files(annotation: Any) -> Json:
    """An `UploadFile` or `bytes`; a list of either."""
    one: Json = {"type": "string", "format": "binary"}
    return {"type": "array", "items": one} if is_many(annotation) else one


def bounded(made: Json, bounds: Bounds | None) -> Json:
    """With what must hold beside the type: numbers and the pattern of each item of an array, lengths of the array.

    A keyword looks at values of its own type only.
    """
    if not bounds:
        return made
    if "anyOf" in made:
        return {**made, "anyOf": [bounded(each, bounds) for each in made["anyOf"]]}
    if made.get("type") == "array":
        return {**_items(made, bounds), **_told({"minItems": bounds.min_length, "maxItems": bounds.max_length})}
    return {**made, **_told({"minLength": bounds.min_length, "maxLength": bounds.max_length}), **_each(bounds)}


def _items(made: Json, bounds: Bounds) -> Json:
    each = _each(bounds)
    found = dict(made)
    if each and "items" in found:
        found["items"] = _items(found["items"], bounds) if "items" in found["items"] else {**found["items"], **each}
    if each and "prefixItems" in found:
        found["prefixItems"] = [{**item, **each} for item in found["prefixItems"]]
    return found


def _each(bounds: Bounds) -> Json:
    return _told(
        {
            "minimum": bounds.ge,
            "exclusiveMinimum": bounds.gt,
            "maximum": bounds.le,
            "exclusiveMaximum": bounds.lt,
            **_patterns([anchored(each) for each in bounds.patterns]),
        }
    )


def _patterns(anchored: list[str]) -> Json:
    """All of them; an object has room for one."""
    if len(anchored) == 1:
        return {"pattern": anchored[0]}
    return {"allOf": [{"pattern": each} for each in anchored] or None}


def _told(keywords: Json) -> Json:
    return {key: value for key, value in keywords.items() if value is not None}


def anchored(pattern: str) -> str:
    """Ours matches from the start, that of JSON Schema anywhere."""
    return pattern if pattern.startswith("^") and "|" not in pattern else f"^(?:{pattern})"


def about(part: Part) -> Json:
    """What a person said of it."""
    text = part.description or (part.marker.description if part.marker is not None else "")
    description = {"description": text} if text else {}
    return {**description, "deprecated": True} if part.marker is not None and part.marker.deprecated else description


def parameter(part: Part, schemas: Schemas) -> Json:
    """A parameter object: of a path, a query, a header or a cookie."""
    required = part.source == "path" or part.required
    return {
        "name": part.name,
        "in": part.source,
        **({"required": True} if required else {}),
        **about(part),
        "schema": schema(part, schemas),
    }


def of_variable(name: str, converter: str) -> Json:
    """A variable of the path that no function asks for."""
    return {"name": name, "in": "path", "required": True, "schema": of_converter(converter)}


def of_converter(converter: str) -> Json:
    return dict(_CONVERTERS.get(converter, {"type": "string"}))
