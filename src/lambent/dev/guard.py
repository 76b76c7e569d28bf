"""Who may pass: what the front door asks before it invokes a function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple, Protocol

from lambent.dev.doors.model import NOTHING, Arrival, Entry, HTTPReply, HTTPRequest, Matched
from lambent.dev.model import Entrance, Route


class Allowed(NamedTuple):
    """The request goes on to the function, with what is known of who sent it."""

    authorizer: Mapping[str, object] | None = None
    """In the form of payload format 2.0, whatever the door; that places it where and as AWS does there.

    - `{"jwt": {"claims": {…}, "scopes": […] | None}}`: of a JWT authorizer, or Cognito's on a REST API
    - `{"lambda": {…}}`: the context that a Lambda authorizer answered with; where the door tells them, with
      `principalId` and `integrationLatency`
    - `{"iam": {…}}`: accessKey, accountId, callerId, cognitoIdentity, principalOrgId, userArn, userId
    """
    identity: Mapping[str, object] = NOTHING
    """Beside that, of `requestContext.identity`: `apiKey`, `apiKeyId`. For doors that have one."""


class Guard(Protocol):
    """Decides on every request that has found a route, but not on preflights, which the door answers by itself."""

    async def check(
        self, route: Route, entrance: Entrance, request: HTTPRequest, matched: Matched, arrival: Arrival, door: Entry
    ) -> Allowed | HTTPReply:
        """Let it pass, or answer it. The door's ids and CORS headers are added to an answer by the front door.

        `door.event(request, arrival, matched)` is the event as it stands, without an authorizer; `door.site` says where
        all of it is deployed.
        """


class NoGuard:
    """Lets everyone pass."""

    async def check(
        self, route: Route, entrance: Entrance, request: HTTPRequest, matched: Matched, arrival: Arrival, door: Entry
    ) -> Allowed | HTTPReply:
        """Let it pass."""
        del route, entrance, request, matched, arrival, door
        return NOBODY


NOBODY = Allowed()
