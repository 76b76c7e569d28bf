"""Exception to diagnostic: what Lambda is told of a failure.

The body is `{"errorMessage", "errorType", "requestId", "stackTrace"}`, in the order and shape of AWS's own client.
Frames of the runtime itself, and of the import system, are left out: the trace begins with the user's code.
"""

from __future__ import annotations

import json
import re
from importlib import import_module
from traceback import StackSummary, extract_tb
from typing import NamedTuple

from lambent.errors import InvalidResult, TargetError, TimedOut

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

# What the platform accepts as `Lambda-Runtime-Function-Error-Type`; for anything else it records Runtime.Unknown.
_CATEGORY = re.compile(r"(Runtime|Function)\.[A-Z][a-zA-Z]+").fullmatch

_IMPORT_SYSTEM = ("<frozen importlib", import_module.__code__.co_filename)
_PACKAGE = __file__.replace("\\", "/").rpartition("/runtime/")[0] + "/"
_LIBRARY = import_module.__code__.co_filename.replace("\\", "/").rpartition("importlib/")[0]
_MACHINERY = (_PACKAGE, f"{_LIBRARY}asyncio/", f"{_LIBRARY}contextlib.py", f"{_LIBRARY}importlib/", "<frozen importlib")
"""What there may be before the user's first frame."""


class Diagnostic(NamedTuple):
    """One failure, in the platform's terms."""

    error_type: str
    message: str
    stack_trace: tuple[str, ...]
    category: str
    """`Function.<exception>` or `Runtime.<what>`, for the platform's own records."""
    cause: str
    """JSON for X-Ray; empty for none."""

    def body(self, request_id: str) -> bytes:
        """The error JSON."""
        error = {
            "errorMessage": self.message,
            "errorType": self.error_type,
            "requestId": request_id,
            "stackTrace": self.stack_trace,
        }
        return json.dumps(error).encode("ascii")


def diagnose(error: BaseException, working_directory: str) -> Diagnostic:
    """Describe an exception. `working_directory` is for X-Ray, which shows paths relative to it."""
    error_type = error.error_type if isinstance(error, (TargetError, InvalidResult, TimedOut)) else type(error).__name__
    frames = _user_frames(origin(error))
    category = error_type if _CATEGORY(error_type) else f"Function.{error_type}"
    return Diagnostic(
        error_type,
        _words(error),
        tuple(frames.format()),
        category if _CATEGORY(category) else "Function.Unknown",
        _cause(error, error_type, frames, working_directory),
    )


def _words(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose __str__ failed>"


def origin(error: BaseException) -> BaseException:
    """The exception whose traceback tells where it went wrong: for a target that cannot be loaded, its cause's."""
    return error.__cause__ if isinstance(error, TargetError) and error.__cause__ is not None else error


def is_machinery(path: str) -> bool:
    """Whether a source file is Lambent's own or of what calls the user's code. `path` is written with slashes."""
    return path.startswith(_MACHINERY)


def user_traceback(error: BaseException) -> TracebackType | None:
    """The traceback from the first frame that is the user's own; None if there is no such frame."""
    traceback = error.__traceback__
    while traceback and is_machinery(traceback.tb_frame.f_code.co_filename.replace("\\", "/")):
        traceback = traceback.tb_next
    return traceback


def _user_frames(error: BaseException) -> StackSummary:
    """The user's frames, without those of the import system. A SyntaxError's place is in its message."""
    frames = extract_tb(user_traceback(error))
    return StackSummary.from_list([frame for frame in frames if not frame.filename.startswith(_IMPORT_SYSTEM)])


def log_record(error: BaseException) -> tuple[type[BaseException], BaseException, TracebackType | None]:
    """What `logging` takes as `exc_info`: the exception with the user's frames only."""
    shown = origin(error)
    return type(shown), shown, user_traceback(shown)


def _cause(error: BaseException, error_type: str, frames: StackSummary, working_directory: str) -> str:
    """The JSON of X-Ray's `cause`; a header, hence ASCII on one line."""
    stack = [{"label": frame.name, "path": frame.filename, "line": frame.lineno} for frame in frames]
    return json.dumps(
        {
            "working_directory": working_directory,
            "exceptions": [{"message": _words(error), "type": error_type, "stack": stack}],
            "paths": sorted({frame.filename for frame in frames}),
        }
    )
