"""Cognito user pools: what happens to a user, and what is to be done about it.

Source: docs.aws.amazon.com/cognito, "Customizing user pool workflows with Lambda triggers", and the page of each.

The reply is the event itself, with its `response` filled in; anything else fails what the user was doing. Cognito waits
five seconds, and asks three times.
"""

from __future__ import annotations

from lambent.errors import InvalidResult
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from lambent.types import Event, Result

SINGLE = True

inner = fields.nothing_inside
reply = fields.no_partial_failures


class CognitoRecord(Record):
    """One trigger. Fill in `response`; to refuse, raise: the user is told the message."""

    __slots__ = ()

    source = "cognito"
    filled_in = "response"

    @property
    def trigger(self) -> str:
        """`PreSignUp_SignUp`: what it is, and what has caused it."""
        return fields.text(self.raw, "triggerSource")

    @property
    def name(self) -> str:
        """Of the trigger."""
        return self.trigger

    @property
    def pool(self) -> str:
        """Id of the user pool."""
        return fields.text(self.raw, "userPoolId")

    @property
    def client_id(self) -> str | None:
        """Of the app client."""
        return fields.text_or_none(self.raw, "callerContext", "clientId")

    @property
    def user(self) -> str | None:
        """`userName`; None where there is no user, as for client credentials."""
        return fields.text_or_none(self.raw, "userName")

    @property
    def region(self) -> str:
        return fields.text(self.raw, "region")

    @property
    def version(self) -> str:
        """Of the event: `1`, or more for a PreTokenGeneration that was configured so."""
        return str(fields.at(self.raw, ("version",)))

    @property
    def request(self) -> dict[str, Event]:
        """What Cognito tells, by trigger."""
        return fields.mapping(self.raw, "request")

    @property
    def body(self) -> Event:
        """The request."""
        return self.request

    @property
    def attributes(self) -> dict[str, Event]:
        """Of the user; all of them are strings."""
        return fields.mapping(self.raw, "request", "userAttributes")

    @property
    def client_metadata(self) -> dict[str, Event]:
        """What the app has sent along."""
        return fields.mapping(self.raw, "request", "clientMetadata")

    @property
    def response(self) -> dict[str, Event]:
        """What is to be filled in, by trigger: the event's own, so that changes are replied."""
        if self.raw.get("response") is None:
            self.raw["response"] = {}
        return fields.mapping(self.raw, "response")


def records(event: Event) -> Sequence[Record]:
    return (CognitoRecord(fields.event_object(event)),)


def result(record: Record, returned: object) -> Result:
    """Give the reply: the event, as its function has left or returned it. Raises InvalidResult for anything else."""
    if returned is None:
        return record.raw
    if isinstance(returned, dict) and "triggerSource" in returned and "response" in returned:
        return returned
    raise InvalidResult(
        f"Expected a function of Cognito to return None or the event, but it returned {type(returned).__name__} that "
        "is not one. Fill in `record.response` instead.",
        "Runtime.MarshalError",
    )
