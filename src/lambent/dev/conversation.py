"""The Runtime API: what one runtime may say, what it is answered, and what may follow what.

Pure: a call comes in with a way to answer it, which is used now or, for `next`, when an invocation is there.
Statuses, states and messages are those of AWS's Runtime Interface Emulator, observed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Callable
from enum import Enum
from typing import NamedTuple, Protocol

from lambent.dev.doors.model import PAYLOAD_LIMIT, RawHeaders
from lambent.dev.model import Delivery
from lambent.dev.stream import STREAM_LIMIT, Stream


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
    def streams(self, stream: Stream) -> None:
        """A reply has begun, and comes piece by piece."""

    def buffers(self) -> None:
        """A streamed reply has come where none is wanted: it is delivered whole, prelude and all."""

    def failed(self, error: bytes) -> None: ...
    def oversized(self) -> None: ...
    def init_failed(self, error: bytes) -> None: ...


class State(Enum):
    """Where the conversation stands, by the emulator's names for it."""

    STARTED = "Started"
    READY = "Ready"
    RUNNING = "Running"
    RESPONDING = "InvocationResponse"
    RESPONSE_SENT = "ResponseSent"
    INIT_ERROR = "InitError"
    RESTORING = "Restoring"
    RESTORE_ERROR = "RestoreError"


class Verb(Enum):
    """What can be said, by the emulator's names for the states it leads to. DELIVERY is the owner's word.

    STREAM and STREAM_END are the two ends of a RESPONSE whose body is passed on as it comes.
    """

    NEXT = "Ready"
    DELIVERY = "Running"
    RESPONSE = "InvocationResponse"
    STREAM = "InvocationResponse, streamed"
    STREAM_END = "ResponseSent"
    ERROR = "InvocationErrorResponse"
    INIT_ERROR = "InitError"
    RESTORE = "Restoring"
    RESTORE_ERROR = "RestoreError"


SNAPSTART = (Verb.RESTORE, Verb.RESTORE_ERROR)

TRANSITIONS: dict[State, dict[Verb, State]] = {
    State.STARTED: {Verb.NEXT: State.READY, Verb.INIT_ERROR: State.INIT_ERROR, Verb.RESTORE: State.RESTORING},
    State.RESTORING: {Verb.NEXT: State.READY, Verb.RESTORE_ERROR: State.RESTORE_ERROR},
    # A second `next` comes from a runtime whose connection broke, or that has several.
    State.READY: {Verb.NEXT: State.READY, Verb.DELIVERY: State.RUNNING},
    # Asked again before it answered, the emulator hands out the same invocation.
    State.RUNNING: {
        Verb.NEXT: State.RUNNING,
        Verb.RESPONSE: State.RESPONSE_SENT,
        Verb.STREAM: State.RESPONDING,
        Verb.ERROR: State.RESPONSE_SENT,
    },
    State.RESPONDING: {Verb.STREAM_END: State.RESPONSE_SENT},
    State.RESPONSE_SENT: {Verb.NEXT: State.READY},
    State.INIT_ERROR: {},
    State.RESTORE_ERROR: {},
}

JSON = (b"content-type", b"application/json")
ACCEPTED = Answer(202, [JSON], b'{"status":"OK"}\n')
PONG = Answer(200, [(b"content-type", b"text/plain; charset=utf-8")], b"pong")
NOT_FOUND = Answer(404, [(b"content-type", b"text/plain; charset=utf-8")], b"404 page not found\n")
RESTORED = Answer(200, [], b"")
FIXED: dict[str, tuple[str, Verb | None]] = {
    "/ping": ("GET", None),
    "/2018-06-01/runtime/invocation/next": ("GET", Verb.NEXT),
    "/2018-06-01/runtime/init/error": ("POST", Verb.INIT_ERROR),
    "/2018-06-01/runtime/restore/next": ("GET", Verb.RESTORE),
    "/2018-06-01/runtime/restore/error": ("POST", Verb.RESTORE_ERROR),
}
INVOCATION = re.compile(r"/2018-06-01/runtime/invocation/([^/]+)/(response|error)")
VERBS = {"response": Verb.RESPONSE, "error": Verb.ERROR}
MODE = "lambda-runtime-function-response-mode"
ERROR_TYPE = b"lambda-runtime-function-error-type"
ERROR_BODY = b"lambda-runtime-function-error-body"


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
    """One runtime's conversation, from its start to its end.

    - `streams`: replies may come piece by piece
    - `snapstart`: a snapshot is taken after init; here it is restored at once, in the same process
    """

    def __init__(self, owner: Owner, *, streams: bool = False, snapstart: bool = False) -> None:
        self.state = State.STARTED
        self._streams = streams
        self._snapstart = snapstart
        self._owner = owner
        self._delivery: Delivery | None = None
        self._polls: list[Respond] = []

    def call(self, call: Call, respond: Respond) -> None:
        """Take one request; `respond` is called once, now or later."""
        place = route(call.path)
        if place is None or (place.verb in SNAPSTART and not self._snapstart):
            respond(NOT_FOUND)
        elif call.method != place.method:
            respond(Answer(405, [(b"allow", place.method.encode())], b""))
        elif place.verb is None:
            respond(PONG)
        elif problem := self._problem(place, call):
            respond(problem)
        else:
            self._take(place.verb, call, respond)

    def stream(self, call: Call, throttle: Callable[[bool], object]) -> Stream | None:
        """Take the head of a request; `throttle` is as in Stream.

        Returns where its body is to go, piece by piece, and then `end_stream` is to be called; None for a request that
        is to be read whole, for `call`.
        """
        place = route(call.path)
        if not self._streams or place is None or call.method != place.method:
            return None
        if place.verb is not Verb.RESPONSE or MODE not in call.headers or self._problem(place, call):
            return None
        self.state = TRANSITIONS[self.state][Verb.STREAM]
        stream = Stream(call.headers.get("content-type", ""), throttle)
        self._owner.streams(stream)
        return stream

    def end_stream(self, stream: Stream, trailers: RawHeaders, *, oversized: bool) -> Answer:
        """The body has been read."""
        self.state = TRANSITIONS[self.state][Verb.STREAM_END]
        if oversized:
            stream.end(error("Function.ResponseSizeTooLarge", f"A streamed reply has at most {STREAM_LIMIT} bytes."))
            return too_large(STREAM_LIMIT)
        stream.end(trailing_error(trailers))
        return ACCEPTED

    def cut_stream(self, stream: Stream) -> None:
        """The runtime's connection broke in the middle of the body."""
        self.state = TRANSITIONS[self.state][Verb.STREAM_END]
        stream.end(error("Runtime.TruncatedResponse", "The runtime hung up in the middle of its reply."))

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
        if call.headers.get(MODE, "streaming") != "streaming":
            return refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode: streaming or none")
        nonce = self._delivery.invocation_id
        if call.headers.get("lambda-runtime-invocation-id", nonce) != nonce:
            return refusal(410, "InvokeTimeout", "Invoke timeout")
        return None

    def _take(self, verb: Verb, call: Call, respond: Respond) -> None:
        before, self.state = self.state, TRANSITIONS[self.state][verb]
        if verb is Verb.NEXT:
            self._poll(before, respond)
        elif verb is Verb.RESTORE:
            respond(RESTORED)
        elif call.oversized:
            respond(too_large(PAYLOAD_LIMIT))
            self._owner.oversized()
        else:
            respond(ACCEPTED)
            if MODE in call.headers:
                self._owner.buffers()
            told = {
                Verb.RESPONSE: self._owner.replied,
                Verb.ERROR: self._owner.failed,
                Verb.INIT_ERROR: self._owner.init_failed,
                Verb.RESTORE_ERROR: self._owner.init_failed,
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
    return Answer(status, [JSON], error(error_type, message) + b"\n")


def too_large(limit: int) -> Answer:
    return refusal(413, "RequestEntityTooLarge", f"Exceeded maximum allowed payload size ({limit} bytes).")


def error(error_type: str, message: str) -> bytes:
    return json.dumps({"errorMessage": message, "errorType": error_type}, separators=(",", ":")).encode()


def trailing_error(trailers: RawHeaders) -> bytes | None:
    """The error JSON that a streamed reply ended with; None if it ended well."""
    fields = dict(trailers)
    if ERROR_TYPE not in fields and ERROR_BODY not in fields:
        return None
    try:
        body = base64.b64decode(fields.get(ERROR_BODY, b""), validate=True)
    except (ValueError, binascii.Error):
        body = b""
    return body or error(fields.get(ERROR_TYPE, b"Function.Unknown").decode("latin-1"), "")


def forbidden(state: State, verb: Verb | None) -> Answer:
    target = verb.value if verb else ""
    attempt = f"State transition from {state.value} to {target} failed for runtime"
    message = f"{attempt}. Error: State transition is not allowed"
    return refusal(403, "InvalidStateTransition", message)
