"""Which environment is chosen."""

from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.model import EnvironmentFacts
from lambent.dev.strategies import most_recent, round_robin


def facts(*last_used: float) -> list[EnvironmentFacts]:
    return [EnvironmentFacts(str(index), 0, 1, when) for index, when in enumerate(last_used)]


def test_the_most_recent() -> None:
    assert most_recent(facts(1, 3, 2)).id == "1"
    assert most_recent(facts(1, 3, 3)).id == "2"


def test_round_robin_takes_the_one_that_was_left_alone_longest() -> None:
    assert round_robin(facts(2, 1, 3)).id == "1"
    assert round_robin(facts(1, 1, 3)).id == "0"


@given(st.integers(1, 6), st.integers(1, 4))
def test_round_robin_gives_everyone_its_turn_and_most_recent_only_one(environments: int, rounds: int) -> None:
    for strategy, turns in ((round_robin, [rounds] * environments), (most_recent, [rounds * environments])):
        ready = facts(*[0.0] * environments)
        for now in range(1, rounds * environments + 1):
            chosen = int(strategy(ready).id)
            ready[chosen] = ready[chosen]._replace(last_used=now, invocations=ready[chosen].invocations + 1)
        assert sorted(each.invocations for each in ready if each.invocations) == turns
