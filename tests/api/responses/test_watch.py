import asyncio

import anyio
import pytest

from lambent.api.responses.watch import Watch


async def at_once() -> None:
    pass


async def never() -> None:
    await asyncio.Event().wait()


async def fails() -> None:
    raise KeyError("beside")


def test_without_coroutines_a_block_runs_through() -> None:
    async def run() -> bool:
        async with Watch([]) as watch:
            await asyncio.sleep(0)
        return watch.ended is None

    assert asyncio.run(run())


def test_a_block_ends_with_the_first_of_them() -> None:
    async def run() -> None:
        async with Watch([never(), at_once()]) as watch:
            await never()
            raise AssertionError
        assert watch.ended is not None
        await asyncio.sleep(0)
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        assert asyncio.all_tasks() == {task}

    asyncio.run(run())


def test_what_one_raises_is_raised() -> None:
    async def run() -> None:
        with pytest.raises(KeyError, match="beside"):
            async with Watch([fails(), never()]):
                await never()

    asyncio.run(run())


async def failing_when_it_ends() -> None:
    async with Watch([at_once()]):
        try:
            await never()
        finally:
            raise ValueError("meanwhile")


def test_what_the_block_raises_is_raised() -> None:
    async def run() -> None:
        with pytest.raises(ValueError, match="within"):
            async with Watch([never()]):
                raise ValueError("within")
        with pytest.raises(ValueError, match="meanwhile"):
            await failing_when_it_ends()

    asyncio.run(run())


def test_a_task_that_is_cancelled_from_elsewhere_too_is_cancelled() -> None:
    async def watched() -> None:
        async with Watch([at_once()]):
            try:
                await never()
            finally:
                cancelling.set()
                await asyncio.sleep(0)

    async def run() -> None:
        task = asyncio.create_task(watched())
        await cancelling.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    cancelling = asyncio.Event()
    asyncio.run(run())


def test_a_scope_of_anyio_knows_its_own_cancellation() -> None:
    """Which comes when the client goes: a second one, of ours, would hide it."""

    async def run() -> None:
        gone = asyncio.Event()

        async def disconnected() -> None:
            await gone.wait()

        with anyio.CancelScope() as scope:
            async with Watch([disconnected()]):
                await asyncio.sleep(0)
                gone.set()
                scope.cancel()
                await never()
        assert scope.cancelled_caught

    asyncio.run(run())
