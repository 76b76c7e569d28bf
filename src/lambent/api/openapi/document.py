"""Routes → an OpenAPI 3.1 document. Pure.

Mounted applications are not in it: they have documents of their own.
"""

from __future__ import annotations

import re
from inspect import cleandoc

from lambent import functions
from lambent.api.matching import Variable, parse
from lambent.api.openapi.answers import responses
from lambent.api.openapi.bodies import request_body
from lambent.api.openapi.parameters import of_converter, of_variable, parameter, parts
from lambent.api.openapi.references import numbered
from lambent.api.openapi.schemas import Schemas
from lambent.api.openapi.security import requirements, schemes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from lambent.api.model import Route
    from lambent.api.openapi.parameters import Part

    Json = dict[str, Any]

VERSION = "3.1.0"
METHODS = ("GET", "PUT", "POST", "DELETE", "OPTIONS", "HEAD", "PATCH", "TRACE")
"""Those that OpenAPI knows."""


def openapi(
    routes: Sequence[Route],
    *,
    title: str,
    version: str,
    description: str = "",
    servers: Iterable[str | Mapping[str, Any]] = (),
    tags: Iterable[str | Mapping[str, Any]] = (),
) -> Json:
    """The document.

    - `servers`: URLs, or server objects; without, the API is where the document's host is, at `/`
    - `tags`: names or tag objects, in the order in which a page is to show them

    Raises ConfigurationError for a function whose signature, or for a class whose annotations, cannot be read.
    """
    schemas = Schemas()
    told = [each for each in routes if each.include_in_schema]
    document: Json = {
        "openapi": VERSION,
        "info": {
            "title": title or "API",
            "version": version or "0.0.0",
            **({"description": cleandoc(description)} if description else {}),
        },
    }
    for key, found, short in (("servers", servers, "url"), ("tags", tags, "name")):
        if listed := [{short: each} if isinstance(each, str) else dict(each) for each in found]:
            document[key] = listed
    security = schemes(told)
    document["paths"] = _paths(told, Making(schemas, security))
    if security:
        document["components"] = {"securitySchemes": security}
    return schemas.completed(document)


class Making:
    """What operations of one document share."""

    __slots__ = ("schemas", "security", "taken")

    def __init__(self, schemas: Schemas, security: Json) -> None:
        self.schemas = schemas
        self.security = security
        """Scheme objects by their names."""
        self.taken: set[str] = set()
        """Identifiers of operations."""


def _paths(routes: Sequence[Route], making: Making) -> Json:
    """Path items, in the order of routes. Paths that differ by names of variables only are one, with the first's names.

    Of two routes that differ by a converter only the first is told: OpenAPI has no converters.
    """
    paths: Json = {}
    shapes: dict[str, list[str]] = {}
    for route in routes:
        template, variables = _template(route.path)
        names = shapes.setdefault(template, list(variables))
        item = paths.setdefault(template.format(*(f"{{{each}}}" for each in names)), {})
        for method in _methods(route):
            if method.lower() not in item:
                renamed = dict(zip(variables, names, strict=True))
                item[method.lower()] = _operation(route, method, variables, renamed, making)
    return {path: item for path, item in paths.items() if item}


def _template(path: str) -> tuple[str, dict[str, str]]:
    """A path with `{}` for each variable, and variable → converter."""
    segments = parse(path)
    texts = ("".join("{}" if isinstance(part, Variable) else part for part in each) for each in segments)
    variables = {part.name: part.converter for each in segments for part in each if isinstance(part, Variable)}
    return "".join(f"/{text}" for text in texts), variables


def _methods(route: Route) -> list[str]:
    """Without the HEAD that goes with GET."""
    return [each for each in METHODS if each in route.methods and not (each == "HEAD" and "GET" in route.methods)]


def _operation(
    route: Route, method: str, variables: Mapping[str, str], renamed: Mapping[str, str], making: Making
) -> Json:
    found = parts(route.plan.parameters, method)
    body = request_body(found, route.plan.parameters, making.schemas, closed=_is_closed(route))
    description = route.description or _docstring(route)
    return {
        **({"tags": list(dict.fromkeys(route.tags))} if route.tags else {}),
        "summary": route.summary or words(route.name),
        **({"description": description} if description else {}),
        "operationId": _identifier(route, method, making.taken),
        **_listed("parameters", _parameters(found, variables, renamed, making.schemas)),
        **({"requestBody": body} if body is not None else {}),
        "responses": responses(route, found, making.schemas),
        **({"deprecated": True} if route.deprecated else {}),
        **_listed("security", requirements(route, making.security)),
    }


def _is_closed(route: Route) -> bool:
    """Whether nothing but its parameters takes fields of the body: a function that takes the request may."""
    if any(each.marker is not None and not each.marker.include_in_schema for each in route.plan.parameters):
        return False
    kinds = (functions.bare(each.annotation) for each in functions.parameters(route.endpoint))
    return not any(getattr(each, "__name__", "") == "Request" for each in kinds)


def _listed(key: str, found: list[Json]) -> Json:
    return {key: found} if found else {}


def _parameters(
    found: Sequence[Any], variables: Mapping[str, str], renamed: Mapping[str, str], schemas: Schemas
) -> list[Json]:
    """Of the path in its order first, those too that no function asks for."""
    listed = [parameter(each, schemas) for each in found if _is_parameter(each)]
    of_path = {each["name"]: each for each in listed if each["in"] == "path"}
    first = []
    for name, converter in variables.items():
        told = of_path.get(name) or of_variable(name, converter)
        if told["schema"] == {"type": "string"}:
            told["schema"] = of_converter(converter)
        first.append({**told, "name": renamed[name]})
    return first + [each for each in listed if each["in"] != "path"]


def _is_parameter(part: Part) -> bool:
    """Some headers are told elsewhere: by media types, by security schemes. As parameters they would be ignored."""
    if part.source == "header":
        return part.name.lower() not in {"accept", "content-type", "authorization"}
    return part.source in {"path", "query", "cookie"}


def _docstring(route: Route) -> str:
    """What comes after a form feed is for those who read the code."""
    text = getattr(route.endpoint, "__doc__", None) or ""
    return cleandoc(text.partition("\f")[0]).strip()


def _identifier(route: Route, method: str, taken: set[str]) -> str:
    """Of the name, the path and the method: it stays when other routes come and go."""
    own = route.operation_id
    if own and len(_methods(route)) > 1:
        own = f"{own}_{method.lower()}"
    found = numbered(own or slug(f"{route.name} {route.path} {method.lower()}"), taken)
    taken.add(found)
    return found


def slug(text: str) -> str:
    """`read_item /items/{id} get` → `read_item_items_id_get`"""
    return re.sub(r"[^A-Za-z0-9]+", "_", text).strip("_")


def words(name: str) -> str:
    """`read_item` → `Read item`"""
    found = re.sub(r"[^A-Za-z0-9]+", " ", name).strip()
    return found[:1].upper() + found[1:]
