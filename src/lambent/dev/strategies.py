"""Which environment gets the next invocation: the ways that have a name. Pure.

Each is a `lambent.dev.model.Strategy`: it is given the environments that have room, oldest first, and chooses one.
"""

from __future__ import annotations

from collections.abc import Sequence

from lambent.dev.model import EnvironmentFacts, Strategy


def most_recent(environments: Sequence[EnvironmentFacts]) -> EnvironmentFacts:
    """The one used last, as Lambda does: the others fall idle, and may be ended. The youngest, of several."""
    return max(reversed(environments), key=lambda each: each.last_used)


def round_robin(environments: Sequence[EnvironmentFacts]) -> EnvironmentFacts:
    """The one that was left alone longest, so that all take turns. The oldest, of several."""
    return min(environments, key=lambda each: each.last_used)


STRATEGIES: dict[str, Strategy] = {"most-recent": most_recent, "round-robin": round_robin}
"""What the key `strategy` takes, beside a function of one's own."""
