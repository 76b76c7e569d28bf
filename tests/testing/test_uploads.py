"""Forms with files, as a test writes them and an application reads them."""

from __future__ import annotations

from typing import Annotated, Any

import httpx
import pytest

from lambent.api import AccessLog, Api, Form, UploadFile
from lambent.errors import ConfigurationError
from lambent.testing import Client
from lambent.testing.uploads import multipart


def application() -> Api:
    api = Api(log=AccessLog(enabled=False))

    @api.post("/")
    async def read(files: list[UploadFile], tag: Annotated[list[str] | None, Form()] = None) -> dict[str, object]:
        return {"tags": tag, "files": [[each.filename, each.content_type, list(await each.read())] for each in files]}

    return api


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        (("a.png", b"\x89\xff", "image/x"), ["a.png", "image/x", [0x89, 0xFF]]),
        (("a.csv", "é"), ["a.csv", "text/csv", list("é".encode())]),
        (("ä b.", b""), ["ä b.", "application/octet-stream", []]),
        (("a.txt", bytearray(b"a"), None), ["a.txt", "text/plain", [97]]),
        (memoryview(b"a"), ["upload", "application/octet-stream", [97]]),
        (b"--\r\n", ["upload", "application/octet-stream", list(b"--\r\n")]),
    ],
)
def test_a_file_arrives_as_it_was_given(file: Any, expected: list[object]) -> None:
    with Client(application()) as client:
        found = client.post("/", files={"files": file}).json()
        assert found == {"tags": None, "files": [expected]}
        found = client.post("/", files=[("files", file), ("files", b"")], data={"tag": ["a", 7]}).json()
        assert (found["tags"], [each[0] for each in found["files"]]) == (["a", "7"], [expected[0], "upload"])


@pytest.mark.parametrize("filename", ["a.txt", 'a".txt', "é b.txt"])
def test_it_is_what_httpx_sends(filename: str) -> None:
    fields, files = {"a": "b", "c": ["d", "e"]}, {"f": (filename, b"\x00\r\n--", "text/plain")}
    body, kind = multipart(fields, files)
    theirs = httpx.Request("POST", "http://x", data=fields, files=files, headers={"content-type": kind}).read()
    for name in (b"Content-Disposition", b"Content-Type"):
        theirs = theirs.replace(name, name.lower())
    assert body == theirs


@pytest.mark.parametrize("file", [(None, b"a"), (None, "a", "text/plain"), ("a.txt", b"a", None)])
def test_what_may_be_left_out_is_as_httpx_has_it(file: Any) -> None:
    body, kind = multipart((), {"f": file})
    theirs = httpx.Request("POST", "http://x", files={"f": file}, headers={"content-type": kind}).read()
    assert body.lower() == theirs.lower()


@pytest.mark.parametrize("file", [7, None, ("a",), ("a", 7), {"a": b""}])
def test_what_is_no_file_is_refused(file: Any) -> None:
    with pytest.raises(ConfigurationError, match=r"files: expected bytes or text, .* as 'a'"):
        multipart((), {"a": file})
