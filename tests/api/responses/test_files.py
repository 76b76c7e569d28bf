import asyncio
import email
import os
import threading
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from starlette.responses import FileResponse as StarlettesFileResponse

from lambent.api.responses.files import CHUNK, FileResponse, disposition, guessed, opened
from lambent.errors import IncompleteResponse, InvalidMessage

CONTENT = bytes(range(256)) * 1024
LIMIT = 60
"""Seconds after which a test that waits has failed."""


class Answer:
    def __init__(self, messages: list[Any]) -> None:
        start, *bodies = messages
        self.status = start["status"]
        self.fields = start["headers"]
        self.headers = {name.decode(): value.decode("latin-1") for name, value in start["headers"]}
        assert len(self.headers) == len(start["headers"])
        self.pieces = [each["body"] for each in bodies]
        self.body = b"".join(self.pieces)
        assert [each.get("more_body", False) for each in bodies] == [True] * (len(bodies) - 1) + [False]


async def receive() -> Any:
    await asyncio.Event().wait()


async def unsent(message: Any) -> None:
    raise AssertionError(message)


def get(response: Any, method: str = "GET", **headers: str) -> Answer:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)

    fields = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    scope = {"type": "http", "method": method, "headers": fields, "asgi": {"spec_version": "2.5"}}
    asyncio.run(response(scope, receive, send))
    return Answer(messages)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(CONTENT)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    path = tmp_path / "small.txt"
    path.write_bytes(b"0123456789")
    os.utime(path, (1_000_000_000, 1_000_000_000))
    return path


def test_a_small_file_is_one_message(small: Path) -> None:
    answer = get(FileResponse(small))
    assert (answer.status, answer.pieces) == (200, [b"0123456789"])
    assert answer.headers == {
        "etag": '"de0b6b3a7640000-a"',
        "last-modified": "Sun, 09 Sep 2001 01:46:40 GMT",
        "accept-ranges": "bytes",
        "content-length": "10",
        "content-type": "text/plain; charset=utf-8",
    }


def test_a_large_file_comes_in_chunks(large: Path) -> None:
    answer = get(FileResponse(large))
    assert answer.pieces == [CONTENT[place : place + CHUNK] for place in range(0, len(CONTENT), CHUNK)]
    assert answer.headers["content-length"] == str(len(CONTENT))


@pytest.mark.parametrize("size", [0, 1, CHUNK, CHUNK + 1])
def test_a_file_of_any_size(tmp_path: Path, size: int) -> None:
    path = tmp_path / "file"
    path.write_bytes(CONTENT[:size])
    answer = get(FileResponse(path))
    assert answer.body == CONTENT[:size]
    assert len(answer.pieces) == max(1, -(-size // CHUNK))
    assert answer.headers["content-length"] == str(size)


def test_head_gets_the_headers_of_get(large: Path) -> None:
    answer = get(FileResponse(large), "HEAD")
    assert answer.body == b""
    assert answer.fields == get(FileResponse(large)).fields
    assert get(FileResponse(large), "HEAD", range="bytes=0-1").status == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_none_match": '"de0b6b3a7640000-a"'}, 304),
        ({"if_none_match": '"x", W/"de0b6b3a7640000-a"'}, 304),
        ({"if_none_match": "*"}, 304),
        ({"if_none_match": '"x"'}, 200),
        ({"if_modified_since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 304),
        ({"if_modified_since": "Sun, 09 Sep 2001 01:46:39 GMT"}, 200),
        ({"if_modified_since": "Sun, 09 Sep 2001 01:46:40"}, 304),
        ({"if_modified_since": "yesterday"}, 200),
        ({"if_modified_since": "Sun, 99 Sep 99999 01:46:40 GMT"}, 200),
        ({"if_none_match": '"x"', "if_modified_since": "Sun, 09 Sep 2001 01:46:40 GMT"}, 200),
        ({"if_none_match": '"de0b6b3a7640000-a"', "range": "bytes=0-1"}, 304),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_condition_is_met(small: Path, headers: dict[str, str], status: int, method: str) -> None:
    answer = get(FileResponse(small), method, **headers)
    assert answer.status == status
    if status == 304:
        assert answer.body == b""
        assert set(answer.headers) == {"etag", "last-modified", "accept-ranges"}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"if_range": '"de0b6b3a7640000-a"'}, 206),
        ({"if_range": 'W/"de0b6b3a7640000-a"'}, 200),
        ({"if_range": '"x"'}, 200),
        ({"if_range": "Sun, 09 Sep 2001 01:46:40 GMT"}, 206),
        ({"if_range": "Sun, 09 Sep 2001 01:46:41 GMT"}, 200),
    ],
)
def test_a_part_of_another_version_is_not_sent(small: Path, headers: dict[str, str], status: int) -> None:
    answer = get(FileResponse(small), range="bytes=1-2", **headers)
    assert (answer.status, answer.body) == ((206, b"12") if status == 206 else (200, b"0123456789"))


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("0-9", 0, 10), ("100000-", 100_000, len(CONTENT)), ("-70000", len(CONTENT) - 70_000, len(CONTENT))],
)
def test_a_range(large: Path, asked: str, first: int, end: int) -> None:
    answer = get(FileResponse(large), range=f"bytes={asked}")
    assert (answer.status, answer.body) == (206, CONTENT[first:end])
    assert answer.headers["content-range"] == f"bytes {first}-{end - 1}/{len(CONTENT)}"
    assert answer.headers["content-length"] == str(end - first)
    assert answer.headers["content-type"] == "application/octet-stream"


def test_several_ranges_come_as_parts(large: Path) -> None:
    answer = get(FileResponse(large, media_type="text/plain"), range="bytes=0-9,100-70000,-5")
    assert answer.status == 206
    assert answer.headers["content-length"] == str(len(answer.body))
    message = email.message_from_bytes(
        b"content-type: " + answer.headers["content-type"].encode() + b"\n\n" + answer.body
    )
    parts = [each for each in message.walk() if not each.is_multipart()]
    size = len(CONTENT)
    assert [each["content-range"] for each in parts] == [
        f"bytes 0-9/{size}",
        f"bytes 100-70000/{size}",
        f"bytes {size - 5}-{size - 1}/{size}",
    ]
    assert {each["content-type"] for each in parts} == {"text/plain; charset=utf-8"}
    boundary = answer.headers["content-type"].partition("boundary=")[2].encode()
    bodies = [
        each.partition(b"\r\n\r\n")[2].removesuffix(b"\r\n") for each in answer.body.split(b"--" + boundary)[1:-1]
    ]
    assert bodies == [CONTENT[:10], CONTENT[100:70_001], CONTENT[-5:]]


def test_ranges_that_are_not_there(small: Path) -> None:
    answer = get(FileResponse(small), range="bytes=10-,20-30")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (416, b"", "0")
    assert answer.headers["content-range"] == "bytes */10"


@pytest.mark.parametrize("asked", ["bytes=a", "lines=0-1", "bytes=" + "0-0," * 40])
def test_ranges_that_are_ignored(small: Path, asked: str) -> None:
    assert get(FileResponse(small), range=asked).status == 200


def test_another_status_has_no_conditions(small: Path) -> None:
    answer = get(FileResponse(small, status_code=404), if_none_match="*", range="bytes=0-1")
    assert (answer.status, answer.body) == (404, b"0123456789")


@pytest.mark.parametrize("asked", ["bytes=2-5", "bytes=-3", "bytes=7-100", "bytes=50-", "bytes=0-0"])
def test_one_range_is_what_starlette_sends(small: Path, asked: str) -> None:
    ours, theirs = (get(each, range=asked) for each in (FileResponse(small), StarlettesFileResponse(small)))
    assert (ours.status, ours.headers["content-range"]) == (theirs.status, theirs.headers["content-range"])
    if ours.status == 206:
        assert (ours.body, ours.headers["content-length"]) == (theirs.body, theirs.headers["content-length"])


@pytest.mark.parametrize("cut", [0, 5, CHUNK + 1])
def test_a_file_that_becomes_shorter_does_not_end_early(large: Path, cut: int) -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)
        os.truncate(large, cut)

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.5"}}
    with pytest.raises(IncompleteResponse, match="now it has"):
        asyncio.run(FileResponse(large)(scope, receive, send))
    assert messages[-1]["more_body"] is True


def test_a_file_that_becomes_longer_is_sent_as_it_was(large: Path) -> None:
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)
        with large.open("ab") as file:
            file.write(b"more")

    scope = {"type": "http", "method": "GET", "headers": [], "asgi": {"spec_version": "2.5"}}
    asyncio.run(FileResponse(large)(scope, receive, send))
    assert Answer(messages).body == CONTENT


def test_nothing_stays_open(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []

    def kept(path: Any) -> Any:
        files.append(opened(path))
        return files[-1]

    monkeypatch.setattr("lambent.api.responses.files.opened", kept)
    get(FileResponse(large))
    get(FileResponse(large), "HEAD")
    get(FileResponse(large), if_none_match="*")
    get(FileResponse(large), range="bytes=0-1")

    async def send(message: Any) -> None:
        raise OSError("gone")

    asyncio.run(FileResponse(large)({"type": "http", "method": "GET", "headers": []}, receive, send))
    assert len(files) == 5
    assert all(each.file.closed for each in files)


def test_one_that_is_sent_again_answers_anew(large: Path) -> None:
    shared = FileResponse(large)
    first = get(shared)
    assert get(shared, if_none_match=first.headers["etag"]).status == 304
    assert get(shared, range="bytes=0-1").body == CONTENT[:2]
    assert get(shared, range="bytes=0-1,4-5").status == 206
    assert get(shared, range="bytes=99999999-").status == 416
    again = get(shared)
    assert (again.status, again.headers, again.body) == (200, first.headers, CONTENT)
    large.write_bytes(b"other")
    assert get(shared).headers["etag"] != first.headers["etag"]


def test_one_is_sent_to_several_at_a_time(large: Path) -> None:
    shared = FileResponse(large)
    answers: list[list[Any]] = [[], [], []]

    async def one(number: int, messages: list[Any]) -> None:
        async def send(message: Any) -> None:
            messages.append(message)
            await asyncio.sleep(0)

        fields = [(b"range", b"bytes=%d-" % number)] if number else []
        scope = {"type": "http", "method": "GET", "headers": fields, "asgi": {"spec_version": "2.5"}}
        await shared(scope, receive, send)

    async def run() -> None:
        await asyncio.gather(*(one(number, messages) for number, messages in enumerate(answers)))

    asyncio.run(run())
    assert [Answer(messages).status for messages in answers] == [200, 206, 206]
    assert [Answer(messages).body for messages in answers] == [CONTENT, CONTENT[1:], CONTENT[2:]]


def test_a_file_whose_opening_is_cancelled_is_closed(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []
    begun, goes_on = threading.Event(), threading.Event()

    def slow(path: Any) -> Any:
        files.append(opened(path))
        begun.set()
        assert goes_on.wait(LIMIT)
        return files[-1]

    async def run() -> None:
        task = asyncio.create_task(
            FileResponse(large)({"type": "http", "method": "GET", "headers": []}, receive, unsent)
        )
        assert await asyncio.to_thread(begun.wait, LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        goes_on.set()

    monkeypatch.setattr("lambent.api.responses.files.opened", slow)
    asyncio.run(run())  # waits for its threads
    assert [each.file.closed for each in files] == [True]


def test_a_file_that_is_not_there_when_its_opening_was_cancelled_is_told_to_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[Any] = []
    begun, goes_on = threading.Event(), threading.Event()

    def slow(path: Any) -> Any:
        begun.set()
        assert goes_on.wait(LIMIT)
        return opened(path)

    async def run() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        task = asyncio.create_task(FileResponse(tmp_path / "none")({"type": "http"}, receive, unsent))
        assert await asyncio.to_thread(begun.wait, LIMIT)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        goes_on.set()

    monkeypatch.setattr("lambent.api.responses.files.opened", slow)
    asyncio.run(run())
    assert told == []


def test_a_file_is_closed_where_nothing_is_sent_of_it(large: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = []

    def kept(path: Any) -> Any:
        files.append(opened(path))
        return files[-1]

    monkeypatch.setattr("lambent.api.responses.files.opened", kept)
    with pytest.raises(KeyError):
        asyncio.run(FileResponse(large)({"type": "websocket"}, receive, unsent))
    assert [each.file.closed for each in files] == [True]


def test_what_is_no_file_is_raised_before_the_start(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        get(FileResponse(tmp_path / "none"))
    with pytest.raises(IsADirectoryError):
        get(FileResponse(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match="Expected a file"):
        get(FileResponse(tmp_path / "pipe"))


def test_given_fields_hold(small: Path) -> None:
    headers = {"ETag": '"mine"', "Last-Modified": formatdate(0, usegmt=True), "cache-control": "no-cache"}
    answer = get(FileResponse(small, headers=headers))
    assert answer.headers["etag"] == '"mine"'
    assert answer.headers["last-modified"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert get(FileResponse(small, headers=headers), if_none_match='"mine"').headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.txt", 'attachment; filename="a.txt"'),
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("é.txt", "attachment; filename=\"_.txt\"; filename*=UTF-8''%C3%A9.txt"),
        ('a"b\\.txt', "attachment; filename=\"a_b_.txt\"; filename*=UTF-8''a%22b%5C.txt"),
        ("a\r\nb: c", "attachment; filename=\"a__b: c\"; filename*=UTF-8''a%0D%0Ab%3A%20c"),
        ("100%", "attachment; filename=\"100_\"; filename*=UTF-8''100%25"),
    ],
)
def test_a_name_is_sent(small: Path, name: str, expected: str) -> None:
    assert get(FileResponse(small, filename=name)).headers["content-disposition"] == expected


def test_a_disposition_is_a_token() -> None:
    assert disposition("inline", "a") == 'inline; filename="a"'
    with pytest.raises(InvalidMessage):
        disposition("inline; x", "a")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.html", "text/html"),
        ("a.tar.gz", "application/gzip"),
        ("a.svgz", "application/gzip"),
        ("a.txt.br", "application/octet-stream"),
        ("a", "application/octet-stream"),
        ("a?b.html", "text/html"),
    ],
)
def test_a_type_is_guessed(name: str, expected: str) -> None:
    assert guessed(name) == expected


def test_the_name_says_the_type_before_the_path(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(b"")
    assert get(FileResponse(tmp_path / "blob", filename="a.json")).headers["content-type"] == "application/json"
