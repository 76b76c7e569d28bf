"""Which id a request has: its client's, else one that is known, else a new one."""

from __future__ import annotations

from itertools import count

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 128
"""Characters of an id that a client may choose."""


def choose(given: bytes | None, known: str, make: Callable[[], str]) -> str:
    """The id of a request, which goes into its log line and back to its client as `X-Request-Id`.

    - `given`: by the client; it is taken if it is printable ASCII without spaces, of 1 to 128 characters: then it can
      be a header's value again
    - `known`: Lambda's, or that of the request in which this one is answered: the next choice; empty for none
    - `make`: the last one; it is called then only
    """
    if given is not None and is_sound(given):
        return given.decode("ascii")
    return known or make()


def is_sound(given: bytes) -> bool:
    """Whether a client's id may be used as it is."""
    return 0 < len(given) <= LONGEST and given.isascii() and given.decode("ascii").isprintable() and b" " not in given


class Ids:
    """Ids of 32 hexadecimal digits: a random part, made with the first one, and a number."""

    __slots__ = ("_numbers", "_prefix", "_random")

    def __init__(self, random: Callable[[int], bytes]) -> None:
        self._random = random
        self._prefix = ""
        self._numbers = count(1)

    def __call__(self) -> str:
        if not self._prefix:
            self._prefix = self._random(12).hex()
        return f"{self._prefix}{next(self._numbers) & 0xFFFFFFFF:08x}"
