"""Files of forms, in memory and in temporary files."""

from __future__ import annotations

import asyncio
from io import BytesIO
from tempfile import SpooledTemporaryFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.headers import Headers
from lambent.api.uploads import SPOOLED, UploadFile, base_name


@pytest.mark.parametrize("size", [0, 5, SPOOLED, SPOOLED + 1])
def test_a_file_is_read_and_written_wherever_it_is(size: int) -> None:
    content = b"x" * size

    async def used() -> None:
        with SpooledTemporaryFile(max_size=SPOOLED) as held:
            file = UploadFile(held, size=0)
            await file.write(content)
            assert file.size == size
            assert await file.read() == b""
            await file.seek(0)
            assert await file.read(3) == content[:3]
            assert await file.read() == content[3:]
            await file.write(b"more")
            assert file.size == size + 4
            await file.seek(size)
            assert await file.read() == b"more"
            await file.close()
            assert held.closed

    asyncio.run(used())


def test_a_file_of_one_s_own() -> None:
    """In tests of functions that take one."""
    file = UploadFile(BytesIO(b"abc"), filename="a.txt")
    assert asyncio.run(file.read()) == b"abc"
    assert file.size is None
    assert file.content_type is None


def test_what_the_client_says_of_it() -> None:
    file = UploadFile(BytesIO(), filename="secret", headers=Headers([(b"content-type", b"text/plain")]), size=3)
    assert file.content_type == "text/plain"
    assert repr(file) == "UploadFile(size=3, content_type='text/plain')"


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("a.txt", "a.txt"),
        ("", ""),
        ("../../etc/passwd", "passwd"),
        (r"C:\Users\me\a.txt", "a.txt"),
        (r"..\..\a/b\c", "c"),
        ("/", ""),
        ("..", ""),
        (".", ""),
        ("a/..", ""),
        (" .. ", ""),
        ("..\0", ""),
        ("a\0b\r\nc.txt", "abc.txt"),
        ("...", "..."),
        (".env", ".env"),
        ("naïve €.txt", "naïve €.txt"),
    ],
)
def test_names_without_paths(filename: str, expected: str) -> None:
    assert base_name(filename) == expected


@given(st.lists(st.sampled_from(["/", "\\", "..", ".", "\0", "\n", " ", "a"])).map("".join))
def test_no_name_leads_elsewhere(filename: str) -> None:
    name = base_name(filename)
    assert name not in {".", ".."}
    assert not any(each in name for each in "/\\\0\n")
    assert base_name(name) == name
