"""One line of JSON for each request, for CloudWatch Logs Insights.

    {"type":"access","level":"info","date":"2026-01-01T00:00:00.123Z","server_id":"2026/01/01/[$LATEST]0123...",
     "id":"8476a536-e9f4-11e8-9739-2dfe598c3fcd","method":"GET","path":"/items/7","route":"/items/{item_id}",
     "status_code":200,"execution_time":1.234,"user_agent":"curl/8.5.0","cold_start":false,"remaining_time":2984}

Times are in milliseconds. The line goes to the standard output, which Lambda passes on as it is. Where Lambda's log
format is JSON, it has the date as `timestamp` too, and its level in Lambda's words (INFO, WARN, ERROR, FATAL): without
that, Lambda's filter of log levels takes it for INFO (docs.aws.amazon.com/lambda, "Log-level filtering").
"""

from __future__ import annotations

import logging
import os
import sys
from contextvars import ContextVar
from time import gmtime, perf_counter, strftime, time

from lambent.api.log_line import encoder, escaped, plain, redacted, text_of
from lambent.errors import ConfigurationError, NoInvocation

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    from lambent.api.headers import Headers
    from lambent.api.log_line import Encode
    from lambent.types import Context

logger = logging.getLogger("lambent")

RESERVED = frozenset(
    "type level date timestamp server_id id method path route status_code execution_time user_agent cold_start "
    "remaining_time client_ip error_detail exception traceback".split()
)
"""Names of fields that the log writes itself."""

_PATH, _USER_AGENT, _METHOD, _DETAIL, _TRACEBACK = 2000, 500, 50, 4000, 20_000
"""Characters that are written at most. Of a traceback they are the last ones."""

LAMBDA_LEVELS = {"info": "INFO", "warning": "WARN", "error": "ERROR", "critical": "FATAL"}
"""What Lambda's filter does not know it takes for INFO."""

CURRENT: ContextVar[Entry | None] = ContextVar("lambent request", default=None)


def log() -> Entry:
    """Return the entry of the request that is being answered. Raises NoInvocation where there is none.

    log()["user"] = 7
    log().error_detail = "The stock is being counted."
    """
    entry = CURRENT.get()
    if entry is None:
        raise NoInvocation(
            "There is no request here. `log()` is for code that answers one, in its tasks and threads too, if these "
            "are started with its context (asyncio.to_thread does; a bare threading.Thread does not)."
        )
    return entry


class Entry:
    """What the log will tell of one request."""

    __slots__ = (
        "began",
        "begun",
        "client_ip",
        "cold_start",
        "context",
        "dropped",
        "error",
        "error_detail",
        "fields",
        "headers",
        "id",
        "level",
        "method",
        "outer",
        "path",
        "route",
        "status_code",
        "user_agent",
    )

    def __init__(
        self,
        method: str,
        path: str,
        id: str,  # noqa: A002 - the name of the field
        user_agent: str | None,
        client_ip: str | None,
        context: Context | None,
    ) -> None:
        self.began = perf_counter()
        self.outer: Entry | None = None
        """Of the request in which this one is answered: an Api may be part of another."""
        self.method = method
        self.path = path
        self.id = id
        self.user_agent = user_agent
        self.client_ip = client_ip
        self.context = context
        self.cold_start = False
        self.route: str | None = None
        """The path of the route, with its variables; None if there is no route."""
        self.status_code = 0
        """Of the response; 0 while there is none."""
        self.begun = False
        """Whether the response has begun, and that is the status which was sent."""
        self.level: str | None = None
        """None: what the status says."""
        self.error: Exception | None = None
        """What nothing has handled, and was answered with 500 all the same."""
        self.error_detail: str | None = None
        """For whoever reads the log, beside what the client was told."""
        self.fields: dict[str, Any] = {}
        """What is told beside that."""
        self.headers: Headers | None = None
        """Of the request, as it came."""
        self.dropped = False
        """Whether it is written only if the request fails: by an exception, or with 5xx."""

    def __setitem__(self, name: str, value: object) -> None:
        """Add a field. Raises ConfigurationError for a name that the log writes itself."""
        if name in RESERVED:
            raise ConfigurationError(f"The access log has a field {name!r} of its own: choose another name.")
        self.fields[name] = value


class AccessLog:
    """Writes the lines of one Api.

    - `client_ip`: whether lines have the client's address
    - `ignore`: paths that are not logged; `/static/*` is all that begin so. A request that fails is logged all the same
    - `redact`: names of fields whose values are masked, in any case, at any depth of added fields
    - `fields`: added to every line
    - `enabled`: False logs nothing
    - `write`: given each line, without its end; None: the standard output

    Values that JSON does not have are written as their `str`. Raises ConfigurationError.
    """

    def __init__(
        self,
        *,
        client_ip: bool = False,
        ignore: Iterable[str] = (),
        redact: Iterable[str] = (),
        fields: Mapping[str, object] | None = None,
        enabled: bool = True,
        write: Callable[[str], object] | None = None,
    ) -> None:
        ignore = _names("ignore", ignore)
        self.client_ip = client_ip
        self.enabled = enabled
        self._exactly = frozenset(each for each in ignore if not each.endswith("*"))
        self._beginnings = tuple(each[:-1] for each in ignore if each.endswith("*"))
        self._redact = frozenset(each.lower() for each in _names("redact", redact))
        self._fields: dict[str, Any] = plain(dict(fields or {}))
        if taken := sorted(RESERVED & self._fields.keys()):
            raise ConfigurationError(f"The access log has fields of its own named {taken}: choose other names.")
        self._write = write or print_line
        self._encode: Encode | None = None
        self._server_id: str | None = None
        self._has_timestamp = os.environ.get("AWS_LAMBDA_LOG_FORMAT", "").upper() == "JSON"
        self._is_cold = True
        self._second = (-1, "")
        """The one of the last date, since the epoch, and its text."""

    def begin(
        self,
        method: str,
        path: str,
        id: str,  # noqa: A002 - the name of the field
        user_agent: str | None = None,
        client_ip: str | None = None,
        context: Context | None = None,
    ) -> Entry:
        """Make the entry of a request that has come: what `log()` gives from now on, until its `end`.

        - `path`: without the query string
        """
        entry = Entry(method, path, id, user_agent, client_ip if self.client_ip else None, context)
        entry.cold_start, self._is_cold = self._is_cold, False
        if self._exactly or self._beginnings:
            entry.dropped = path in self._exactly or path.startswith(self._beginnings)
        entry.outer = CURRENT.get()
        CURRENT.set(entry)
        return entry

    def end(self, entry: Entry, error: BaseException | None = None) -> None:
        """Write the line, in the context of `begin`. One that cannot be written is told, and the request does not fail.

        - `error`: what nobody has handled; without a status, that is 500 then
        """
        if CURRENT.get() is entry:
            CURRENT.set(entry.outer)
        if not self.enabled or (entry.dropped and error is None and 0 < entry.status_code < 500):
            return
        try:
            self._write(self.line(entry, error))
        except Exception:
            logger.exception("The line of the access log for request %s could not be written.", entry.id)

    def line(self, entry: Entry, error: BaseException | None = None) -> str:
        """The line for a request that has been answered at this moment, without its end."""
        fields = self._own(entry, error)
        if self._fields:
            fields |= self._fields
        if entry.fields:
            fields |= _added(entry.fields)
        if self._redact:
            fields = redacted(fields, self._redact)
        if self._encode is None:
            self._encode = encoder()
        return self._encode(fields)

    def _own(self, entry: Entry, error: BaseException | None) -> dict[str, Any]:
        took = perf_counter() - entry.began
        context = entry.context
        status_code = entry.status_code or 500
        user_agent = entry.user_agent
        fields: dict[str, Any] = {
            "type": "access",
            "level": entry.level or level(status_code, error),
            "date": self._date(time() - took),
            "server_id": self._server_id or self._identify(context),
            "id": entry.id,
            "method": entry.method[:_METHOD],
            "path": entry.path[:_PATH],
            "route": entry.route,
            "status_code": status_code,
            "execution_time": int(took * 1e6) / 1000,  # `round` takes three times as long
            "user_agent": user_agent and user_agent[:_USER_AGENT],
            "cold_start": entry.cold_start,
        }
        if self._has_timestamp:
            fields["timestamp"] = fields["date"]
            fields["level"] = LAMBDA_LEVELS.get(fields["level"], fields["level"])
        if context is not None:
            fields["remaining_time"] = context.get_remaining_time_in_millis()
        if entry.client_ip is not None:
            fields["client_ip"] = entry.client_ip
        if entry.error_detail is not None:
            fields["error_detail"] = text_of(entry.error_detail)[:_DETAIL]
        if error is not None:
            fields |= told(error)
        return fields

    def _date(self, seconds: float) -> str:
        """A time since the epoch as RFC 3339 has it, in UTC, with milliseconds. The last second's text is kept."""
        second, milliseconds = divmod(int(seconds * 1000), 1000)
        known, text = self._second
        if second != known:
            text = strftime("%Y-%m-%dT%H:%M:%S", gmtime(second))
            self._second = second, text
        return f"{text}.{milliseconds:03}Z"

    def _identify(self, context: Context | None) -> str:
        """The log stream, of which each environment has its own; elsewhere the host and the process.

        SnapStart knows the stream only when it has restored, so that nobody asks before the first request.
        """
        found = getattr(context, "log_stream_name", None) or os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        if not found:
            from socket import gethostname

            found = f"{gethostname()}-{os.getpid()}"
        self._server_id = str(found)
        return self._server_id


def level(status_code: int, error: BaseException | None) -> str:
    """`info`, `warning`, `error`, or `critical` for what nobody has handled."""
    if error is not None:
        return "critical"
    if status_code < 400:
        return "info"
    return "warning" if status_code < 500 else "error"


def told(error: BaseException) -> dict[str, Any]:
    """The fields of what nobody has handled."""
    from traceback import format_exception

    return {
        "exception": {"type": type(error).__qualname__, "message": text_of(error)[:_DETAIL]},
        "traceback": "".join(format_exception(error))[-_TRACEBACK:],
    }


def print_line(line: str) -> None:
    """Write a line to the standard output, whatever that is by then, in one piece and at once."""
    stream = sys.stdout
    if stream is None:  # a process may have none
        return
    try:
        stream.write(f"{line}\n")
    except UnicodeEncodeError:
        stream.write(f"{escaped(line, ascii_only=True)}\n")
    stream.flush()


def _added(given: dict[str, Any]) -> dict[str, Any]:
    """As JSON has them."""
    return {
        name if type(name) is str else text_of(name): value if type(value) is str else plain(value)
        for name, value in list(given.items())
        if name not in RESERVED
    }


def _names(option: str, given: Iterable[str]) -> tuple[str, ...]:
    if isinstance(given, str):
        raise ConfigurationError(f"Expected several texts as {option}, such as [{given!r}], but got {given!r}.")
    return tuple(given)
