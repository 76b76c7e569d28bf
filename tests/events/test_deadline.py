"""How long an event may take."""

from __future__ import annotations

import pytest

from lambent.events.deadline import Deadline, default_margin
from tests.events.doubles import Left


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which stands still."""
    now = [1000.0]
    monkeypatch.setattr("lambent.events.deadline.monotonic", lambda: now[0])
    return now


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
    ],
)
def test_it_is_a_margin_before_the_deadline_of_lambda(
    left: float, margin: float, expected: float, grace: float
) -> None:
    deadline = Deadline(Left(left), margin)
    remaining = deadline.remaining()
    assert remaining is not None
    assert remaining == pytest.approx(expected)
    assert deadline.grace == pytest.approx(grace)


def test_one_that_has_passed_is_none() -> None:
    deadline = Deadline(Left(0), 0.5)
    assert deadline.remaining() is None
    assert deadline.grace == 0


def test_it_is_never_negative(clock: list[float]) -> None:
    deadline = Deadline(Left(2.0), 0.5)
    clock[0] += 1.0
    assert deadline.remaining() == pytest.approx(0.5)
    clock[0] += 1.0
    assert deadline.remaining() == 0


@pytest.mark.parametrize("left", [0.1, 0.3, 0.5, 1.0, 3.0, 900.0])
@pytest.mark.parametrize("runtime", [0.0, 0.1, 0.25, 1.0, 5.0])
def test_records_are_given_up_before_the_runtime_answers(
    left: float, runtime: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAMBENT_DEADLINE_MARGIN", str(runtime))
    deadline = Deadline(Left(left), default_margin())
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
