"""The Runtime API without a socket: who may say what, and what is answered."""

import asyncio
import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.conversation import (
    ACCEPTED,
    TRANSITIONS,
    Answer,
    Call,
    Conversation,
    Route,
    State,
    Verb,
    route,
    trailing_error,
)
from lambent.dev.model import Delivery, InvokeRequest
from lambent.dev.stream import Stream, StreamFailed

BASE = "/2018-06-01/runtime"
NEXT = f"{BASE}/invocation/next"
INIT_ERROR = f"{BASE}/init/error"


class Owner:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, bytes]] = []
        self.over: list[str] = []

    def polled(self) -> None:
        self.told.append(("polled", b""))

    def replied(self, request_id: str, payload: bytes) -> None:
        self.told.append(("replied", payload))

    def streams(self, request_id: str, stream: Stream) -> None:
        self.told.append(("streams", stream.content_type.encode()))

    def buffers(self, request_id: str) -> None:
        self.told.append(("buffers", b""))

    def failed(self, request_id: str, error: bytes) -> None:
        self.told.append(("failed", error))

    def oversized(self, request_id: str) -> None:
        self.told.append(("oversized", b""))

    def sent(self, request_id: str) -> None:
        self.over.append(request_id)

    def init_failed(self, error: bytes) -> None:
        self.told.append(("init_failed", error))


class Talk:
    """A conversation and both its sides."""

    def __init__(self, *, streams: bool = False, snapstart: bool = False, concurrency: int = 1) -> None:
        self.owner = Owner()
        self.conversation = Conversation(self.owner, streams=streams, snapstart=snapstart, concurrency=concurrency)

    def say(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: dict[str, str] | None = None,
        *,
        oversized: bool = False,
    ) -> list[Answer]:
        """The answers so far: the list grows when a later one comes."""
        answers: list[Answer] = []
        self.conversation.call(Call(method, path, headers or {}, body, oversized, []), answers.append)
        return answers

    def deliver(self, name: str = "one") -> None:
        self.conversation.deliver(delivery(name))

    def reply(self, name: str = "one", body: bytes = b"", **headers: str) -> Answer:
        fields = {field.replace("_", "-"): value for field, value in headers.items()}
        return self.say("POST", f"{BASE}/invocation/{name}/response", body, fields)[0]


def delivery(name: str = "one") -> Delivery:
    request = InvokeRequest(name, b"{}", "Root=1-2-3")
    return Delivery(request, f"nonce-{name}", 1783711148500, "arn:aws:lambda:us-east-1:1:function:f")


def error_type(answer: Answer) -> str:
    assert answer.body.endswith(b"\n")
    return str(json.loads(answer.body)["errorType"])


@pytest.fixture
def talk() -> Talk:
    return Talk()


@pytest.fixture
def running(talk: Talk) -> Talk:
    """A runtime that was handed the invocation `one`."""
    talk.say("GET", NEXT)
    talk.deliver()
    return talk


def test_next_waits_for_an_invocation_and_answers_with_its_headers(talk: Talk) -> None:
    answers = talk.say("GET", NEXT)
    assert answers == []
    talk.deliver()
    assert answers == [
        Answer(
            200,
            [
                (b"content-type", b"application/json"),
                (b"Lambda-Runtime-Aws-Request-Id", b"one"),
                (b"Lambda-Runtime-Deadline-Ms", b"1783711148500"),
                (b"Lambda-Runtime-Invoked-Function-Arn", b"arn:aws:lambda:us-east-1:1:function:f"),
                (b"Lambda-Runtime-Trace-Id", b"Root=1-2-3"),
                (b"Lambda-Runtime-Invocation-Id", b"nonce-one"),
            ],
            b"{}",
        )
    ]


def test_a_response_is_accepted_and_passed_on_byte_for_byte(running: Talk) -> None:
    answer = running.reply("one", b'{ "a": 1}')
    assert answer == Answer(202, [(b"content-type", b"application/json")], b'{"status":"OK"}\n')
    assert running.owner.told == [("polled", b""), ("replied", b'{ "a": 1}')]


def test_an_error_is_accepted_and_passed_on(running: Talk) -> None:
    (answer,) = running.say("POST", f"{BASE}/invocation/one/error", b"{}")
    assert answer.status == 202
    assert running.owner.told[-1] == ("failed", b"{}")


def test_the_runtime_is_busy_until_it_polls_again(running: Talk) -> None:
    states = []
    for step in (running.reply, lambda: running.say("GET", NEXT)):
        step()
        states.append(running.conversation.state)
    assert states == [State.RESPONSE_SENT, State.READY]
    assert [name for name, _ in running.owner.told] == ["polled", "replied", "polled"]


def test_asked_again_before_the_reply_the_same_invocation_is_handed_out(running: Talk) -> None:
    (answer,) = running.say("GET", NEXT)
    assert (b"Lambda-Runtime-Aws-Request-Id", b"one") in answer.headers
    assert [name for name, _ in running.owner.told] == ["polled"]


def test_a_connection_that_hung_up_gets_no_invocation(talk: Talk) -> None:
    lost: list[Answer] = []
    respond = lost.append
    talk.conversation.call(Call("GET", NEXT, {}, b"", False, []), respond)
    talk.conversation.hung_up(respond)
    talk.deliver()
    assert lost == []
    assert talk.say("GET", NEXT)[0].status == 200


def test_a_second_poll_takes_over_and_tells_nobody(talk: Talk) -> None:
    first, second = talk.say("GET", NEXT), talk.say("GET", NEXT)
    talk.deliver()
    assert (len(first), len(second)) == (0, 1)
    assert talk.owner.told == [("polled", b"")]


@pytest.mark.parametrize("kind", ["response", "error"])
def test_a_reply_before_any_next_names_no_invocation(talk: Talk, kind: str) -> None:
    (answer,) = talk.say("POST", f"{BASE}/invocation/one/{kind}")
    assert (answer.status, error_type(answer)) == (400, "InvalidRequestID")


def test_a_reply_to_another_invocation_is_refused_and_the_right_one_still_taken(running: Talk) -> None:
    assert error_type(running.reply("other")) == "InvalidRequestID"
    assert running.reply("one").status == 202


def test_a_reply_to_an_expired_invocation_is_refused(running: Talk) -> None:
    running.reply()
    running.say("GET", NEXT)
    assert error_type(running.reply()) == "InvalidRequestID"


def test_a_second_reply_is_an_illegal_transition(running: Talk) -> None:
    running.reply()
    answer = running.reply()
    assert answer.status == 403
    assert json.loads(answer.body) == {
        "errorMessage": "State transition from ResponseSent to InvocationResponse failed for runtime. "
        "Error: State transition is not allowed",
        "errorType": "InvalidStateTransition",
    }
    assert len(running.owner.told) == 2


def test_an_init_error_is_accepted_before_the_first_next_and_nothing_after_it(talk: Talk) -> None:
    assert talk.say("POST", INIT_ERROR, b"{}")[0].status == 202
    assert talk.owner.told == [("init_failed", b"{}")]
    assert talk.say("GET", NEXT)[0].status == 403
    assert talk.say("POST", INIT_ERROR)[0].status == 403


def test_an_init_error_after_next_is_an_illegal_transition(running: Talk) -> None:
    assert error_type(running.say("POST", INIT_ERROR)[0]) == "InvalidStateTransition"


def test_a_snapshot_is_restored_at_once_and_then_invocations_come() -> None:
    talk = Talk(snapstart=True)
    (restored,) = talk.say("GET", f"{BASE}/restore/next")
    assert (restored.status, restored.body) == (200, b"")
    assert talk.owner.told == []
    talk.say("GET", NEXT)
    assert talk.owner.told == [("polled", b"")]
    assert talk.say("GET", f"{BASE}/restore/next")[0].status == 403


def test_an_error_before_the_snapshot_or_after_it_ends_init() -> None:
    for path, first in (("init/error", ()), ("restore/error", (f"{BASE}/restore/next",))):
        talk = Talk(snapstart=True)
        for each in first:
            talk.say("GET", each)
        assert talk.say("POST", f"{BASE}/{path}", b"{}") == [ACCEPTED]
        assert talk.owner.told == [("init_failed", b"{}")]
        assert talk.say("GET", NEXT)[0].status == 403


def test_a_restore_error_is_for_what_is_being_restored() -> None:
    talk = Talk(snapstart=True)
    assert error_type(talk.say("POST", f"{BASE}/restore/error", b"{}")[0]) == "InvalidStateTransition"


def test_a_response_over_the_limit_is_refused_and_the_runtime_goes_on(running: Talk) -> None:
    (answer,) = running.say("POST", f"{BASE}/invocation/one/response", oversized=True)
    assert (answer.status, json.loads(answer.body)) == (
        413,
        {
            "errorMessage": "Exceeded maximum allowed payload size (6291556 bytes).",
            "errorType": "RequestEntityTooLarge",
        },
    )
    assert running.owner.told[-1] == ("oversized", b"")
    assert running.say("GET", NEXT) == []
    assert running.conversation.state is State.READY


def test_a_response_mode_that_is_not_streaming_is_refused(running: Talk) -> None:
    answer = running.reply(lambda_runtime_function_response_mode="Streaming")
    assert (answer.status, error_type(answer)) == (400, "InvalidFunctionResponseMode")


def test_an_echoed_nonce_must_be_the_invocation_s(running: Talk) -> None:
    answer = running.reply(lambda_runtime_invocation_id="nonce-other")
    assert (answer.status, error_type(answer)) == (410, "InvokeTimeout")
    assert running.reply(lambda_runtime_invocation_id="nonce-one").status == 202


def test_ping_is_answered_in_any_state(running: Talk) -> None:
    (answer,) = running.say("GET", "/ping")
    assert (answer.status, answer.body) == (200, b"pong")


@pytest.mark.parametrize(
    "path", ["/", f"{BASE}/restore/next", f"{BASE}/restore/error", f"{BASE}/invocation/one", "/2020-01-01/extension"]
)
def test_an_unknown_path_is_404(talk: Talk, path: str) -> None:
    assert talk.say("GET", path)[0].status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("POST", NEXT, b"GET"), ("GET", INIT_ERROR, b"POST"), ("GET", f"{BASE}/invocation/x/error", b"POST")],
)
def test_a_wrong_method_is_405_and_told_the_right_one(talk: Talk, method: str, path: str, allowed: bytes) -> None:
    (answer,) = talk.say(method, path)
    assert (answer.status, answer.headers) == (405, [(b"allow", allowed)])


def test_a_request_id_is_read_off_the_path() -> None:
    assert route(f"{BASE}/invocation/a-b-c/error") == Route("POST", Verb.ERROR, "a-b-c")


def test_every_state_is_drawn() -> None:
    assert set(TRANSITIONS) == set(State)


@given(st.lists(st.sampled_from(["next", "response", "error", "init", "deliver", "ping"])))
def test_whatever_a_runtime_says_every_call_has_one_answer_at_most_and_one_result_each(said: list[str]) -> None:
    talk = Talk()
    answers = []
    delivered = 0
    for word in said:
        if word == "deliver":
            if talk.conversation.state is State.READY:
                delivered += 1
                talk.deliver(str(delivered))
        elif word == "next":
            answers.append(talk.say("GET", NEXT))
        elif word == "init":
            answers.append(talk.say("POST", INIT_ERROR))
        elif word == "ping":
            answers.append(talk.say("GET", "/ping"))
        else:
            answers.append(talk.say("POST", f"{BASE}/invocation/{delivered}/{word}"))
    assert all(len(each) <= 1 for each in answers)
    results = [name for name, _ in talk.owner.told if name in ("replied", "failed")]
    assert len(results) <= delivered


# Streams

STREAMED = {"lambda-runtime-function-response-mode": "streaming", "content-type": "text/x"}


def head(name: str = "one", kind: str = "response", method: str = "POST", **headers: str) -> Call:
    return Call(method, f"{BASE}/invocation/{name}/{kind}", {**STREAMED, **headers}, b"", oversized=False, trailers=[])


def handed_out(*, streams: bool = True) -> Talk:
    talk = Talk(streams=streams)
    talk.say("GET", NEXT)
    talk.deliver()
    return talk


def failure(stream: Stream) -> str:
    """The type of the error that a stream ended with."""
    with pytest.raises(StreamFailed) as caught:
        asyncio.run(stream.read())
    return str(json.loads(caught.value.payload)["errorType"])


def state(talk: Talk) -> State:
    return talk.conversation.state


def begun(talk: Talk, call: Call) -> Stream:
    async def begin() -> Stream | None:
        return talk.conversation.stream(call, bool)

    stream = asyncio.run(begin())
    assert stream is not None
    return stream


def test_a_streamed_reply_has_a_beginning_and_an_end() -> None:
    talk = handed_out()
    stream = begun(talk, head())
    assert state(talk) is State.RESPONDING
    assert talk.owner.told[-1] == ("streams", b"text/x")
    assert talk.conversation.end_stream(stream, [], oversized=False) == ACCEPTED
    assert stream.ended.done()
    talk.say("GET", NEXT)
    assert state(talk) is State.READY


def test_next_and_a_second_reply_are_refused_in_the_middle_of_one() -> None:
    talk = handed_out()
    begun(talk, head())
    for method, path in (("GET", NEXT), ("POST", head().path), ("POST", f"{BASE}/invocation/one/error")):
        [answer] = talk.say(method, path)
        assert (answer.status, error_type(answer)) == (403, "InvalidStateTransition")
    assert talk.conversation.stream(head(), bool) is None


def test_the_trailers_are_the_error_that_a_stream_ends_with() -> None:
    talk = handed_out()
    stream = begun(talk, head())
    error = base64.b64encode(b'{"errorType": "ValueError"}')
    trailers = [(b"lambda-runtime-function-error-type", b"x"), (b"lambda-runtime-function-error-body", error)]
    assert talk.conversation.end_stream(stream, trailers, oversized=False) == ACCEPTED
    assert failure(stream) == "ValueError"


@pytest.mark.parametrize("body", [None, b"", b"not base64!"])
def test_without_a_body_that_can_be_read_their_type_is(body: bytes | None) -> None:
    trailers = [(b"lambda-runtime-function-error-type", b"Function.Odd")]
    payload = trailing_error(trailers if body is None else [*trailers, (b"lambda-runtime-function-error-body", body)])
    assert payload is not None
    assert json.loads(payload)["errorType"] == "Function.Odd"


def test_other_trailers_are_no_error() -> None:
    assert trailing_error([(b"x-end", b"yes")]) is None


def test_a_stream_beyond_the_limit_is_told_so() -> None:
    talk = handed_out()
    stream = begun(talk, head())
    answer = talk.conversation.end_stream(stream, [], oversized=True)
    assert (answer.status, error_type(answer)) == (413, "RequestEntityTooLarge")
    assert failure(stream) == "Function.ResponseSizeTooLarge"


def test_a_stream_that_is_cut_has_failed_and_the_runtime_may_go_on() -> None:
    talk = handed_out()
    stream = begun(talk, head())
    talk.conversation.cut_stream(stream)
    assert failure(stream) == "Runtime.TruncatedResponse"
    talk.say("GET", NEXT)
    assert talk.conversation.state is State.READY


@pytest.mark.parametrize(
    "call",
    [
        head("two"),
        head(kind="error"),
        head(method="PUT"),
        head(**{"lambda-runtime-function-response-mode": "Streaming"}),
        head(**{"lambda-runtime-invocation-id": "another"}),
        head()._replace(headers={}),
        head()._replace(path="/nowhere"),
    ],
)
def test_what_is_refused_or_no_stream_is_read_whole(call: Call) -> None:
    talk = handed_out()
    assert talk.conversation.stream(call, bool) is None
    assert talk.conversation.state is State.RUNNING


def test_where_no_stream_is_wanted_it_is_read_whole_and_the_owner_told() -> None:
    talk = handed_out(streams=False)
    assert talk.conversation.stream(head(), bool) is None
    assert talk.reply(body=b"whole", lambda_runtime_function_response_mode="streaming").status == 202
    assert talk.owner.told[-2:] == [("buffers", b""), ("replied", b"whole")]


# Several invocations at a time


@pytest.fixture
def several() -> Talk:
    """A runtime that may have three."""
    return Talk(concurrency=3)


def test_each_next_is_given_an_invocation_of_its_own(several: Talk) -> None:
    polls = [several.say("GET", NEXT) for _ in range(3)]
    for name in ("one", "two", "three"):
        several.deliver(name)
    given = {dict(answer.headers)[b"Lambda-Runtime-Aws-Request-Id"] for [answer] in polls}
    assert given == {b"one", b"two", b"three"}


def test_what_is_handed_over_before_the_runtime_asks_waits_for_it(several: Talk) -> None:
    several.say("GET", NEXT)
    several.deliver("one")
    several.deliver("two")
    [answer] = several.say("GET", NEXT)
    assert dict(answer.headers)[b"Lambda-Runtime-Aws-Request-Id"] == b"two"


def test_replies_come_in_any_order_and_each_once(several: Talk) -> None:
    for name in ("one", "two"):
        several.say("GET", NEXT)
        several.deliver(name)
    assert several.reply("two", b"2").status == 202
    assert several.reply("one", b"1").status == 202
    assert several.owner.over == ["two", "one"]
    again = several.reply("two", b"2")
    assert (again.status, error_type(again)) == (400, "InvalidRequestID")


def test_what_comes_after_its_time_is_told_so(several: Talk) -> None:
    several.say("GET", NEXT)
    several.deliver("one")
    several.conversation.expire("one")
    late = several.reply("one", b"1")
    assert (late.status, error_type(late)) == (410, "InvokeTimeout")
    assert several.owner.over == []


def test_what_expires_before_the_runtime_asks_is_never_handed_out(several: Talk) -> None:
    several.say("GET", NEXT)
    several.deliver("one")
    several.deliver("two")
    several.conversation.expire("two")
    assert several.say("GET", NEXT) == []


def test_one_of_several_cannot_fail_the_init_of_those_that_have_begun(several: Talk) -> None:
    several.say("GET", NEXT)
    [answer] = several.say("POST", INIT_ERROR, b"{}")
    assert (answer.status, error_type(answer)) == (403, "InvalidStateTransition")


def test_what_the_invoker_brings_is_passed_on(talk: Talk) -> None:
    [*_] = answers = talk.say("GET", NEXT)
    request = InvokeRequest("one", b"{}", "", client_context='{"a":"é"}', identity="{}", tenant_id="blue")
    talk.conversation.deliver(Delivery(request, "nonce", 1, "arn"))
    headers = dict(answers[0].headers)
    assert headers[b"Lambda-Runtime-Client-Context"] == '{"a":"é"}'.encode()
    assert headers[b"Lambda-Runtime-Cognito-Identity"] == b"{}"
    assert headers[b"Lambda-Runtime-Aws-Tenant-Id"] == b"blue"
    assert b"Lambda-Runtime-Trace-Id" not in headers
