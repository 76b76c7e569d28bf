"""The table of an environment's life."""

import pytest

from lambent.dev.life import LIFE, State, Step, after
from lambent.errors import IllegalTransition


def test_every_state_is_drawn_and_every_life_can_end() -> None:
    assert set(LIFE) == set(State)
    assert all(LIFE[state][Step.EXITED] is State.DEAD for state in State if state is not State.DEAD)
    assert LIFE[State.DEAD] == {}


@pytest.mark.parametrize(
    ("state", "step"), [(State.FROZEN, Step.POLLED), (State.STARTING, Step.INVOKED), (State.DEAD, Step.POLLED)]
)
def test_a_step_that_leads_nowhere_is_refused(state: State, step: Step) -> None:
    with pytest.raises(IllegalTransition, match=state.value):
        after(state, step)
