"""Requests to invoke, read."""

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.doors.model import Arrival
from lambent.dev.invoke_api.api_errors import APIError
from lambent.dev.invoke_api.function_names import Named
from lambent.dev.invoke_api.invoke_requests import CLIENT_CONTEXT_LIMIT, Order, read
from lambent.dev.model import ASYNCHRONOUS_LIMIT, Function

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
ARRIVAL = Arrival("11111111-2222-4333-8444-555555555555", "ATfSmjLgPHcESJw=", "Root=1-2-3;Parent=4;Sampled=0", 0.0)
KINDS = ("Event", "RequestResponse", "DryRun")
NAMED = Named(Function("f", "app.handler"), "")


def order(body: bytes = b"{}", **headers: str) -> Order:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return read(NAMED, named, body, ARRIVAL, KINDS)


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_most_is_left_to_defaults() -> None:
    made = order()
    assert (made.kind, made.tail) == ("RequestResponse", False)
    assert (made.request.request_id, made.request.payload) == (ARRIVAL.request_id, b"{}")
    assert (made.request.client_context, made.request.tenant_id, made.request.identity) == ("", "", "")
    assert made.request.arn == NAMED.function.arn
    assert made.request.trace.startswith(f"{ARRIVAL.trace};Lineage=1:")


@given(JSON, st.sampled_from([None, 1]))
def test_an_event_goes_on_byte_for_byte(value: object, indent: int | None) -> None:
    body = json.dumps(value, indent=indent, ensure_ascii=indent is None).encode("utf-8", "surrogatepass")
    try:
        body.decode()
    except UnicodeDecodeError:
        with pytest.raises(APIError):
            order(body)
    else:
        assert order(body).request.payload == body


def test_no_event_is_an_empty_one() -> None:
    assert order(b"").request.payload == b"{}"


@pytest.mark.parametrize(
    "body", [b"{", b" ", b"\xff", b"NaN", b"[Infinity]", b"{}{}", b"\xef\xbb\xbf{}", b"[" * 100_000]
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(APIError, match="InvalidRequestContent") as raised:
        order(body)
    assert raised.value.status == 400
    assert json.loads(raised.value.body)["message"].startswith("Could not parse request body into json: ")


def test_kind_and_log_type_are_read() -> None:
    made = order(x_amz_invocation_type="DryRun", x_amz_log_type="Tail")
    assert (made.kind, made.tail) == ("DryRun", True)


@pytest.mark.parametrize(
    ("header", "value", "words"),
    [
        ("x_amz_invocation_type", "event", "'event' at 'invocationType'"),
        ("x_amz_log_type", "tail", "'tail' at 'logType'"),
        ("x_amz_tenant_id", "a\tb", "at 'tenantId'"),
        ("x_amz_tenant_id", "a" * 257, "at 'tenantId'"),
    ],
)
def test_a_header_that_cannot_be_is_refused(header: str, value: str, words: str) -> None:
    with pytest.raises(APIError, match="ValidationException") as raised:
        order(b"{}", **{header: value})
    assert words in json.loads(raised.value.body)["message"]


def test_a_tenant_is_told() -> None:
    assert order(x_amz_tenant_id="a@b:c/d e").request.tenant_id == "a@b:c/d e"


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=50), max_size=5))
def test_a_client_context_fits_into_a_header(context: dict[str, str]) -> None:
    made = order(x_amz_client_context=encoded(context)).request.client_context
    assert json.loads(made) == context
    assert made.isascii()
    assert made.isprintable()


@pytest.mark.parametrize("context", ["x", "bm8=", encoded([1]), encoded(1), encoded({"a": "b" * CLIENT_CONTEXT_LIMIT})])
def test_a_client_context_that_is_none_is_refused(context: str) -> None:
    with pytest.raises(APIError, match="Client context must"):
        order(x_amz_client_context=context)


def test_nobody_who_does_not_wait_sends_a_client_context() -> None:
    made = order(x_amz_client_context=encoded({"a": 1}), x_amz_invocation_type="Event")
    assert made.request.client_context == ""


def test_an_event_that_nobody_waits_for_has_a_limit_of_its_own() -> None:
    body = b'"' + b"a" * (ASYNCHRONOUS_LIMIT - 2) + b'"'
    assert order(body, x_amz_invocation_type="Event").request.payload == body
    assert order(body + b" ").request.payload == body + b" "
    with pytest.raises(APIError, match="1048577 byte payload is too large for the Event invocation type"):
        order(body + b" ", x_amz_invocation_type="Event")


def test_a_loop_ends() -> None:
    trace = ""
    for _ in range(16):
        trace = order(x_amzn_trace_id=trace).request.trace
    with pytest.raises(APIError, match="RecursiveInvocationException"):
        order(x_amzn_trace_id=trace)
