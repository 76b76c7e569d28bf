"""The garbage collector, kept out of init: there it looks again and again at objects that stay, and finds nothing.

That is a tenth of the cold start of a Starlette application. What init has made is not looked at later either.
"""

from __future__ import annotations

import gc

_LATER = 100_003
"""So many times more allocations between two collections: more than init makes. A prime, by which ours are known."""


def pause() -> None:
    """Begin init."""
    gc.set_threshold(gc.get_threshold()[0] * _LATER, *gc.get_threshold()[1:])


def resume() -> None:
    """End it. A threshold that the application has set meanwhile is kept, and so is `gc.disable()`."""
    first, *others = gc.get_threshold()
    if first and first % _LATER == 0:
        gc.set_threshold(first // _LATER, *others)
        gc.freeze()
