"""Base paths as other adapters take them: what the event's own path begins with, be it a stage or a mapping.

Those strip it from the path. Here it becomes part of the root path, as ASGI says, at the boundary of a segment.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.gateway.model import Request, Response, Settings
    from lambent.gateway.protocol import Gateway
    from lambent.types import Event, Result


class Mounted:
    """A Gateway in front of another one, whose requests it mounts at `base_path`."""

    __slots__ = ("_gateway", "_staged", "base_path", "limit", "name")

    base_path: str

    def __init__(self, gateway: Gateway, base_path: str = "") -> None:
        self._gateway = gateway
        self._staged = gateway.name != "rest_api"  # whose `path` is the one without the stage
        self.name = gateway.name
        self.limit = gateway.limit
        self.base_path = base_path

    def __repr__(self) -> str:
        return repr(self._gateway)

    def matches(self, event: dict[str, Event]) -> bool:
        return self._gateway.matches(event)

    def request(self, event: dict[str, Event], settings: Settings) -> Request:
        return mount(self._gateway.request(event, settings), self.base_path, staged=self._staged)

    def reply(self, response: Response, event: dict[str, Event], settings: Settings) -> Result:
        return self._gateway.reply(response, event, settings)


def mount(request: Request, base_path: str, *, staged: bool) -> Request:
    """Add `base_path` to the root path, if the path begins with it. `/v1`, `v1` and `/v1/` are the same.

    `staged`: the path that `base_path` was meant for begins with the stage, which is in the root path already.
    `/prod` and `/prod/v1` are then both understood where `prod` is the stage, and so is `/v1`.
    """
    base = base_path.strip("/")
    if base:
        base = f"/{base}"
        root = request.root_path
        if staged and f"{base}/".startswith(f"{root}/"):
            base = base[len(root) :]
        if f"{request.path[len(root) :]}/".startswith(f"{base}/"):
            request.root_path += base
    return request
