"""A batch of SQS in handler mode, beside aws-lambda-powertools: what a record costs, and what 10 000 of them hold.

Each peer is called as its documentation calls it, with an async function for a record; powertools' sync processor
stands beside it. Before anything is timed, a batch of which one record fails must have a reply that names it. Memory is
by how much the resident memory of a process, one for each figure, is higher at most than before the batch.
"""

import asyncio
import gc
import logging
import os
import resource
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench.events import batch
from bench.measure import ROOT, Effort, clean_environ, ratio, take_turns
from bench.table import Table, named

AIM = 1 / 3
LENGTHS = (10, 10_000)
PEERS = ("Lambent", "AsyncBatchProcessor", "BatchProcessor")
FEW = 7
"""Rounds of what takes long."""

Handler = Callable[[Any, Any], Any]


class Context:
    """Of an invocation that has time."""

    aws_request_id = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 60_000


def lambent(*, parsed: bool) -> Handler:
    from lambent import Events
    from lambent.events import SqsRecord

    events = Events()
    if parsed:

        @events.sqs("orders")
        async def order(order: dict[str, Any]) -> None:
            if order["note"] == "fail":
                raise ValueError

    else:

        @events.sqs("orders")
        async def message(record: SqsRecord) -> None:
            if record.body.endswith('"fail"}'):
                raise ValueError

    return events


def powertools_async(*, parsed: bool) -> Handler:
    from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor, EventType, async_process_partial_response
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    processor = AsyncBatchProcessor(event_type=EventType.SQS)

    async def order(record: SQSRecord) -> None:
        if record.json_body["note"] == "fail":
            raise ValueError

    async def message(record: SQSRecord) -> None:
        if record.body.endswith('"fail"}'):
            raise ValueError

    function = order if parsed else message
    return lambda event, context: async_process_partial_response(event, function, processor, context)


def powertools_sync(*, parsed: bool) -> Handler:
    from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
    from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

    processor = BatchProcessor(event_type=EventType.SQS)

    def order(record: SQSRecord) -> None:
        if record.json_body["note"] == "fail":
            raise ValueError

    def message(record: SQSRecord) -> None:
        if record.body.endswith('"fail"}'):
            raise ValueError

    function = order if parsed else message
    return lambda event, context: process_partial_response(event, function, processor, context)


MAKERS: dict[str, Callable[..., Handler]] = dict(zip(PEERS, (lambent, powertools_async, powertools_sync), strict=True))


def measure(effort: Effort) -> Table:
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"  # where it is not set, they make a new event loop for each batch
    logging.getLogger("lambent.events").setLevel(logging.CRITICAL)  # of the failure, with its traceback; they log none
    rows = []
    for parsed in (False, True):
        kind = "parsed JSON" if parsed else "the record itself"
        rows += [[f"{length} records, {kind}: µs each", *_figures(length, effort, parsed=parsed)] for length in LENGTHS]
    rows.append([f"{LENGTHS[-1]} records: MB", *_memory(min(effort.rounds, FEW))])
    return Table(
        f"batches: µs of processor time for each record, MB, and x AsyncBatchProcessor (aim: Lambent <= {AIM:.2f})",
        ("", *PEERS),
        rows,
        (f"{named('aws-lambda-powertools')}; all records succeed.",),
    )


def _figures(length: int, effort: Effort, *, parsed: bool) -> list[str]:
    event, failing = batch(length), batch(length, failing=True)
    peers = [maker(parsed=parsed) for maker in MAKERS.values()]
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        for peer in peers:
            check(peer, failing)
            check(peer, event)
        gc.collect()
        gc.freeze()
        rounds = effort.rounds if length < 100 else min(effort.rounds, FEW)
        figures = take_turns([partial(_turn, peer, event, effort.batch_seconds) for peer in peers], rounds)
    finally:
        gc.unfreeze()
        asyncio.set_event_loop(None)
        loop.close()
        peers[0].close()  # type: ignore[attr-defined]  # Events has it
    return _compared(figures, "{:.1f}")


def check(peer: Handler, event: Any) -> None:
    """RuntimeError if it does not tell which record has failed."""
    failed = [each["messageId"] for each in event["Records"] if each["body"].endswith('"fail"}')]
    reply = peer(event, Context())
    if reply != {"batchItemFailures": [{"itemIdentifier": each} for each in failed]}:
        raise RuntimeError(f"Expected {failed} to have failed, but got {reply!r:.500}.")


def _turn(peer: Handler, event: Any, seconds: float) -> float:
    """µs of one record."""
    calls = 0
    context = Context()
    begin = time.process_time()
    while True:
        peer(event, context)
        calls += 1
        taken = time.process_time() - begin
        if taken >= seconds:
            return taken / calls / len(event["Records"]) * 1e6


def _memory(rounds: int) -> list[str]:
    return _compared(take_turns([partial(_held, name) for name in PEERS], rounds), "{:.1f}")


def _held(name: str) -> float:
    """What a process of its own holds more at most while it handles the batch, in MB."""
    command = [sys.executable, "-m", "bench.batches", name]
    ran = subprocess.run(command, capture_output=True, cwd=ROOT, env=clean_environ(), check=True)
    return float(ran.stdout)


def _compared(figures: list[list[float]], form: str) -> list[str]:
    base = figures[1]
    return [f"{form.format(median(each))}  {ratio(each, base)}" for each in figures]


def hold(name: str) -> None:
    """Handle a small batch in this process, and then a large one. Print what this has held more."""
    event = batch(LENGTHS[-1])
    os.environ["LAMBDA_TASK_ROOT"] = "/var/task"
    logging.disable()
    warnings.simplefilter("ignore")  # of their event loop
    peer = MAKERS[name](parsed=False)
    check(peer, batch(10))
    before = _resident("VmRSS")
    check(peer, event)
    print((_resident("VmHWM") - before) / 1e6)
    sys.stdout.flush()
    os._exit(0)


def _resident(kind: str) -> int:
    """Memory of this process, in bytes. Where there is no /proc it is the highest, now and then."""
    with suppress(OSError), Path("/proc/self/status").open(encoding="ascii") as lines:
        for line in lines:
            if line.startswith(f"{kind}:"):
                return int(line.split()[1]) * 1024
    highest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return highest if sys.platform == "darwin" else highest * 1024


if __name__ == "__main__":
    hold(sys.argv[1])
