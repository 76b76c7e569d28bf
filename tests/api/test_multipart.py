"""Multipart forms, as httpx writes them and Starlette reads them, in one piece and in many; and broken ones."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers as StarletteHeaders
from starlette.formparsers import MultiPartParser

from lambent.api.exceptions import HTTPException
from lambent.api.forms import Form, Limits
from lambent.api.headers import media_type
from lambent.api.multipart import PIECE, Parts, read_multipart
from lambent.api.uploads import SPOOLED, UploadFile
from lambent.errors import ConfigurationError

LIMITS = Limits(1000, 100, 1024 * 1024)
BOUNDARY = {"boundary": "b"}

names = st.text(st.characters(min_codepoint=32, exclude_categories=["Cs", "Cc"], exclude_characters='"\\/'), min_size=1)
contents = st.binary(max_size=300) | st.lists(st.sampled_from([b"\r\n", b"--", b"b", b"\r\n--b", b"\r\n--b-"])).map(
    b"".join
)


async def pieces(body: bytes, sizes: Iterable[int] = ()) -> AsyncIterator[bytes]:
    for size in sizes:
        yield body[:size]
        body = body[size:]
    yield body


def part(name: str, content: bytes, filename: str | None = None, content_type: str = "") -> bytes:
    file = "" if filename is None else f'; filename="{filename}"'
    kind = f"\r\nContent-Type: {content_type}" if content_type else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}{kind}\r\n\r\n'.encode() + content + b"\r\n"


def whole(*parts: bytes) -> bytes:
    return b"".join([*parts, b"--b--\r\n"])


def read(body: bytes, sizes: Iterable[int] = (), limits: Limits = LIMITS, **parameters: str) -> Form:
    return asyncio.run(read_multipart(pieces(body, sizes), parameters or BOUNDARY, limits))


def files(form: Form) -> list[UploadFile]:
    return [value for _, value in form.multi_items() if isinstance(value, UploadFile)]


def shown(items: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Names and contents, files with what is said of them; files are closed."""
    found: list[tuple[str, Any]] = []
    for name, value in items:
        if not isinstance(value, str):
            found.append((name, (value.filename, value.size, value.content_type, value.file.read())))
            value.file.close()
        else:
            found.append((name, value))
    return sorted(found, key=lambda each: each[0])


def test_texts_and_files() -> None:
    form = read(
        whole(part("a", b"1"), part("b", b"\xc3\xa9"), part("a", b"2"), part("f", b"\0\1", "x.bin", "image/png"))
    )
    assert form.getlist("a") == ["1", "2"]
    assert form["b"] == "é"
    file = form["f"]
    assert isinstance(file, UploadFile)
    assert (file.filename, file.content_type, file.size) == ("x.bin", "image/png", 2)
    assert file.headers["content-disposition"] == 'form-data; name="f"; filename="x.bin"'
    assert file.file.read() == b"\0\1"
    form.close_files()


@given(
    texts=st.dictionaries(names, st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    uploads=st.lists(st.tuples(names, names, contents), max_size=3),
    sizes=st.lists(st.integers(1, 120)),
)
def test_what_httpx_writes_is_read_as_starlette_reads_it(
    texts: dict[str, str], uploads: list[tuple[str, str, bytes]], sizes: list[int]
) -> None:
    """Whatever the pieces are in which it comes."""
    uploads = [(name, filename.strip(), content) for name, filename, content in uploads if filename.strip().strip(".")]
    if not uploads:
        return
    request = httpx.Request(
        "POST",
        "http://a",
        data=texts,
        files=[(name, (filename, content, "a/b")) for name, filename, content in uploads],
    )
    body, content_type = request.read(), request.headers["content-type"]

    async def theirs() -> list[tuple[str, Any]]:
        parser = MultiPartParser(StarletteHeaders({"content-type": content_type}), pieces_generator(body, sizes))
        return shown((await parser.parse()).multi_items())

    async def ours() -> list[tuple[str, Any]]:
        return shown((await read_multipart(pieces(body, sizes), media_type(content_type)[1], LIMITS)).multi_items())

    expected = asyncio.run(theirs())
    assert asyncio.run(ours()) == expected
    assert [value for _, value in expected if isinstance(value, str)] == [texts[name] for name in sorted(texts)]


async def pieces_generator(body: bytes, sizes: Iterable[int]) -> Any:
    async for each in pieces(body, sizes):
        yield each


def test_differences_to_starlette() -> None:
    """Paths are cut off; what was not chosen is not there; an end that is missing is an error; 415 for charsets."""
    body = whole(part("a", b"x", "../a.txt"), part("b", b"", ""), part("c", b"x", ""), part("d", b"", "d"))

    async def theirs() -> list[tuple[str, Any]]:
        headers = StarletteHeaders({"content-type": "multipart/form-data; boundary=b"})
        return shown((await MultiPartParser(headers, pieces_generator(body, ())).parse()).multi_items())

    assert [(name, value[0]) for name, value in asyncio.run(theirs())] == [
        ("a", "../a.txt"),
        ("b", ""),
        ("c", ""),
        ("d", "d"),
    ]
    assert [(name, value[0]) for name, value in shown(read(body).multi_items())] == [
        ("a", "a.txt"),
        ("c", ""),
        ("d", "d"),
    ]


def test_an_empty_form() -> None:
    assert read(b"--b--\r\n") == {}


def test_a_preamble_and_an_epilogue_say_nothing() -> None:
    assert read(b"\r\n" + whole(part("a", b"1")) + b"whatever") == {"a": "1"}


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert read(whole(part("a", b"\xff"))) == {"a": "\ufffd"}


def test_names_of_old_browsers() -> None:
    body = b'--b\r\ncontent-disposition: form-data; name="\xe9"; filename="C:\\dir\\a\\"b.txt"\r\n\r\n\r\n--b--'
    [(name, value)] = shown(read(body).multi_items())
    assert name == "é"
    assert value[0] == 'a"b.txt'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--b",
        b"--b\r\n",
        part("a", b"1"),
        whole(part("a", b"1"))[:-4],
        part("a", b"1", "x"),
        b"\r\n",
        b"--c\r\n",
        b"--b\r\nno colon\r\n\r\n",
        b"--b\r\n: a\r\n\r\n",
        b"--b\r\nContent-Disposition: form-data; name=a\nb\r\n\r\n",
        b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--c--\r\n',
        whole(b'--b\r\nContent-Disposition: form-data; filename="a"\r\n\r\n1\r\n'),
        whole(b"--b\r\nContent-Type: text/plain\r\n\r\n1\r\n"),
        whole(b"--b\r\n\r\n1\r\n"),
        whole(b"--b\r\n" + b"a: b\r\n" * 100 + b"\r\n1\r\n"),
        whole(b"--b\r\nContent-Disposition: form-data; name=" + b"x" * 10_000 + b"\r\n\r\n1\r\n"),
        whole(b"--b\r\nContent-Disposition: form-data; name=a\r\n" + b"b: " + b"x" * 4000 + b"\r\nc: " + b"x" * 4200),
        whole(b'--b\r\nContent-Disposition: form-data; name="a"' + (b"\r\na: " + b"x" * 2000) * 6 + b"\r\n\r\n1\r\n"),
        b'{"a": 1}',
    ],
)
def test_a_form_that_is_broken_or_ends_early(body: bytes) -> None:
    with pytest.raises(HTTPException, match=r"Expected (a multipart form|each part)") as raised:
        read(body)
    assert raised.value.status_code == 400


@pytest.mark.parametrize("boundary", ["", "é", "x" * 71, "a\r\nb", None])
def test_a_boundary_that_is_none(boundary: str | None) -> None:
    with pytest.raises(HTTPException, match="a boundary of 1 to 70") as raised:
        asyncio.run(read_multipart(pieces(b""), {} if boundary is None else {"boundary": boundary}, LIMITS))
    assert raised.value.status_code == 400


def test_so_many_fields_and_files_and_no_more() -> None:
    limits = Limits(2, 1, 10)
    assert len(read(whole(part("a", b""), part("b", b"")), limits=limits)) == 2
    with pytest.raises(HTTPException, match="at most 2 form fields"):
        read(whole(part("a", b""), part("b", b""), part("a", b"")), limits=limits)
    with pytest.raises(HTTPException, match="at most 1 files"):
        read(whole(part("a", b"", ""), part("b", b"", "")), limits=limits)


def test_a_text_may_be_so_long_and_a_file_longer() -> None:
    limits = Limits(2, 1, 10)
    form = read(whole(part("a", b"x" * 10), part("b", b"x" * 11, "b")), [5] * 20, limits)
    assert form["a"] == "x" * 10
    form.close_files()
    with pytest.raises(HTTPException, match="at most 10 bytes in a field") as raised:
        read(whole(part("a", b"x" * 11)), [5] * 20, limits)
    assert raised.value.status_code == 413


def test_a_large_file_is_not_held_in_memory_and_others_have_their_turn() -> None:
    content = b"0123456789" * (SPOOLED // 5)
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async def main() -> Form:
        counting = asyncio.create_task(count())
        form = await read_multipart(pieces(whole(part("a", content, "a"))), BOUNDARY, LIMITS)
        counting.cancel()
        return form

    form = asyncio.run(main())
    file = files(form)[0]
    assert turns >= len(content) // PIECE - 1
    assert getattr(file.file, "_rolled", None) is True
    assert file.size == len(content)
    assert file.file.read() == content
    form.close_files()


class Opened(list[Any]):
    """Temporary files that have been made."""

    def __init__(self, make: Any) -> None:
        self.make = make

    def __call__(self, *args: Any, **options: Any) -> Any:
        self.append(self.make(*args, **options))
        return self[-1]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> Opened:
    opened = Opened(tempfile.SpooledTemporaryFile)
    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", opened)
    return opened


@pytest.mark.parametrize(
    "rest",
    [b"", b"--b\r\n!", b"--b\r\n\r\n", part("t", b"x" * 200), part("c", b"", "c"), part("c", b"", "c") + b"--b--"],
)
def test_no_file_is_left_open_by_a_broken_form(opened: Opened, rest: bytes) -> None:
    with pytest.raises(HTTPException):
        read(part("a", b"1", "a") + part("b", b"2", "b") + rest, limits=Limits(5, 2, 100))
    assert len(opened) == 2
    assert all(each.closed for each in opened)


def test_no_file_is_left_open_by_a_client_that_goes_away(opened: Opened) -> None:
    async def leaving() -> AsyncIterator[bytes]:
        yield part("a", b"1", "a") + part("b", b"2", "b")[:-2]
        raise OSError

    with pytest.raises(OSError):
        asyncio.run(read_multipart(leaving(), BOUNDARY, LIMITS))
    assert [each.closed for each in opened] == [True, True]


def test_a_file_that_was_not_chosen_is_closed(opened: Opened) -> None:
    assert read(whole(part("a", b"", ""))) == {}
    assert [each.closed for each in opened] == [True]


def test_without_python_multipart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "python_multipart", None)
    with pytest.raises(ConfigurationError, match=r'pip install "lambent\[forms\]"'):
        read(whole(part("a", b"1")))


@given(st.binary(max_size=200), st.lists(st.integers(1, 20)))
def test_any_bytes_are_a_form_or_refused(body: bytes, sizes: list[int]) -> None:
    refused = []
    for each in (body, part("a", b"1", "a") + body, part("a", body) + b"--b--"):
        try:
            read(each, sizes).close_files()
        except HTTPException as error:
            refused.append(error.status_code)
    assert set(refused) <= {400}


def test_parts_begin_empty() -> None:
    parts = Parts(LIMITS)
    parts.close()
    assert parts.values == {}
    assert not parts.ended
