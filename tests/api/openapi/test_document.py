"""Routes → the document: where each parameter lies, what is answered, and that the document is one."""

import enum
import json
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, TypedDict
from uuid import UUID

import msgspec
import pydantic
import pytest
from openapi_spec_validator import validate
from openapi_spec_validator.validation.exceptions import OpenAPIValidationError

from lambent.api.markers import Cookie, Depends, File, Form, Header, Path, Query
from lambent.api.matching import parse, variables
from lambent.api.model import Route
from lambent.api.openapi.document import openapi, slug, words
from lambent.api.request import Request
from lambent.api.responses import (
    EventSourceResponse,
    FileResponse,
    HTMLResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    ServerSentEvent,
    StreamingResponse,
)
from lambent.api.security import (
    APIKeyHeader,
    HTTPAuthorizationCredentials,
    HTTPBasic,
    HTTPBearer,
)
from lambent.api.uploads import UploadFile
from lambent.errors import ConfigurationError

ERROR = {"application/json": {"schema": {"$ref": "#/components/schemas/HTTPError"}}}
INVALID = {"application/json": {"schema": {"$ref": "#/components/schemas/RequestInvalid"}}}
JSON = "application/json"


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Item:
    name: str
    price: Decimal
    colour: Colour = Colour.RED


@dataclass
class Filters:
    limit: int = 10
    tags: list[str] | None = None


class Model(pydantic.BaseModel):
    id: int
    size: Annotated[int, pydantic.Field(ge=1)] = 1


class Struct(msgspec.Struct):
    id: int


class Total(TypedDict):
    id: int


class Place(NamedTuple):
    x: int


def made(path: str, function: Callable[..., Any], methods: tuple[str, ...] = ("GET",), **options: Any) -> Route:
    return Route(path, methods, function, variables=variables(parse(path)), **options)


def document(*routes: Route, **options: Any) -> Any:
    found = openapi(routes, **{"title": "Shop", "version": "1", "description": "", **options})
    validate(found)
    assert json.loads(json.dumps(found)) == found
    return found


def operation(path: str, function: Callable[..., Any], method: str = "GET", **options: Any) -> Any:
    """Of one route, with the schemas of the document in `schemas`."""
    found = document(made(path, function, (method,), **options))
    (item,) = found["paths"].values()
    return {**item[method.lower()], "schemas": found["components"]["schemas"]}


def parameters(path: str, function: Callable[..., Any], method: str = "GET") -> Any:
    return operation(path, function, method).get("parameters", [])


def body(function: Callable[..., Any], method: str = "POST") -> Any:
    return operation("/", function, method).get("requestBody")


def test_every_document_here_is_judged() -> None:
    with pytest.raises(OpenAPIValidationError, match="paths"):
        validate({"openapi": "3.1.0", "info": {"title": "a", "version": "1"}, "paths": 1})


# Parameters


async def plain(item_id: int, q: str | None = None, tags: list[str] = [], page: int = 1) -> None: ...  # noqa: B006


def test_plain_parameters_are_of_the_path_and_the_query() -> None:
    assert parameters("/items/{item_id}", plain) == [
        {"name": "item_id", "in": "path", "required": True, "schema": {"type": "integer"}},
        {"name": "q", "in": "query", "schema": {"type": "string"}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}, "default": []}},
        {"name": "page", "in": "query", "schema": {"type": "integer", "default": 1}},
    ]


async def with_lists(
    ids: list[int], x_names: Annotated[list[str], Header()], at_most: Annotated[list[int] | None, Query()] = None
) -> None: ...


async def with_files(
    parts: Annotated[list[bytes], File()], names: Annotated[list[str], Form(min_length=2)]
) -> None: ...


def test_a_list_that_is_required_has_one_at_least() -> None:
    """None at all looks in a query, in headers and in forms as if it were not there."""
    assert [each["schema"].get("minItems") for each in parameters("/", with_lists)] == [1, 1, None]
    properties = body(with_files)["content"]["multipart/form-data"]["schema"]["properties"]
    assert {name: each["minItems"] for name, each in properties.items()} == {"parts": 1, "names": 2}


async def with_headers(
    authorization: Annotated[str, Header()],
    x_tenant: Annotated[str, Header()],
    kind: Annotated[str, Header(alias="Accept")],
) -> None: ...


def test_headers_that_a_document_tells_elsewhere_are_no_parameters() -> None:
    """A parameter called Accept, Content-Type or Authorization "SHALL be ignored", says OpenAPI."""
    assert [each["name"] for each in parameters("/", with_headers)] == ["x-tenant"]


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE", "OPTIONS"])
def test_plain_parameters_are_of_the_query_where_methods_have_no_body(method: str) -> None:
    found = operation("/items/{item_id}", plain, method)
    assert [each["in"] for each in found["parameters"]] == ["path", "query", "query", "query"]
    assert "requestBody" not in found


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
def test_plain_parameters_are_fields_of_the_body_where_methods_have_one(method: str) -> None:
    async def create(item_id: int, name: str, price: Decimal | None = None) -> None: ...

    found = operation("/items/{item_id}", create, method)
    assert [each["in"] for each in found["parameters"]] == ["path"]
    assert found["requestBody"]["required"]
    assert "query" in found["requestBody"]["description"]
    schema = found["requestBody"]["content"][JSON]["schema"]
    assert list(schema["properties"]) == ["name", "price"]
    assert schema["properties"]["price"]["anyOf"][-1] == {"type": "null"}
    assert schema["required"] == ["name"]
    assert schema["additionalProperties"] is False


def test_a_body_with_no_required_field_is_not_required() -> None:
    async def create(name: str = "a") -> None: ...

    assert "required" not in body(create)


def test_plain_parameters_are_of_the_query_where_a_model_is_the_body() -> None:
    async def create(item: Item, notify: bool = False) -> None: ...

    assert [(each["name"], each["in"]) for each in parameters("/", create, "POST")] == [("notify", "query")]
    assert body(create) == {"content": {JSON: {"schema": {"$ref": "#/components/schemas/Item"}}}, "required": True}


def test_two_models_are_fields_of_the_body() -> None:
    async def create(item: Item, model: Model, note: str = "") -> None: ...

    schema = body(create)["content"][JSON]["schema"]
    assert schema["properties"]["item"] == {"$ref": "#/components/schemas/Item"}
    assert schema["properties"]["model"] == {"$ref": "#/components/schemas/Model"}
    assert schema["required"] == ["item", "model"]
    assert schema["additionalProperties"] is False


def test_a_function_that_takes_the_request_may_read_other_fields() -> None:
    async def create(name: str, request: Request) -> None: ...

    assert "additionalProperties" not in body(create)["content"][JSON]["schema"]


def test_an_optional_model_is_a_body_that_may_be_missing() -> None:
    async def create(item: Item | None = None) -> None: ...

    found = body(create)
    assert "required" not in found
    assert found["content"][JSON]["schema"] == {"anyOf": [{"$ref": "#/components/schemas/Item"}, {"type": "null"}]}


def test_headers_and_cookies_are_told_by_their_names_there() -> None:
    async def read(
        x_token: Annotated[str, Header(description="Who it is", examples=["a"])],
        session: Annotated[str | None, Cookie(deprecated=True)] = None,
        hidden: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> None: ...

    assert parameters("/", read) == [
        {
            "name": "x-token",
            "in": "header",
            "required": True,
            "description": "Who it is",
            "schema": {"type": "string", "examples": ["a"]},
        },
        {"name": "session", "in": "cookie", "deprecated": True, "schema": {"type": "string"}},
    ]


def test_a_model_in_the_query_is_told_by_its_fields() -> None:
    async def read(filters: Annotated[Filters, Query()], more: Annotated[Model, Query()]) -> None: ...

    assert parameters("/", read) == [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 10}},
        {"name": "tags", "in": "query", "schema": {"type": "array", "items": {"type": "string"}}},
        {"name": "id", "in": "query", "required": True, "schema": {"type": "integer"}},
        {"name": "size", "in": "query", "schema": {"type": "integer", "default": 1, "minimum": 1}},
    ]


BOUNDED: list[tuple[Any, dict[str, Any]]] = [
    (Annotated[int, Query(ge=1, lt=5)], {"type": "integer", "minimum": 1, "exclusiveMaximum": 5}),
    (Annotated[float, Query(gt=0, le=1.5)], {"type": "number", "exclusiveMinimum": 0, "maximum": 1.5}),
    (Annotated[str, Query(min_length=1, max_length=3)], {"type": "string", "minLength": 1, "maxLength": 3}),
    (Annotated[str, Query(pattern="a|b")], {"type": "string", "pattern": "^(?:a|b)"}),
    (Annotated[str, Query(pattern="^[a-z]+$")], {"type": "string", "pattern": "^[a-z]+$"}),
    (
        Annotated[str, Query(pattern="^[a-z]+$"), Query(pattern="b")],
        {"type": "string", "allOf": [{"pattern": "^[a-z]+$"}, {"pattern": "^(?:b)"}]},
    ),
    (
        Annotated[list[int], Query(ge=1, max_length=3)],
        {"type": "array", "items": {"type": "integer", "minimum": 1}, "minItems": 1, "maxItems": 3},
    ),
    (
        Annotated[tuple[int, int], Query(ge=1)],
        {
            "type": "array",
            "prefixItems": [{"type": "integer", "minimum": 1}] * 2,
            "minItems": 2,
            "maxItems": 2,
        },
    ),
    (
        Annotated[int | str, Query(max_length=3)],
        {"anyOf": [{"type": "integer", "maxLength": 3}, {"type": "string", "maxLength": 3}]},
    ),
    (Annotated[int, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}),
    (Annotated[int | None, pydantic.Field(ge=1)], {"type": "integer", "minimum": 1}),
    (Annotated[int, msgspec.Meta(ge=1)], {"type": "integer", "minimum": 1}),
    (UUID, {"type": "string", "format": "uuid"}),
    (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
    (Colour, {"$ref": "#/components/schemas/Colour"}),
    (Any, {"type": "string"}),
]


@pytest.mark.parametrize(("annotation", "expected"), BOUNDED)
def test_bounds_stand_beside_the_type(annotation: Any, expected: Any) -> None:
    async def read(q: object) -> None: ...

    read.__annotations__ = {"q": annotation}
    assert parameters("/", read)[0]["schema"] == expected


def test_what_dependencies_take_is_told_once() -> None:
    async def paging(page: int = 1, x_token: Annotated[str | None, Header()] = None) -> None: ...

    async def user(x_token: Annotated[str, Header()], paged: Annotated[None, Depends(paging)]) -> None: ...

    async def read(who: Annotated[None, Depends(user)], page: int = 1) -> None: ...

    found = {each["name"]: each for each in parameters("/", read)}
    assert sorted(found) == ["page", "x-token"]
    assert found["x-token"]["required"]


# Paths


async def rest(request: Request) -> dict[str, Any]: ...  # type: ignore[empty-body]  # it is never called


def test_converters_are_told_as_schemas() -> None:
    found = document(made("/a/{n:int}/{x:float}/{u:uuid}/{key:path}", rest))
    (path,) = found["paths"]
    assert path == "/a/{n}/{x}/{u}/{key}"
    assert [
        (each["name"], each["schema"].get("type"), each["required"])
        for each in found["paths"][path]["get"]["parameters"]
    ] == [
        ("n", "integer", True),
        ("x", "number", True),
        ("u", "string", True),
        ("key", "string", True),
    ]


def test_paths_that_differ_by_names_of_variables_are_one() -> None:
    async def read(item_id: int) -> None: ...

    async def drop(key: Annotated[int, Path(alias="id")]) -> None: ...

    found = document(made("/items/{item_id}", read), made("/items/{id}", drop, ("DELETE",)))
    (item,) = found["paths"].values()
    assert list(found["paths"]) == ["/items/{item_id}"]
    assert [each["name"] for method in ("get", "delete") for each in item[method]["parameters"]] == ["item_id"] * 2


def test_mixed_segments_keep_their_text() -> None:
    assert list(document(made("/files/{name}.json", rest))["paths"]) == ["/files/{name}.json"]


def test_what_is_not_to_be_in_the_document_is_not() -> None:
    assert document(made("/", rest, include_in_schema=False))["paths"] == {}


def test_the_head_that_goes_with_get_is_not_told() -> None:
    found = document(made("/", rest, ("GET", "HEAD", "PURGE")), made("/b", rest, ("HEAD",)))
    assert {path: list(item) for path, item in found["paths"].items()} == {"/": ["get"], "/b": ["head"]}


# What is said of operations


def test_an_operation_is_told_by_its_function() -> None:
    async def read_all_items() -> None: ...

    read_all_items.__doc__ = "Items, newest first.\n\n    All of them.\n    \f\n    For the code's readers.\n    "

    found = operation("/items/{id}", read_all_items, "GET")
    assert found["summary"] == "Read all items"
    assert found["description"] == "Items, newest first.\n\nAll of them."
    assert found["operationId"] == "read_all_items_items_id_get"
    assert "tags" not in found


def test_an_operation_is_told_by_its_route() -> None:
    said: dict[str, Any] = {
        "summary": "S",
        "description": "D",
        "operation_id": "o",
        "tags": ["a", "a", "b"],
        "deprecated": True,
    }
    found = operation("/", rest, **said)
    assert {key: found[key] for key in ("summary", "description", "operationId", "tags", "deprecated")} == {
        "summary": "S",
        "description": "D",
        "operationId": "o",
        "tags": ["a", "b"],
        "deprecated": True,
    }


def test_identifiers_are_unique_and_stay() -> None:
    routes = [
        made("/a-b", rest),
        made("/a_b", rest),
        made("/c", rest, ("PUT", "POST"), operation_id="o"),
        made("/d", rest, operation_id="o_put"),
    ]
    found = document(*routes)
    told = [operation["operationId"] for item in found["paths"].values() for operation in item.values()]
    assert told == ["rest_a_b_get", "rest_a_b_get_2", "o_put", "o_post", "o_put_2"]
    (alone,) = document(made("/c", rest, ("POST", "PUT"), operation_id="o"))["paths"].values()
    assert alone["post"]["operationId"] == "o_post"


@pytest.mark.parametrize(
    ("name", "expected"), [("read_item", "Read item"), ("<lambda>", "Lambda"), ("readItem", "ReadItem")]
)
def test_names_are_told_in_words(name: str, expected: str) -> None:
    assert words(name) == expected
    assert slug(f"{name} /a/{{b}}").isidentifier()


def test_the_document_says_what_it_is_given() -> None:
    found = document(
        servers=["/prod", {"url": "https://a", "description": "b"}], tags=["a", {"name": "b"}], description=" D\n E"
    )
    assert found["openapi"] == "3.1.0"
    assert found["info"] == {"title": "Shop", "version": "1", "description": "D\nE"}
    assert found["servers"] == [{"url": "/prod"}, {"url": "https://a", "description": "b"}]
    assert found["tags"] == [{"name": "a"}, {"name": "b"}]
    assert document(title="", version="")["info"] == {"title": "API", "version": "0.0.0"}


def test_a_signature_that_cannot_be_read_is_told() -> None:
    async def read(q: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821 - it is not there

    with pytest.raises(ConfigurationError):
        document(made("/", read))


# Forms


def test_a_form_is_taken_in_either_encoding() -> None:
    async def login(name: Annotated[str, Form(min_length=1)], age: Annotated[int | None, Form()] = None) -> None: ...

    schema = {
        "type": "object",
        "properties": {"name": {"type": "string", "minLength": 1}, "age": {"type": "integer"}},
        "required": ["name"],
    }
    assert body(login) == {
        "content": {
            "application/x-www-form-urlencoded": {"schema": schema},
            "multipart/form-data": {"schema": schema},
        },
        "required": True,
    }


def test_files_come_as_multipart() -> None:
    async def upload(file: UploadFile, more: Annotated[list[bytes] | None, File()] = None, q: int = 1) -> None: ...

    binary = {"type": "string", "format": "binary"}
    found = operation("/", upload, "POST")
    assert found["requestBody"]["content"] == {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {"file": binary, "more": {"type": "array", "items": binary}},
                "required": ["file"],
            }
        }
    }
    assert [each["name"] for each in found["parameters"]] == ["q"]
    assert [each for each in found["responses"] if each[0] == "4"] == ["400", "413", "415", "422"]


@pytest.mark.parametrize(
    ("annotation", "is_many"),
    [
        (UploadFile | bytes, False),
        (Annotated[UploadFile | bytes, "a word"], False),
        (UploadFile | None, False),
        (list[UploadFile] | None, True),
        (Annotated[list[bytes], "a word"], True),
    ],
)
def test_a_file_is_one_unless_an_array_is_wanted(annotation: Any, is_many: bool) -> None:
    async def upload(file: Any) -> None: ...

    upload.__annotations__["file"] = Annotated[annotation, File()]
    schema = body(upload)["content"]["multipart/form-data"]["schema"]["properties"]["file"]
    assert (schema.get("type") == "array") is is_many


def test_bounds_within_an_annotation_are_told() -> None:
    async def search(a: Annotated[list[Annotated[int, Query(ge=3)]], Query(max_length=2)]) -> None: ...

    (told,) = operation("/", search)["parameters"]
    assert told["schema"] == {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 1, "maxItems": 2}


def test_a_model_of_a_form_is_told_by_its_fields() -> None:
    async def search(filters: Annotated[Filters, Form()]) -> None: ...

    schema = body(search)["content"]["application/x-www-form-urlencoded"]["schema"]
    assert list(schema["properties"]) == ["limit", "tags"]


# Answers

REF = "#/components/schemas/"
TEXT = {"text/plain": {"schema": {"type": "string"}}}
ANSWERS: list[tuple[Any, dict[str, Any]]] = [
    (None, {"204": None}),
    (Item, {"200": {JSON: {"schema": {"$ref": REF + "Item"}}}}),
    (list[Model], {"200": {JSON: {"schema": {"type": "array", "items": {"$ref": REF + "Model"}}}}}),
    (Struct, {"200": {JSON: {"schema": {"$ref": REF + "Struct"}}}}),
    (Total, {"200": {JSON: {"schema": {"$ref": REF + "Total"}}}}),
    (Place, {"200": {JSON: {"schema": {"$ref": REF + "Place"}}}}),
    (dict, {"200": {JSON: {"schema": {"type": "object"}}}}),
    (dict[str, int], {"200": {JSON: {"schema": {"type": "object", "additionalProperties": {"type": "integer"}}}}}),
    (int, {"200": {JSON: {"schema": {"type": "integer"}}}}),
    (object, {"200": {"*/*": {"schema": {}}}}),
    (str, {"200": TEXT}),
    (bytes, {"200": {"application/octet-stream": {"schema": {}}}}),
    (Item | None, {"200": {JSON: {"schema": {"$ref": REF + "Item"}}}, "204": None}),
    (str | Item, {"200": {**TEXT, JSON: {"schema": {"$ref": REF + "Item"}}}}),
    (Item | Total, {"200": {JSON: {"schema": {"anyOf": [{"$ref": REF + "Item"}, {"$ref": REF + "Total"}]}}}}),
    (Annotated[Item | None, 1], {"200": {JSON: {"schema": {"$ref": REF + "Item"}}}, "204": None}),
    (Response, {"200": {"*/*": {"schema": {}}}}),
    (JSONResponse, {"200": {JSON: {"schema": {}}}}),
    (HTMLResponse, {"200": {"text/html": {"schema": {"type": "string"}}}}),
    (PlainTextResponse, {"200": TEXT}),
    (StreamingResponse, {"200": {"*/*": {"schema": {}}}}),
    (EventSourceResponse, {"200": {"text/event-stream": {"schema": {}}}}),
    (RedirectResponse, {"307": None}),
    (FileResponse, {"200": {"*/*": {"schema": {}}}, "206": {"*/*": {"schema": {}}}, "304": None}),
    (AsyncIterator[str], {"200": TEXT}),
    (AsyncIterator[bytes], {"200": {"application/octet-stream": {"schema": {}}}}),
    (AsyncIterator[ServerSentEvent], {"200": {"text/event-stream": {"schema": {}}}}),
    (Iterator[dict[str, int]], {"200": {"application/jsonl": {"schema": {}}}}),
    (AsyncIterator, {"200": {"*/*": {"schema": {}}}}),
]


def answers(annotation: Any, **options: Any) -> Any:
    async def read() -> None: ...

    read.__annotations__ = {} if annotation is ... else {"return": annotation}
    told = operation("/", read, **options)["responses"]
    assert told.pop("default")["content"] == ERROR
    return {status: each.get("content") for status, each in told.items()}


@pytest.mark.parametrize(("annotation", "expected"), ANSWERS)
def test_what_is_answered_is_told_by_what_is_returned(annotation: Any, expected: Any) -> None:
    assert answers(annotation) == expected


def test_where_nothing_is_said_nothing_is_known() -> None:
    assert answers(...) == {"200": {"*/*": {"schema": {}}}}


OPTIONS: list[tuple[Any, dict[str, Any], dict[str, Any]]] = [
    (Item, {"status_code": 201}, {"201": {JSON: {"schema": {"$ref": REF + "Item"}}}}),
    (Item, {"status_code": 204}, {"204": None}),
    (None, {"status_code": 202}, {"202": None}),
    (Item | None, {"status_code": 201}, {"201": {JSON: {"schema": {"$ref": REF + "Item"}}}}),
    (str, {"status_code": 303, "response_class": RedirectResponse}, {"303": None}),
    (str, {"response_class": JSONResponse}, {"200": {JSON: {"schema": {"type": "string"}}}}),
    (str, {"response_class": HTMLResponse}, {"200": {"text/html": {"schema": {"type": "string"}}}}),
    (
        str,
        {"response_class": partial(HTMLResponse, headers={})},
        {"200": {"text/html": {"schema": {"type": "string"}}}},
    ),
    (
        str,
        {"response_class": partial(HTMLResponse, media_type="text/xml")},
        {"200": {"text/xml": {"schema": {"type": "string"}}}},
    ),
    (str, {"response_class": lambda content: HTMLResponse(str(content))}, {"200": {"*/*": {"schema": {}}}}),
    (dict, {"response_model": Total}, {"200": {JSON: {"schema": {"$ref": REF + "Total"}}}}),
    (dict, {"response_model": None}, {"200": {"*/*": {"schema": {}}}}),
    (Response, {"response_model": Item}, {"200": {JSON: {"schema": {"$ref": REF + "Item"}}}}),
    (int, {"responses": {404: "Not there"}}, {"200": {JSON: {"schema": {"type": "integer"}}}, "404": None}),
    (
        int,
        {"responses": {409: Total, 418: {"model": Total, "description": "T"}, 200: "Fine"}},
        {
            "200": {JSON: {"schema": {"type": "integer"}}},
            "409": {JSON: {"schema": {"$ref": REF + "Total"}}},
            "418": {JSON: {"schema": {"$ref": REF + "Total"}}},
        },
    ),
]


@pytest.mark.parametrize(("annotation", "options", "expected"), OPTIONS)
def test_what_is_answered_is_told_by_the_route(annotation: Any, options: Any, expected: Any) -> None:
    assert answers(annotation, **options) == expected


def test_answers_are_described() -> None:
    async def read() -> int: ...  # type: ignore[empty-body]  # it is never called

    told = operation("/", read, responses={404: "Not there", 409: Total, "5XX": {"description": "Ours"}})["responses"]
    assert {status: each["description"] for status, each in told.items()} == {
        "200": "OK",
        "404": "Not there",
        "409": "Conflict",
        "5XX": "Ours",
        "default": "Error",
    }


@pytest.mark.parametrize(
    ("annotations", "expected"),
    [
        ({}, []),
        ({"q": int}, ["422"]),
        ({"item": Item}, ["413", "415", "422"]),
        ({"form": Annotated[str, Form()]}, ["400", "413", "415", "422"]),
    ],
)
def test_how_requests_fail_is_told_by_what_they_have(annotations: dict[str, Any], expected: list[str]) -> None:
    source = f"async def read({', '.join(annotations)}): ..."
    space: dict[str, Any] = {}
    exec(source, space)
    space["read"].__annotations__ = annotations
    found = operation("/", space["read"], "GET" if "q" in annotations else "POST")
    assert [status for status in found["responses"] if status[0] == "4"] == expected
    if expected:
        assert found["responses"]["422"]["content"] == INVALID


def test_a_problem_is_told_as_it_is_answered() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    from lambent.api.exceptions import HTTPException, RequestInvalid
    from lambent.api.model import Problem

    async def read(q: int) -> None: ...

    components = {"components": {"schemas": operation("/", read)["schemas"]}}

    def valid(name: str, error: HTTPException) -> bool:
        schema = {"$ref": f"#/components/schemas/{name}", **components}
        found: bool = jsonschema.Draft202012Validator(schema).is_valid({"detail": error.detail})
        return found

    assert valid("RequestInvalid", RequestInvalid([Problem(("body", 3), "Expected a value.")]))
    assert not valid("RequestInvalid", HTTPException(404))
    assert valid("HTTPError", HTTPException(404))


# Who may call


def test_schemes_that_dependencies_ask_for_are_told() -> None:
    bearer, basic = HTTPBearer(bearer_format="JWT"), HTTPBasic(auto_error=False)
    key, other = APIKeyHeader(name="X-Key", description="Ours"), APIKeyHeader(name="X-Other")

    async def user(credentials: Annotated[HTTPAuthorizationCredentials, Depends(bearer)]) -> str: ...  # type: ignore[empty-body]  # it is never called

    async def read(who: Annotated[str, Depends(user)]) -> None: ...

    async def maybe(who: Annotated[object, Depends(basic)], key: Annotated[str, Depends(other)]) -> None: ...

    found = document(
        made("/a", read), made("/b", rest, dependencies=[Depends(key)]), made("/c", maybe), made("/d", rest)
    )
    assert found["components"]["securitySchemes"] == {
        "HTTPBearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
        "APIKeyHeader": {"type": "apiKey", "in": "header", "name": "X-Key", "description": "Ours"},
        "HTTPBasic": {"type": "http", "scheme": "basic"},
        "APIKeyHeader_2": {"type": "apiKey", "in": "header", "name": "X-Other"},
    }
    told = {path: item["get"].get("security") for path, item in found["paths"].items()}
    assert told == {
        "/a": [{"HTTPBearer": []}],
        "/b": [{"APIKeyHeader": []}],
        "/c": [{"HTTPBasic": [], "APIKeyHeader_2": []}, {"APIKeyHeader_2": []}],
        "/d": None,
    }
    assert all("parameters" not in item["get"] for item in found["paths"].values())
