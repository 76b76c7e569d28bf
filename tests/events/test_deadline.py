"""How long an event may take."""

from __future__ import annotations

import pytest

from lambent.events.deadline import Deadline, default_margin
from tests.events.doubles import Context


def test_without_a_context_there_is_no_deadline() -> None:
    deadline = Deadline(None, 0.5)
    assert deadline.remaining() is None
    assert deadline.grace == 0


@pytest.mark.parametrize(
    ("left", "margin", "expected", "grace"),
    [
        (10.0, 0.5, 9.5, 0.125),
        (10.0, 0.0, 10.0, 0.0),
        (10.0, 0.2, 9.8, 0.05),
        (1.0, 0.5, 0.5, 0.125),
        (0.4, 0.5, 0.1, 0.075),
        (1.0, 5.0, 0.25, 0.125),
        (0.0, 0.5, 0.0, 0.0),
    ],
)
def test_it_is_a_margin_before_the_deadline_of_lambda(
    left: float, margin: float, expected: float, grace: float
) -> None:
    deadline = Deadline(Context(left), margin)
    remaining = deadline.remaining()
    assert remaining is not None
    assert remaining == pytest.approx(expected, abs=0.02)
    assert deadline.grace == pytest.approx(grace, abs=0.01)


def test_it_is_never_negative() -> None:
    deadline = Deadline(Context(0), 0.5)
    assert deadline.remaining() == 0


@pytest.mark.parametrize("left", [0.1, 0.3, 0.5, 1.0, 3.0, 900.0])
@pytest.mark.parametrize("runtime", [0.0, 0.1, 0.25, 1.0, 5.0])
def test_records_are_given_up_before_the_runtime_answers(
    left: float, runtime: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBENT_DEADLINE_MARGIN", str(runtime))
    deadline = Deadline(Context(left), default_margin())
    remaining = deadline.remaining()
    assert remaining is not None
    assert remaining + deadline.grace < left - min(runtime, left / 2) + 0.001


def test_a_margin_of_the_runtime_that_is_no_number_is_for_the_runtime_to_refuse(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LAMBENT_DEADLINE_MARGIN", raising=False)
    usual = default_margin()
    monkeypatch.setenv("LAMBENT_DEADLINE_MARGIN", "soon")
    assert default_margin() == usual == 0.5
