"""One line for each record, or batch of records, with its outcome: JSON as a text, and an object where the log is JSON.

    {"source": "sqs", "name": "orders", "id": "059f36b4-…", "duration_ms": 12.5, "outcome": "done"}

What was done is information, what has failed an error, with the traceback of the function; logger `lambent.events`.
"""

from __future__ import annotations

import logging
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from lambent.events.model import Record

logger = logging.getLogger("lambent.events")


class Line(dict[str, object]):
    """The message."""

    def __str__(self) -> str:
        from json import dumps

        return dumps(self, default=str, ensure_ascii=False)


def is_on() -> bool:
    """Whether what was done is told."""
    return logger.isEnabledFor(logging.INFO)


def done(records: Sequence[Record], began: float, failures: int = 0) -> None:
    """`began` is a time of `time.perf_counter`; `failures` how many a function of batches has returned as failed."""
    if failures:
        line = _line(records, "failed", began)
        line["failed"] = failures
        logger.error(line)
    else:
        logger.info(_line(records, "done", began))


def failed(records: Sequence[Record], error: BaseException, began: float | None = None) -> None:
    """Without `began`, nothing was done about it, or nobody knows how long."""
    line = _line(records, "failed", began)
    line["error"] = f"{type(error).__name__}: {_words(error)}"
    place, cause = _of_user(error.__traceback__), error.__cause__
    if cause is not None:
        cause.__traceback__ = _of_user(cause.__traceback__) or cause.__traceback__
    told = place is not None or cause is not None
    logger.error(line, exc_info=(type(error), error, place) if told else None)


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return "its __str__ failed"


def _of_user(traceback: TracebackType | None) -> TracebackType | None:
    """From the first frame on that is not Lambent's; None if there is no other."""
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__", "").startswith("lambent."):
        traceback = traceback.tb_next
    return traceback


def _line(records: Sequence[Record], outcome: str, began: float | None) -> Line:
    record = records[0]
    line = Line(source=record.source, name=_property(record, "name"), id=_property(record, "id"))
    if len(records) > 1:
        line["records"] = len(records)
    if began is not None:
        line["duration_ms"] = round((time.perf_counter() - began) * 1000, 3)
    line["outcome"] = outcome
    return line


def _property(record: Record, name: str) -> object:
    """None where the record is malformed there: that is for who handles it to find."""
    try:
        return getattr(record, name)
    except Exception:
        return None
