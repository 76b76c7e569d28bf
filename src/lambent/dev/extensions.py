"""The Extensions API, as far as code inside a runtime may use it: internal extensions, which get no SHUTDOWN.

registered ──event/next──▶ ready ◀──event/next── running
                             └──────INVOKE──────────▲      those that registered for it; others stay ready for good

Pure, and beside the Runtime API's conversation: an environment is initialised when both have said so, an invocation is
over when both have, and only an environment with an extension is told of its end, by SIGTERM. Statuses and messages are
those of AWS's Runtime Interface Emulator, observed.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Mapping

from lambent.dev.conversation import JSON, NOT_FOUND, Answer, Call, Respond, refusal
from lambent.dev.model import Delivery

PREFIX = "/2020-01-01/extension/"
METHODS = {"register": "POST", "event/next": "GET"}
LIMIT = 10
"""Extensions that a function may have."""


class Extensions:
    """Those of one environment. `settled` is called each time that the last one has become ready.

    `about` is what each is told of the function: `functionName`, `functionVersion` and `handler`.
    """

    def __init__(self, about: Mapping[str, str], settled: Callable[[], object]) -> None:
        self._about = json.dumps(about, separators=(",", ":")).encode() + b"\n"
        self._settled = settled
        self._names: set[str] = set()
        self._ready: dict[str, bool] = {}
        self._invoked: set[str] = set()
        """Those that registered for INVOKE."""
        self._waiting: dict[str, Respond] = {}
        """Of these, those that wait for it."""
        self._closed = False

    def __bool__(self) -> bool:
        """Whether any is registered."""
        return bool(self._ready)

    @property
    def are_ready(self) -> bool:
        """Whether each has asked for its next event, so that init, or an invocation, may end. With none it may."""
        return all(self._ready.values())

    def close(self) -> None:
        """Init has ended: nobody is registered any more."""
        self._closed = True

    def deliver(self, delivery: Delivery) -> None:
        """Tell those of an invocation that registered for it. They are ready again when they ask for another event."""
        waiting, self._waiting = self._waiting, {}
        told = event(delivery)
        for identifier, respond in waiting.items():
            self._ready[identifier] = False
            respond(told)

    def take(self, call: Call, respond: Respond) -> bool:
        """Answer a request, now or never, if it is one of this API. Returns whether it is."""
        if not call.path.startswith(PREFIX):
            return False
        what = call.path.removeprefix(PREFIX)
        if what not in METHODS:
            respond(NOT_FOUND)
        elif call.method != METHODS[what]:
            respond(Answer(405, [(b"allow", METHODS[what].encode())], b""))
        elif what == "register":
            respond(self._register(call.headers.get("lambda-extension-name", ""), call.body))
        elif problem := self._await_event(call.headers.get("lambda-extension-identifier", ""), respond):
            respond(problem)
        return True

    def _register(self, name: str, body: bytes) -> Answer:
        problem = self._problem(name, body)
        if problem is not None:
            return problem
        identifier = str(uuid.uuid4())
        self._names.add(name)
        self._ready[identifier] = False
        if dict(json.loads(body)).get("events"):
            self._invoked.add(identifier)
        return Answer(200, [JSON, (b"lambda-extension-identifier", identifier.encode())], self._about)

    def _problem(self, name: str, body: bytes) -> Answer | None:
        """Why a registration is refused, in the emulator's order."""
        if not name:
            return refusal(403, "Extension.InvalidExtensionName", "Empty extension name")
        try:
            events = dict(json.loads(body)).get("events", [])
        except (ValueError, TypeError, RecursionError):
            events = None
        if not isinstance(events, list):
            return refusal(403, "InvalidRequestFormat", 'Expected {"events": [...]}')
        for event in events:
            if event != "INVOKE":
                reason = (
                    "ShutdownEventNotSupportedForInternalExtension" if event == "SHUTDOWN" else "ErrorInvalidEventType"
                )
                return refusal(403, "Extension.InvalidEventType", f"{event}: {reason}")
        if self._closed:
            return refusal(403, "Extension.RegistrationClosed", "Extension registration closed already")
        if name in self._names:
            return refusal(403, "Extension.InvalidExtensionState", "Extension with this name already registered")
        if len(self._names) == LIMIT:
            return refusal(403, "Extension.TooManyExtensions", f"Extension limit ({LIMIT}) reached")
        return None

    def _await_event(self, identifier: str, respond: Respond) -> Answer | None:
        """Be ready; `respond` is for the next event. Returns why it is refused."""
        if not identifier:
            return refusal(403, "Extension.MissingExtensionIdentifier", "Missing Lambda-Extension-Identifier header")
        try:
            uuid.UUID(identifier)
        except ValueError:
            return refusal(403, "Extension.InvalidExtensionIdentifier", "Invalid Lambda-Extension-Identifier")
        if identifier not in self._ready:
            return refusal(403, "Extension.UnknownExtensionIdentifier", f"Unknown extension {identifier}")
        if self._ready[identifier]:
            reason = f"State transition from Ready to Ready failed for extension {identifier}"
            message = f"{reason}. Error: State transition is not allowed"
            return refusal(403, "Extension.InvalidExtensionState", message)
        self._ready[identifier] = True
        if identifier in self._invoked:
            self._waiting[identifier] = respond
        if self.are_ready:
            self._settled()
        return None


def event(delivery: Delivery) -> Answer:
    """INVOKE, as Lambda's Developer Guide has it: "Using the Lambda Extensions API"."""
    request = delivery.request
    told = {
        "eventType": "INVOKE",
        "deadlineMs": delivery.deadline_ms,
        "requestId": request.request_id,
        "invokedFunctionArn": delivery.arn,
        "tracing": {"type": "X-Amzn-Trace-Id", "value": request.trace},
    }
    return Answer(200, [JSON], json.dumps(told, separators=(",", ":")).encode() + b"\n")
