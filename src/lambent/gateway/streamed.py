"""A front door whose replies are streamed: what it reads first is the prelude, and the body follows as it is.

Source: docs.aws.amazon.com/lambda, "Response streaming for Lambda functions"; docs.aws.amazon.com/apigateway, "Stream
the integration response".
"""

from __future__ import annotations

from lambent.invocation import Streamed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from lambent.gateway.model import Request, Response, Settings
    from lambent.gateway.protocol import Gateway
    from lambent.types import Event, Result

    Prelude = Callable[[Response, dict[str, Event], Settings], Result]

_NO_LIMIT = 1 << 62
"""Of a reply that is not JSON; whoever sends it has one of its own."""


class StreamedDoor:
    """The Gateway that `door` is, with replies that are streamed, each after what `prelude` makes of it."""

    __slots__ = ("_pad", "matches", "name", "prelude", "request")

    limit = _NO_LIMIT

    def __init__(self, door: Gateway, prelude: Prelude, *, pad: bool) -> None:
        self.name = door.name
        self.matches: Callable[[dict[str, Event]], bool] = door.matches
        self.request: Callable[[dict[str, Event], Settings], Request] = door.request
        self.prelude = prelude
        self._pad = pad

    def reply(self, response: Response, event: dict[str, Event], settings: Settings) -> Streamed:
        """The whole response, as a stream of one piece."""
        body = response.body or (b" " if self._pad else b"")
        return Streamed(self.prelude(response, event, settings), body)
