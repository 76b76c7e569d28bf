"""Bodies that are not what they should be, and what else comes that nobody wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
import pydantic
import pytest

from lambent.api.exceptions import HTTPException
from lambent.api.markers import Depends, File, Form, Header, Query
from lambent.api.uploads import UploadFile
from tests.api.binding.doubles import bound, exchange, plan, problems, refused, run, status


class Model(pydantic.BaseModel):
    name: str
    inner: Model | None = None


class Struct(msgspec.Struct):
    name: str
    inner: Struct | None = None


@dataclass
class Class:
    name: str
    inner: Class | None = None


async def model(item: Model) -> Any:
    return item


async def struct(item: Struct) -> Any:
    return item


async def klass(item: Class) -> Any:
    return item


async def anything(item: dict[str, Any]) -> Any:
    return item


async def fields(name: str, limit: int = 10, data: Any = None) -> Any:
    return name, limit, data


async def raw_list(names: list[Model]) -> Any:
    return names


WHOLE = [model, struct, klass, anything]
ALL = [*WHOLE, fields]


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize(
    "body", [b"secret", b"{'name': 1}", b"{", b'{"name": "x"} x', b"[" * 100_000, b'{"a":' * 100_000]
)
def test_a_body_that_is_not_json(function: Any, body: bytes) -> None:
    error = refused(function, body=body)
    assert [each.place for each in error.problems] == [("body",)]
    assert "secret" not in str(error.detail)


@pytest.mark.parametrize("function", [struct, klass, anything, fields])
@pytest.mark.parametrize("body", ['{"name": NaN}', '{"name": "x", "inner": Infinity}', "-Infinity"])
def test_what_json_has_no_numbers_for(function: Any, body: str) -> None:
    """Pydantic takes them for floats, unless a model says `allow_inf_nan=False`."""
    assert problems(function, body=body) == [(("body",), "invalid")]


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("body", [b"\xff", b'{"name": "\xff"}', b'{"\xff": 1}', '{"name": "x"}'.encode("utf-16")])
def test_a_body_that_is_not_utf_8(function: Any, body: bytes) -> None:
    assert refused(function, body=body).problems[0].place[0] == "body"


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("body", ['{"name": "\\ud800"}', '{"\\ud800": 1, "name": "x"}'])
def test_half_a_character_is_refused_for_no_response_can_have_it(function: Any, body: str) -> None:
    assert problems(function, body=body) == [(("body",), "invalid")]


@pytest.mark.parametrize("function", ALL)
def test_a_character_that_is_escaped_as_a_whole_pair_is_taken(function: Any) -> None:
    assert status(function, body='{"name": "\\ud83d\\ude00"}') == 200


@pytest.mark.parametrize("function", [model, struct, klass])
def test_a_value_that_is_too_deep(function: Any) -> None:
    depth = 100_000  # Pythons differ in what they take
    body = '{"name": "x", "inner": ' * depth + "null" + "}" * depth
    assert [each.place[0] for each in refused(function, body=body).problems] == ["body"]


@pytest.mark.parametrize("function", ALL)
@pytest.mark.parametrize("body", ["[]", "1", '"text"', "null", "true"])
def test_a_body_of_the_wrong_type(function: Any, body: str) -> None:
    assert problems(function, body=body)[0] == (("body",), "invalid")


def test_a_body_of_fields_that_is_no_object_is_one_problem() -> None:
    assert problems(fields, body="[1]") == [(("body",), "invalid")]
    assert problems(fields, query="name=x&limit=1&data=1", body="[1]") == [(("body",), "invalid")]


@pytest.mark.parametrize("function", ALL)
def test_a_body_that_is_too_large(function: Any) -> None:
    on = exchange(body='{"name": "' + "x" * 100 + '"}')
    on.request.max_body = 50
    with pytest.raises(HTTPException) as raised:
        run(plan(function).call(on))
    assert raised.value.status_code == 413


def test_unknown_fields() -> None:
    assert problems(fields, body='{"name": "x", "nmae": 1}') == [(("body", "nmae"), "unexpected")]
    assert bound(klass, body='{"name": "x", "nmae": 1}') == Class("x")


def test_duplicated_query_keys() -> None:
    assert bound(fields, query="name=a&name=b&limit=x&limit=5") == ("b", 5, None)


def test_a_hundred_thousand_query_parameters() -> None:
    assert status(fields, query="&".join(f"a{number}=1" for number in range(100_000))) == 400


@pytest.mark.parametrize("content_type", ["APPLICATION/JSON", "Application/Json;Charset=UTF-8", "application/x+JSON"])
@pytest.mark.parametrize("function", ALL)
def test_content_types_with_odd_case_and_charset(function: Any, content_type: str) -> None:
    assert status(function, body='{"name": "x"}', headers={"content-type": content_type}) == 200


@pytest.mark.parametrize("function", ALL)
def test_json_in_another_charset(function: Any) -> None:
    headers = {"content-type": "application/json; charset=latin-1"}
    assert status(function, body='{"name": "x"}', headers=headers) == 415


@pytest.mark.parametrize("function", WHOLE)
@pytest.mark.parametrize("content_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml; a=b"])
def test_another_content_type(function: Any, content_type: str) -> None:
    assert status(function, body='{"name": "x"}', headers={"content-type": content_type}) == 415
    assert problems(function, headers={"content-type": content_type}) == [(("body",), "missing")]


def test_a_body_of_another_type_is_not_read_for_plain_parameters() -> None:
    async def streamed(name: str) -> str:
        return name

    on = exchange(query="name=x", body="x" * 100, headers={"content-type": "application/octet-stream"})
    on.request.max_body = 50
    assert run(plan(streamed).call(on)) == "x"


def test_a_body_is_not_read_that_nobody_wants() -> None:
    async def nothing(x_name: Annotated[str, Header()] = "") -> str:
        return x_name

    assert bound(nothing, body="{", headers={"content-type": "application/json", "content-length": "1"}) == ""


def test_all_wrong_items_of_a_list_are_told() -> None:
    body = '[{"name": 1}, {"name": "x"}, {}]'
    assert problems(raw_list, body=body) == [(("body", 0, "name"), "invalid"), (("body", 2, "name"), "missing")]


@pytest.mark.parametrize("function", ALL)
def test_secret_values_are_nowhere(function: Any) -> None:
    body = (
        '"secret"' if function is anything else '{"name": {"secret": "secret"}, "inner": "secret", "limit": "secret"}'
    )
    error = refused(function, body=body)
    assert "secret" not in str(error.detail) + str(error.error_detail) + repr(error)


# Forms


BOUNDARY = {"content-type": "multipart/form-data; boundary=x"}


def multipart(*parts: tuple[str, str | None, str]) -> str:
    """Names, file names, contents."""
    found = ""
    for name, filename, content in parts:
        named = "" if filename is None else f'; filename="{filename}"'
        found += f'--x\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n{content}\r\n'
    return found + "--x--\r\n"


async def uploaded(file: UploadFile, note: Annotated[str, Form()] = "") -> Any:
    return await file.read(), file.filename, note


async def contents(file: Annotated[bytes, File(max_length=3)]) -> Any:
    return file


async def several(files: list[UploadFile], more: Annotated[list[bytes], File()] = []) -> Any:  # noqa: B006 - as users write it
    return [each.filename for each in files], more


async def perhaps(file: UploadFile | None = None, tags: Annotated[list[int], Form()] = []) -> Any:  # noqa: B006 - as users write it
    return file, tags


@pytest.mark.parametrize(
    ("function", "parts", "expected"),
    [
        (uploaded, [("file", "a.txt", "abc"), ("note", None, "x")], (b"abc", "a.txt", "x")),
        (contents, [("file", "a.txt", "abc")], b"abc"),
        (contents, [("file", "a.txt", "")], b""),
        (several, [("files", "a", ""), ("files", "b", ""), ("more", "c", "c")], (["a", "b"], [b"c"])),
        (perhaps, [("tags", None, "1"), ("tags", None, "2")], (None, [1, 2])),
        (perhaps, [("file", "", "")], (None, [])),
    ],
)
def test_files_are_given(function: Any, parts: Any, expected: Any) -> None:
    assert bound(function, body=multipart(*parts), headers=BOUNDARY) == expected


@pytest.mark.parametrize(
    ("function", "parts", "expected"),
    [
        (uploaded, [], [(("file", "file"), "missing")]),
        (uploaded, [("file", "", "")], [(("file", "file"), "missing")]),
        (uploaded, [("file", None, "text")], [(("file", "file"), "invalid")]),
        (uploaded, [("file", "a", "a"), ("note", "a.txt", "x")], [(("form", "note"), "invalid")]),
        (contents, [("file", "a.txt", "abcd")], [(("file", "file"), "invalid")]),
        (contents, [("file", None, "abc")], [(("file", "file"), "invalid")]),
        (several, [("files", "a", "a"), ("files", None, "b")], [(("file", "files", 1), "invalid")]),
        (perhaps, [("tags", None, "x"), ("tags", "f", "x")], [(("form", "tags", 1), "invalid")]),
    ],
)
def test_what_is_no_file_is_refused(function: Any, parts: Any, expected: Any) -> None:
    assert problems(function, body=multipart(*parts), headers=BOUNDARY) == expected


class Closed(pydantic.BaseModel, extra="forbid"):
    name: str


class Open(pydantic.BaseModel, extra="allow"):
    name: str


class ClosedStruct(msgspec.Struct, forbid_unknown_fields=True):
    name: str


class Other(pydantic.BaseModel, extra="forbid"):
    note: str = ""


@dataclass
class Plain:
    name: str


@pytest.mark.parametrize("model", [Closed, Open, ClosedStruct, Plain])
def test_a_model_of_a_form_takes_nothing_that_is_others(model: Any) -> None:
    async def function(
        item: Any, file: UploadFile, tag: Annotated[int, Form()], other: Annotated[Other, Form()]
    ) -> Any:
        return item, file.filename, tag, other.note

    function.__annotations__["item"] = Annotated[model, Form()]
    parts = [("name", None, "a"), ("file", "a.txt", "abc"), ("tag", None, "1"), ("note", None, "x")]
    assert bound(function, body=multipart(*parts), headers=BOUNDARY) == (model(name="a"), "a.txt", 1, "x")
    parts[0] = ("name", "a.txt", "a")
    assert [each.place[:2] for each in refused(function, body=multipart(*parts), headers=BOUNDARY).problems] == [
        ("form", "name")
    ]


def limited(limit: int) -> int:
    return limit


async def filtered(page: int, closed: Annotated[Closed, Query()], item: Annotated[int, Depends(limited)]) -> Any:
    return page, closed.name, item


def test_a_model_of_the_query_takes_nothing_that_is_others() -> None:
    assert bound(filtered, query="name=a&page=1&limit=2") == (1, "a", 2)
    assert problems(filtered, query="name=a&page=1&limit=2&more=3") == [(("query", "more"), "unexpected")]


def test_what_is_no_form() -> None:
    assert status(uploaded, body="{}", headers={"content-type": "application/json"}) == 415
    assert status(uploaded, body="x", headers=BOUNDARY) == 400
    assert bound(perhaps, body="{}", headers={"content-type": "application/json"}) == (None, [])
    assert problems(uploaded) == [(("file", "file"), "missing")]


@pytest.mark.parametrize("annotation", [list[Model], list[Class], dict[str, Class], list[Struct]])
def test_a_body_with_nothing_but_faults_is_answered_shortly(annotation: Any) -> None:
    async def function(items: Any) -> None: ...

    function.__annotations__["items"] = annotation
    items = ",".join(["0"] * 20_000) if annotation.__origin__ is list else ",".join(f'"{n}":0' for n in range(20_000))
    body = f"[{items}]" if annotation.__origin__ is list else f"{{{items}}}"
    assert len(refused(function, body=body).problems) <= 101
