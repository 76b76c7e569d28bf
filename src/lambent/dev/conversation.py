"""The Runtime API: what one runtime may say, what it is answered, and what may follow what.

Pure: a call comes in with a way to answer it, which is used now or, for `next`, when an invocation is there.
Statuses, states and messages are those of AWS's Runtime Interface Emulator, observed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from lambent.dev.doors.model import PAYLOAD_LIMIT, RawHeaders
from lambent.dev.model import Delivery


class Call(NamedTuple):
    """One request of the runtime."""

    method: str
    path: str
    """Without the query, not decoded."""
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    oversized: bool
    """The body was longer than PAYLOAD_LIMIT; `body` has only its beginning."""
    trailers: RawHeaders


class Answer(NamedTuple):
    status: int
    headers: RawHeaders
    body: bytes


Respond = Callable[[Answer], None]


class Owner(Protocol):
    """Whose runtime it is. Told of everything that was said and allowed, in order."""

    def polled(self) -> None:
        """It asked for an invocation: init is over, or the last invocation is."""

    def replied(self, payload: bytes) -> None: ...
    def failed(self, error: bytes) -> None: ...
    def oversized(self) -> None: ...
    def init_failed(self, error: bytes) -> None: ...


class State(Enum):
    """Where the conversation stands, by the emulator's names for it."""

    STARTED = "Started"
    READY = "Ready"
    RUNNING = "Running"
    RESPONSE_SENT = "ResponseSent"
    INIT_ERROR = "InitError"


class Verb(Enum):
    """What can be said, by the emulator's names for the states it leads to. DELIVERY is the owner's word."""

    NEXT = "Ready"
    DELIVERY = "Running"
    RESPONSE = "InvocationResponse"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"


TRANSITIONS: dict[State, dict[Verb, State]] = {
    State.STARTED: {Verb.NEXT: State.READY, Verb.INIT_ERROR: State.INIT_ERROR},
    # A second `next` comes from a runtime whose connection broke, or that has several.
    State.READY: {Verb.NEXT: State.READY, Verb.DELIVERY: State.RUNNING},
    # Asked again before it answered, the emulator hands out the same invocation.
    State.RUNNING: {Verb.NEXT: State.RUNNING, Verb.RESPONSE: State.RESPONSE_SENT, Verb.ERROR: State.RESPONSE_SENT},
    State.RESPONSE_SENT: {Verb.NEXT: State.READY},
    State.INIT_ERROR: {},
}

JSON = (b"content-type", b"application/json")
ACCEPTED = Answer(202, [JSON], b'{"status":"OK"}\n')
PONG = Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], b"pong")
NOT_FOUND = Answer(404, [(b"content-type", b"text/plain; charset=utf-8")], b"404 page not found\n")
# SnapStart's `restore/next` is 404 too: no function is snapshotted here.
FIXED: dict[str, tuple[str, Verb | None]] = {
    "/ping": ("GET", None),
    "/2018-06-01/runtime/invocation/next": ("GET", Verb.NEXT),
    "/2018-06-01/runtime/init/error": ("POST", Verb.INIT_ERROR),
}
INVOCATION = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
VERBS = {"response": Verb.RESPONSE, "error": Verb.ERROR}


class Route(NamedTuple):
    """What a path means, once its method fits."""

    method: str
    verb: Verb | None
    """None: `/ping`."""
    request_id: str = ""


def route(path: str) -> Route | None:
    if fixed := FIXED.get(path):
        return Route(*fixed)
    if match := INVOCATION.fullmatch(path):
        return Route("POST", VERBS[match[2]], match[1])
    return None


class Conversation:
    """One runtime's conversation, from its start to its end."""

    def __init__(self, owner: Owner) -> None:
        self.state = State.STARTED
        self._owner = owner
        self._delivery: Delivery | None = None
        self._polls: list[Respond] = []

    def call(self, call: Call, respond: Respond) -> None:
        """Take one request; `respond` is called once, now or later."""
        place = route(call.path)
        if place is None:
            respond(NOT_FOUND)
        elif call.method != place.method:
            respond(Answer(405, [(b"allow", place.method.encode())], b""))
        elif place.verb is None:
            respond(PONG)
        elif problem := self._problem(place, call):
            respond(problem)
        else:
            self._take(place.verb, call, respond)

    def deliver(self, delivery: Delivery) -> None:
        """Hand out an invocation. Must be READY; with no connection waiting, the runtime's next `next` gets it."""
        self.state = TRANSITIONS[self.state][Verb.DELIVERY]
        self._delivery = delivery
        if self._polls:
            self._polls.pop()(event(delivery))

    def hung_up(self, respond: Respond) -> None:
        """The connection that this answer would have gone to is gone."""
        if respond in self._polls:
            self._polls.remove(respond)

    def _problem(self, place: Route, call: Call) -> Answer | None:
        """Why the request is refused: the one place that does it."""
        if place.request_id and (self._delivery is None or self._delivery.request_id != place.request_id):
            return refusal(400, "InvalidRequestID", "Invalid request ID")
        if place.verb not in TRANSITIONS[self.state]:
            return forbidden(self.state, place.verb)
        if not place.request_id or self._delivery is None:
            return None
        if call.headers.get("lambda-runtime-function-response-mode", "streaming") != "streaming":
            return refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode: streaming or none")
        nonce = self._delivery.invocation_id
        if call.headers.get("lambda-runtime-invocation-id", nonce) != nonce:
            return refusal(410, "InvokeTimeout", "Invoke timeout")
        return None

    def _take(self, verb: Verb, call: Call, respond: Respond) -> None:
        before, self.state = self.state, TRANSITIONS[self.state][verb]
        if verb is Verb.NEXT:
            self._poll(before, respond)
        elif call.oversized:
            message = f"Exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes)."
            respond(refusal(413, "RequestEntityTooLarge", message))
            self._owner.oversized()
        else:
            respond(ACCEPTED)
            told = {
                Verb.RESPONSE: self._owner.replied,
                Verb.ERROR: self._owner.failed,
                Verb.INIT_ERROR: self._owner.init_failed,
            }
            told[verb](call.body)

    def _poll(self, before: State, respond: Respond) -> None:
        if before is State.RUNNING and self._delivery is not None:
            respond(event(self._delivery))
            return
        self._delivery = None
        self._polls.append(respond)
        if before is not State.READY:
            self._owner.polled()


def event(delivery: Delivery) -> Answer:
    """The answer to `next`."""
    headers = {
        b"Lambda-Runtime-Aws-Request-Id": delivery.request_id,
        b"Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
        b"Lambda-Runtime-Invoked-Function-Arn": delivery.arn,
        b"Lambda-Runtime-Trace-Id": delivery.trace,
        b"Lambda-Runtime-Invocation-Id": delivery.invocation_id,
    }
    return Answer(200, [JSON, *((name, value.encode("latin-1")) for name, value in headers.items())], delivery.payload)


def refusal(status: int, error_type: str, message: str) -> Answer:
    text = json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":"))
    return Answer(status, [JSON], f"{text}\n".encode())


def forbidden(state: State, verb: Verb | None) -> Answer:
    target = verb.value if verb else ""
    attempt = f"State transition from {state.value} to {target} failed for runtime"
    message = f"{attempt}. Error: State transition is not allowed"
    return refusal(403, "InvalidStateTransition", message)
