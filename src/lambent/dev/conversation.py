"""The Runtime API: what one runtime may say, what it is answered, and what may follow what.

Pure: a call comes in with a way to answer it, which is used now or, for `next`, when an invocation is there.
Statuses, states and messages are those of AWS's Runtime Interface Emulator, observed.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections import deque
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
        """It asked for an invocation: init is over, or one that was replied to is."""

    def replied(self, request_id: str, payload: bytes) -> None: ...
    def streams(self, request_id: str, stream: Stream) -> None:
        """A reply has begun, and comes piece by piece."""

    def buffers(self, request_id: str) -> None:
        """A streamed reply has come where none is wanted: it is delivered whole, prelude and all."""

    def failed(self, request_id: str, error: bytes) -> None: ...
    def oversized(self, request_id: str) -> None: ...
    def sent(self, request_id: str) -> None:
        """The reply is through, however it ended."""

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
"""Of a runtime that handles one invocation at a time.

One that handles several goes on from READY whatever becomes of them, and each of them from RUNNING.
"""

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


class Given:
    """An invocation that was handed out, and how far it is replied to."""

    __slots__ = ("delivery", "state", "stream")

    def __init__(self, delivery: Delivery) -> None:
        self.delivery = delivery
        self.state = State.RUNNING
        self.stream: Stream | None = None


class Conversation:
    """One runtime's conversation, from its start to its end.

    - `streams`: replies may come piece by piece
    - `snapstart`: a snapshot is taken after init; here it is restored at once, in the same process
    - `concurrency`: how many invocations it may have at once
    """

    def __init__(self, owner: Owner, *, streams: bool = False, snapstart: bool = False, concurrency: int = 1) -> None:
        self._owner = owner
        self._streams = streams
        self._snapstart = snapstart
        self._several = concurrency > 1
        self._state = State.STARTED
        self._given: dict[str, Given] = {}
        self._waiting: deque[Delivery] = deque()
        """Handed over, with no connection there that asks; of a runtime that handles several."""
        self._expired: set[str] = set()
        self._polls: list[Respond] = []

    @property
    def state(self) -> State:
        """Where it stands; of a runtime that handles several, without what becomes of each."""
        if self._several:
            return self._state
        return next((given.state for given in self._given.values()), self._state)

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
        elif place.request_id:
            self._end(self._given[place.request_id], place.verb, call, respond)
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
        given = self._given[place.request_id]
        given.state = TRANSITIONS[given.state][Verb.STREAM]
        given.stream = Stream(call.headers.get("content-type", ""), throttle)
        self._owner.streams(place.request_id, given.stream)
        return given.stream

    def end_stream(self, stream: Stream, trailers: RawHeaders, *, oversized: bool) -> Answer:
        """The body has been read."""
        if oversized:
            stream.end(error("Function.ResponseSizeTooLarge", f"A streamed reply has at most {STREAM_LIMIT} bytes."))
        else:
            stream.end(trailing_error(trailers))
        self._stream_sent(stream)
        return too_large(STREAM_LIMIT) if oversized else ACCEPTED

    def cut_stream(self, stream: Stream) -> None:
        """The runtime's connection broke in the middle of the body."""
        stream.end(error("Runtime.TruncatedResponse", "The runtime hung up in the middle of its reply."))
        self._stream_sent(stream)

    def deliver(self, delivery: Delivery) -> None:
        """Hand out an invocation; with no connection waiting, the runtime's next `next` gets it."""
        if not self._several:
            self._state = TRANSITIONS[self.state][Verb.DELIVERY]
        self._given[delivery.request.request_id] = Given(delivery)
        if self._polls:
            self._polls.pop()(event(delivery))
        elif self._several:
            self._waiting.append(delivery)

    def expire(self, request_id: str) -> None:
        """The time of an invocation is up, of several: what the runtime says of it from here on comes too late."""
        given = self._given.pop(request_id, None)
        if given is not None:
            self._expired.add(request_id)
            if given.delivery in self._waiting:
                self._waiting.remove(given.delivery)

    def hung_up(self, respond: Respond) -> None:
        """The connection that this answer would have gone to is gone."""
        if respond in self._polls:
            self._polls.remove(respond)

    def _problem(self, place: Route, call: Call) -> Answer | None:
        """Why the request is refused: the one place that does it."""
        if not place.request_id:
            return None if place.verb in TRANSITIONS[self.state] else forbidden(self.state, place.verb)
        given = self._given.get(place.request_id)
        if given is None:
            if place.request_id in self._expired:
                return EXPIRED
            return refusal(400, "InvalidRequestID", "Invalid request ID")
        if place.verb not in TRANSITIONS[given.state]:
            return forbidden(given.state, place.verb)
        if call.headers.get(MODE, "streaming") != "streaming":
            return refusal(400, "InvalidFunctionResponseMode", "Invalid function response mode: streaming or none")
        nonce = given.delivery.invocation_id
        return EXPIRED if call.headers.get("lambda-runtime-invocation-id", nonce) != nonce else None

    def _take(self, verb: Verb, call: Call, respond: Respond) -> None:
        """What concerns the environment."""
        if verb is Verb.NEXT:
            self._poll(respond)
            return
        self._state = TRANSITIONS[self._state][verb]
        if verb is Verb.RESTORE:
            respond(RESTORED)
            return
        respond(too_large(PAYLOAD_LIMIT) if call.oversized else ACCEPTED)
        self._owner.init_failed(too_large(PAYLOAD_LIMIT).body if call.oversized else call.body)

    def _end(self, given: Given, verb: Verb, call: Call, respond: Respond) -> None:
        """What concerns an invocation: its reply, or the error in its place."""
        request_id = given.delivery.request.request_id
        given.state = State.RESPONSE_SENT
        respond(too_large(PAYLOAD_LIMIT) if call.oversized else ACCEPTED)
        if call.oversized:
            self._owner.oversized(request_id)
        elif verb is Verb.ERROR:
            self._owner.failed(request_id, call.body)
        else:
            if MODE in call.headers:
                self._owner.buffers(request_id)
            self._owner.replied(request_id, call.body)
        self._sent(request_id)

    def _stream_sent(self, stream: Stream) -> None:
        for request_id, given in list(self._given.items()):
            if given.stream is stream:
                given.state = TRANSITIONS[given.state][Verb.STREAM_END]
                self._sent(request_id)

    def _sent(self, request_id: str) -> None:
        if self._several:  # a second reply is one to nothing
            del self._given[request_id]
        self._owner.sent(request_id)

    def _poll(self, respond: Respond) -> None:
        before = self.state
        if before is State.RUNNING:
            respond(event(next(iter(self._given.values())).delivery))
            return
        self._state = State.READY
        if not self._several:
            self._given.clear()
        self._polls.append(respond)
        if self._waiting:
            self._polls.pop()(event(self._waiting.popleft()))
        if self._several or before is not State.READY:
            self._owner.polled()


def event(delivery: Delivery) -> Answer:
    """The answer to `next`."""
    request = delivery.request
    headers = {
        b"Lambda-Runtime-Aws-Request-Id": request.request_id,
        b"Lambda-Runtime-Deadline-Ms": str(delivery.deadline_ms),
        b"Lambda-Runtime-Invoked-Function-Arn": delivery.arn,
        b"Lambda-Runtime-Trace-Id": request.trace,
        b"Lambda-Runtime-Invocation-Id": delivery.invocation_id,
        b"Lambda-Runtime-Client-Context": request.client_context,
        b"Lambda-Runtime-Cognito-Identity": request.identity,
        b"Lambda-Runtime-Aws-Tenant-Id": request.tenant_id,
    }
    said = [(name, value.encode("utf-8")) for name, value in headers.items() if value]
    return Answer(200, [JSON, *said], request.payload)


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


EXPIRED = refusal(410, "InvokeTimeout", "Invoke timeout")
