"""The garbage collector keeps out of init, and is as it was afterwards."""

import gc
from collections.abc import Iterator

import pytest

from lambent.runtime import collector


@pytest.fixture(autouse=True)
def thresholds() -> Iterator[tuple[int, int, int]]:
    before = gc.get_threshold()
    yield before
    gc.set_threshold(*before)
    gc.enable()
    gc.unfreeze()


def test_it_waits_longer_than_init_takes_and_then_goes_on(thresholds: tuple[int, int, int]) -> None:
    collector.pause()
    assert gc.get_threshold()[0] > 10_000_000
    assert gc.get_threshold()[1:] == thresholds[1:]

    collector.resume()
    assert gc.get_threshold() == thresholds
    assert gc.get_freeze_count() > 0


def test_a_threshold_of_the_application_is_kept() -> None:
    collector.pause()
    gc.set_threshold(5000, 20, 30)
    collector.resume()

    assert gc.get_threshold() == (5000, 20, 30)


@pytest.mark.parametrize("threshold", [0, 700])
def test_a_collector_that_is_off_stays_off(threshold: int) -> None:
    gc.set_threshold(threshold, 10, 10)
    collector.pause()
    gc.disable()
    collector.resume()

    assert not gc.isenabled()
    assert gc.get_threshold()[0] == threshold
