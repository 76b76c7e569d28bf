"""What processes print: whole lines, in order, all of it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.output import CAPACITY, LONGEST, Pipe, Tail

LIMIT = 60


def play(scene: Callable[[], Awaitable[None]]) -> None:
    async def staged() -> None:
        async with asyncio.timeout(LIMIT):
            await scene()

    asyncio.run(staged())


def printed(*pieces: bytes) -> list[str]:
    """What becomes of pieces that a process writes, and then ends."""
    lines: list[str] = []

    async def scene() -> None:
        pipe = Pipe(lines.append)
        for piece in pieces:
            os.write(pipe.entrance, piece)
            pipe._read()
        pipe.close()

    play(scene)
    return lines


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_lines_are_whole_whatever_the_pieces(pieces: list[bytes]) -> None:
    whole = b"".join(pieces).split(b"\n")
    expected = [line.removesuffix(b"\r") for line in whole[:-1]] + [whole[-1]] * bool(whole[-1])
    assert printed(*filter(None, pieces)) == [line.decode("utf-8", "replace") for line in expected]


def test_a_letter_in_two_pieces_is_one_letter() -> None:
    snowman = "\N{SNOWMAN}".encode()
    assert printed(snowman[:1], snowman[1:] + b"\n") == ["\N{SNOWMAN}"]


def test_what_never_ends_is_broken() -> None:
    lines = printed(*[b"x" * 60_000] * 10)
    assert [len(line) for line in lines] == [LONGEST, LONGEST, 600_000 - 2 * LONGEST]


@pytest.mark.skipif(sys.platform == "win32", reason="there a thread takes it, sooner or later")
def test_drained_it_has_what_was_printed_up_to_now_an_unfinished_line_too() -> None:
    async def scene() -> None:
        lines: list[str] = []
        pipe = Pipe(lines.append)
        os.write(pipe.entrance, b"one\ntw")
        pipe.drain()
        assert lines == ["one", "tw"]
        os.write(pipe.entrance, b"o\n")
        pipe.drain()
        assert lines == ["one", "tw", "o"]
        pipe.drain()
        pipe.close()
        pipe.close()

    play(scene)


@pytest.mark.skipif(sys.platform == "win32", reason="there a thread takes it, sooner or later")
def test_draining_what_never_ends_ends() -> None:
    async def scene() -> None:
        taken = 0

        def take(line: str) -> None:
            nonlocal taken
            taken += len(line) + 1
            assert taken < 4 * CAPACITY, "it reads for as long as somebody writes"

        pipe = Pipe(take)
        endless = await asyncio.create_subprocess_exec("yes", stdout=pipe.entrance)
        pipe.shut()
        try:
            while not taken:
                pipe.drain()
            pipe.drain()
        finally:
            endless.kill()
            await endless.wait()
            pipe.close()

    play(scene)


def test_lines_come_by_themselves_until_the_process_ends() -> None:
    async def scene() -> None:
        lines: asyncio.Queue[str] = asyncio.Queue()
        pipe = Pipe(lines.put_nowait)
        script = "print('one', flush=True); input(); print('two')"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", script, stdin=subprocess.PIPE, stdout=pipe.entrance
        )
        pipe.shut()
        assert await lines.get() == "one"
        await process.communicate(b"\n")
        assert await lines.get() == "two"
        pipe.close()

    play(scene)


def test_closed_it_does_not_wait_for_who_still_has_it() -> None:
    """A process that got away may hold its output for as long as it likes."""

    async def scene() -> None:
        lines: list[str] = []
        pipe = Pipe(lines.append)
        kept = os.dup(pipe.entrance)
        os.write(kept, b"last")
        pipe.close()
        assert lines == ["last"]
        if sys.platform != "win32":
            with pytest.raises(BrokenPipeError):
                os.write(kept, b"more")
        os.close(kept)

    play(scene)


# The end of a log


@given(st.lists(st.text(max_size=900), max_size=12))
def test_a_tail_is_the_end_of_all_that_was_said(lines: list[str]) -> None:
    tail = Tail()
    for line in lines:
        tail.add(line)
    assert bytes(tail) == "".join(f"{line}\n" for line in lines).encode()[-Tail.LIMIT :]


def test_a_tail_takes_what_has_no_bytes() -> None:
    tail = Tail()
    tail.add("\ud800 lone")
    assert bytes(tail) == b"? lone\n"
    tail.clear()
    assert bytes(tail) == b""


def test_a_tail_does_not_grow() -> None:
    tail = Tail()
    for _ in range(10_000):
        tail.add("x" * 99)
    assert tail._size <= 17 * Tail.LIMIT
