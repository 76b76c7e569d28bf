"""The life of an execution environment, as one table.

starting ──▶ idle ◀──▶ frozen        busy lasts from an invocation to the runtime's next `next`, though the reply
    │         ▲│        │            leaves earlier; frozen is idle while no code of it runs.
    │         │▼        │
    │        busy ◀─────┘
    ▼         ▼
    draining ──▶ dead                reached from every state: from each by an exit, or by way of draining
"""

from __future__ import annotations

from enum import Enum

from lambent.errors import IllegalTransition


class State(Enum):
    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    """From an invocation to the runtime's next `next`, though the reply leaves earlier."""
    FROZEN = "frozen"
    """Idle, and no code of it runs."""
    DRAINING = "draining"
    """It takes no more invocations; its process is about to end."""
    DEAD = "dead"


class Step(Enum):
    POLLED = "asked for an invocation"
    INVOKED = "was given an invocation"
    FROZE = "was frozen"
    CONDEMNED = "was condemned"
    EXITED = "exited"


LIFE: dict[State, dict[Step, State]] = {
    State.STARTING: {Step.POLLED: State.IDLE, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.IDLE: {
        Step.INVOKED: State.BUSY,
        Step.FROZE: State.FROZEN,
        Step.CONDEMNED: State.DRAINING,
        Step.EXITED: State.DEAD,
    },
    State.FROZEN: {Step.INVOKED: State.BUSY, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    # One that handles several invocations is given more of them while it is busy.
    State.BUSY: {
        Step.INVOKED: State.BUSY,
        Step.POLLED: State.IDLE,
        Step.CONDEMNED: State.DRAINING,
        Step.EXITED: State.DEAD,
    },
    State.DRAINING: {Step.POLLED: State.DRAINING, Step.CONDEMNED: State.DRAINING, Step.EXITED: State.DEAD},
    State.DEAD: {},
}

READY = frozenset({State.IDLE, State.FROZEN, State.BUSY})
"""Those in which it may be given invocations, as far as it has room."""


def after(state: State, step: Step) -> State:
    """The state that a step leads to. `IllegalTransition` if it leads nowhere."""
    try:
        return LIFE[state][step]
    except KeyError:
        raise IllegalTransition(f"An environment that is {state.value} cannot be one that {step.value}.") from None
