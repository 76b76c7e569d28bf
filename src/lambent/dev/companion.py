"""What the starter inside a function's process says beside the Runtime API: see `child.py`.

    POST /_lambent/imported     absolute paths of files of code, one a line  →  no answer
    POST /_lambent/breakpoint   may I have the terminal?                     →  200 {"terminal": "/dev/..."}
                                                                                409 {"reason": "..."}

Pure. The second is answered when it is the environment's turn.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Protocol

from lambent.dev.conversation import JSON, NOT_FOUND, Answer, Call, Respond

PREFIX = "/_lambent/"
METHOD = "POST"
UNANSWERED = Answer(0, [], b"")
"""Nothing is to be written. A process that ends with an answer unread resets its connection, and then what it said last
may not arrive: the file that ended it.
"""


class Owner(Protocol):
    """Whose process it is."""

    def imported(self, paths: list[str]) -> None:
        """It has read these files of code."""

    def breakpoint(self, grant: Callable[[str | None, str], None]) -> None:
        """It has come to a breakpoint. `grant` takes the terminal's path, or None and the reason."""


class Companion:
    """The starter of one environment."""

    def __init__(self, owner: Owner) -> None:
        self._owner = owner

    def take(self, call: Call, respond: Respond) -> bool:
        """Answer a request, now or when the owner grants it, if it is the starter's. Returns whether it is."""
        if not call.path.startswith(PREFIX):
            return False
        what = call.path.removeprefix(PREFIX)
        if what not in ("imported", "breakpoint"):
            respond(NOT_FOUND)
        elif call.method != METHOD:
            respond(Answer(405, [(b"allow", METHOD.encode())], b""))
        elif what == "breakpoint":
            self._owner.breakpoint(lambda terminal, reason: respond(granted(terminal, reason)))
        else:
            self._owner.imported(paths(call.body))
            respond(UNANSWERED)
        return True


def paths(body: bytes) -> list[str]:
    """As the process has them: what is no UTF-8 in them is kept."""
    return [line.decode("utf-8", "surrogateescape") for line in body.split(b"\n") if line]


def granted(terminal: str | None, reason: str) -> Answer:
    status, said = (409, {"reason": reason}) if terminal is None else (200, {"terminal": terminal})
    return Answer(status, [JSON], json.dumps(said).encode())
