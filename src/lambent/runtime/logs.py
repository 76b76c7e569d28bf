r"""Where records of `logging` go on Lambda: to the log descriptor, in frames, or else to standard output.

    logging.getLogger().setLevel(logging.INFO)
    logging.info("hello")  # [INFO]\t2026-01-01T00:00:00.000Z\t8476a536-e9f4-11e8-9739-2dfe598c3fcd\thello

One handler of the root logger, as AWS's own client has it: whoever replaces it, or adds another, may.
"""

from __future__ import annotations

import io
import logging
import os
import sys
import time

from lambent.errors import ConfigurationError
from lambent.invocation import CURRENT
from lambent.runtime import records

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping
    from typing import Protocol

    from lambent.invocation import Handled

    class Sink(Protocol):
        """What takes the text of records."""

        def log(self, text: str) -> None:
            """Take text as it is."""

        def take(self, text: str, kind: int) -> None:
            """Take the text of one record, whose `kind` is the first word of its frame."""

    class Link(Protocol):
        """What handles one invocation at a time."""

        @property
        def invocation(self) -> Handled | None: ...


_DESCRIPTOR = "_LAMBDA_TELEMETRY_LOG_FD"


def install(environ: MutableMapping[str, str]) -> None:
    """Give the root logger its handler and level, and have what is printed leave line by line.

    - `AWS_LAMBDA_LOG_FORMAT`: `JSON`, or else text
    - `AWS_LAMBDA_LOG_LEVEL`: the root logger's level; if not set, that is Python's WARNING
    - `_LAMBDA_TELEMETRY_LOG_FD`: the log descriptor, which is taken out: it is nobody else's

    Raises ConfigurationError.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(line_buffering=True, write_through=False)
    is_json = environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
    level = environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    root = logging.getLogger()
    root.addHandler(Handler(_sink(environ), has_level=is_json or bool(level), is_json=is_json))
    if level == "TRACE":
        level = "DEBUG"
    if level in logging.getLevelNamesMapping():
        root.setLevel(level)


def follow(link: Link | None) -> None:
    """Have records of threads without a context go with the one invocation that `link` handles; None to end that."""
    for handler in logging.getLogger().handlers:
        if isinstance(handler, Handler):
            handler.origin.link = link


def _sink(environ: MutableMapping[str, str]) -> Sink:
    descriptor = environ.pop(_DESCRIPTOR, "")
    if not descriptor:
        return StandardOutput()
    if not descriptor.isdecimal():
        raise ConfigurationError(f"Expected {_DESCRIPTOR} to be the number of a descriptor, but got {descriptor!r}.")
    return LogDescriptor(int(descriptor))


class Handler(logging.Handler):
    """Gives records to `log_sink`, which has the name that AWS's own handler gives it."""

    def __init__(self, log_sink: Sink, *, has_level: bool, is_json: bool) -> None:
        """`has_level`: whether each frame tells the level of its record."""
        super().__init__()
        self.log_sink = log_sink
        self.origin = Origin()
        self._has_level = has_level
        self.setFormatter(JsonFormatter() if is_json else TextFormatter())
        self.addFilter(self.origin)

    def emit(self, record: logging.LogRecord) -> None:
        """Write a record. One that cannot be written goes to the standard error, as with any handler of Python's."""
        try:
            kind = records.JSON_FRAME if isinstance(self.formatter, JsonFormatter) else records.TEXT_FRAME
            level = records.severity(record.levelno) if self._has_level or record.name == records.OWN else 0
            self.log_sink.take(self.format(record), records.frame_type(kind, level))
        except RecursionError:
            raise
        except Exception:
            self.handleError(record)


class Origin(logging.Filter):
    """Tells each record of the invocation that it belongs to: `aws_request_id`, empty for none, and `tenant_id`."""

    def __init__(self) -> None:
        super().__init__()
        self.link: Link | None = None

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attributes. Everything passes."""
        invocation = CURRENT.get(None)
        if invocation is None and self.link is not None:
            invocation = self.link.invocation
        if invocation is not None:
            record.aws_request_id = invocation.request_id
        elif not hasattr(record, "aws_request_id"):
            record.aws_request_id = ""
        record.tenant_id = invocation.tenant_id if invocation is not None else None
        return True


class TextFormatter(logging.Formatter):
    """Lambda's line of text, in UTC."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(records.TEXT, records.TEXT_TIME, defaults={"aws_request_id": ""})


class JsonFormatter(logging.Formatter):
    """Lambda's line of JSON, in UTC."""

    converter = staticmethod(time.gmtime)

    def format(self, record: logging.LogRecord) -> str:
        """Write the line, with its end."""
        return records.json_line(record, self.formatTime(record, records.JSON_TIME))


class StandardOutput:
    """The process's, whatever it is by then. A record is a line, or several, of its own."""

    def log(self, text: str) -> None:
        """Write text as it is; what the encoding does not know, as an escape."""
        stream = sys.stdout
        try:
            stream.write(text)
        except UnicodeEncodeError as error:
            stream.write(text.encode(error.encoding, "backslashreplace").decode(error.encoding))
        stream.flush()

    def take(self, text: str, kind: int) -> None:  # noqa: ARG002 - lines have no kind
        """Write a record."""
        self.log(text if text.endswith("\n") else f"{text}\n")


class LogDescriptor:
    """Takes frames, so that a record of many lines stays one."""

    def __init__(self, number: int) -> None:
        self._number = number

    def log(self, text: str) -> None:
        """Write text as it is."""
        self.take(text, records.TEXT_FRAME)

    def take(self, text: str, kind: int) -> None:
        """Write a record: at once, unless the pipe takes a part only."""
        left = records.frame(kind, text, time.time_ns() // 1000)
        while (written := os.write(self._number, left)) < len(left):
            left = left[written:]
