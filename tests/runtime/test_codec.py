"""JSON in and out, as AWS's own client has it."""

import json
import math
import subprocess
import sys
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent import Events, Lambent
from lambent.runtime import codec
from lambent.runtime.codec import ESCAPED, EXACT, Codec
from lambent.runtime.function import Function
from tests.support.processes import environment

TEXT = st.text(st.characters())  # lone surrogates too
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner), max_leaves=8)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_what_is_written_is_read_again(value: Any) -> None:
    assert EXACT.decode(EXACT.encode(value)) == value
    assert ESCAPED.decode(ESCAPED.encode(value)) == value
    assert ESCAPED.encode(value).isascii()


@settings(max_examples=60, deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False), TEXT)
def test_a_decimal_is_a_number_to_the_last_digit(value: Decimal, text: str) -> None:
    written = EXACT.encode({"text": text, "number": [value]})
    assert json.loads(written, parse_float=Decimal, parse_int=Decimal) == {"text": text, "number": [value]}


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (None, b"null"),
        ((1, [2]), b"[1, [2]]"),
        ({1: 2, None: 3, False: 4}, b'{"1": 2, "null": 3, "false": 4}'),
        (["é".encode(), b""], '["é", ""]'.encode()),
        ({"é": "日本語 \u2028 💡"}, '{"é": "日本語 \u2028 💡"}'.encode()),
        ("é\ud800\0", b'"\\u00e9\\ud800\\u0000"'),
        (10**400, b"1" + b"0" * 400),
        (-0.0, b"-0.0"),
        (math.nan, b"NaN"),
        (-math.inf, b"-Infinity"),
        (Decimal("1.10"), b"1.10"),
        (Decimal("1E+3"), b"1E+3"),
        (Decimal("NaN"), b"NaN"),
        (Decimal("-sNaN123"), b"NaN"),
        (Decimal("-Infinity"), b"-Infinity"),
        ([Decimal(1), {"a": Decimal("0.1")}], b'[1, {"a": 0.1}]'),
    ],
)
def test_a_value_is_written(value: Any, written: bytes) -> None:
    assert EXACT.encode(value) == written


@pytest.mark.parametrize(("python", "expected"), [("3.11", ESCAPED), ("3.13", EXACT)], ids=["3.11", "3.13"])
@pytest.mark.parametrize("value", ["é \u2028 \0 \x7f 💡", {"日本": ["語".encode(), Decimal("1.10")]}, (1, [2.5, None])])
def test_it_is_what_aws_s_client_writes(
    monkeypatch: pytest.MonkeyPatch, python: str, expected: Codec, value: Any
) -> None:
    assert expected.encode(value) == written_by_aws(monkeypatch, python, value)


def written_by_aws(monkeypatch: pytest.MonkeyPatch, python: str, value: Any) -> bytes:
    """What AWS's client posts where it is Lambda's runtime for that Python."""
    marshaller = pytest.importorskip("awslambdaric.lambda_runtime_marshaller", reason="it has wheels for Linux only")
    monkeypatch.setenv("AWS_EXECUTION_ENV", f"AWS_Lambda_python{python}")
    written: str = marshaller.to_json(value)
    return written.encode()


async def app(scope: Any, receive: Any, send: Any) -> None: ...


def test_a_function_gets_what_aws_s_client_of_this_python_writes(monkeypatch: pytest.MonkeyPatch) -> None:
    python = "{}.{}".format(*sys.version_info)
    function = Function(lambda event, context: event)
    assert codec.suited(function).encode("é") == written_by_aws(monkeypatch, python, "é")


def test_an_application_gets_the_fast_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fast = Codec(EXACT.decode, EXACT.encode)
    monkeypatch.setattr(codec, "fast", lambda: fast)
    assert codec.suited(Lambent(app)) is fast


@pytest.mark.parametrize("handler", [Events(), Lambent(app, events=Events())], ids=["Events", "Lambent"])
def test_functions_for_events_get_the_exact_one(handler: Any) -> None:
    assert codec.suited(handler) is EXACT


@pytest.mark.parametrize("number", range(3))
def test_no_text_of_the_user_s_is_taken_for_a_decimal(number: int) -> None:
    text = f"\0decimal:{number}"
    assert json.loads(EXACT.encode([text, Decimal("0.5"), {text: text}])) == [text, 0.5, {text: text}]


@pytest.mark.parametrize("value", [{1}, object(), date(2026, 1, 1), [1j], {(1, 2): 3}, {"a": {b"b"}}])
def test_what_json_does_not_know_is_refused(value: Any) -> None:
    with pytest.raises(TypeError):
        EXACT.encode(value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(ValueError, match="utf-8"):
        EXACT.encode([b"\xff"])


def test_a_circle_is_refused() -> None:
    circle: list[Any] = []
    circle.append(circle)
    with pytest.raises(ValueError, match="Circular"):
        EXACT.encode(circle)


@pytest.mark.parametrize("event", [b"", b"{", b"{'a': 1}", b"\xff", b'{"a": \xff}', b"[1] 2", b"1" * 5000])
def test_what_is_not_json_is_a_value_error(event: bytes) -> None:
    for each in (EXACT, codec.fast()):
        if each is EXACT or event != b"1" * 5000:  # the digits that an int may have are a limit of Python's
            with pytest.raises(ValueError):
                each.decode(event)


def test_an_event_is_read() -> None:
    event = b' {"a": [1, 1.5, true, null, "\xc3\xa9\\u00e9\\ud800", 123456789012345678901234567890, NaN]} '
    *values, nan = EXACT.decode(event)["a"]

    assert values == [1, 1.5, True, None, "éé\ud800", 123456789012345678901234567890]
    assert math.isnan(nan)


@settings(max_examples=60, deadline=None)
@given(PLAIN)
def test_the_fast_codec_agrees_on_plain_values(value: Any) -> None:
    assert EXACT.decode(codec.fast().encode(value)) == value
    assert codec.fast().decode(EXACT.encode(value)) == value


def test_the_fast_codec_is_orjson(monkeypatch: pytest.MonkeyPatch) -> None:
    orjson = pytest.importorskip("orjson")
    fast = codec.fast()
    assert fast.encode is orjson.dumps
    monkeypatch.setattr(orjson, "loads", lambda event: ("read by orjson", event))
    assert fast.decode(b"{}") == ("read by orjson", b"{}")


def test_the_mark_of_a_decimal_is_another_in_each_process() -> None:
    script = "from lambent.runtime import codec; print(codec._MARK)"
    other = subprocess.check_output([sys.executable, "-c", script], env=environment(), text=True)
    assert codec._MARK.strip() != other.strip()


def test_without_orjson_the_fast_codec_is_the_exact_one() -> None:
    hidden = "import sys; sys.modules['orjson'] = None; "
    script = hidden + "from lambent.runtime import codec; assert codec.fast() is codec.EXACT"
    subprocess.run([sys.executable, "-c", script], env=environment(), check=True)


@pytest.mark.parametrize("event", [rb'{"path": "\ud800"}', b"[NaN, -Infinity]", b'"\xef\xbf\xbd"'])
def test_the_fast_codec_reads_every_event_that_the_exact_one_reads(event: bytes) -> None:
    assert repr(codec.fast().decode(event)) == repr(EXACT.decode(event))


def test_what_is_no_json_is_refused_by_both() -> None:
    for each in (EXACT, codec.fast()):
        with pytest.raises(ValueError, match="Expecting"):
            each.decode(b'{"a":')
