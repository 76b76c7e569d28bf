"""Lambda authorizers of API Gateway: who asks for what, and whether they may.

Source: docs.aws.amazon.com/apigateway, "Input to an API Gateway Lambda authorizer", "Output from an API Gateway Lambda
authorizer", "Control access to HTTP APIs with AWS Lambda authorizers", and live captures.

- REST APIs, WebSocket APIs and payload format 1.0 of HTTP APIs take policies alone; format 2.0 takes `isAuthorized`
  where simple responses are enabled, otherwise policies. An event does not tell whether they are.
- API Gateway keeps an answer for a token, and then goes by its policy for every other method of the API: an answer
  about one method denies all the others. Name them in `resources`, or let it keep none.
- A REST API answers 401, not 403, to a function that raises an error whose message is `Unauthorized`.
"""

from __future__ import annotations

from lambent.errors import InvalidResult
from lambent.events.model import Record
from lambent.events.sources import fields

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lambent.types import Event, Result

SINGLE = True

TOKEN = "token"  # noqa: S105 - a kind of authorizer
"""Of a REST API: told the token and the method."""
REQUEST = "request"
"""Of a REST API: told the request."""
WEBSOCKET = "websocket"
"""Of a WebSocket API: told the handshake."""
HTTP_1 = "http-1.0"
HTTP_2 = "http-2.0"
"""Of an HTTP API, by payload format."""

inner = fields.nothing_inside
reply = fields.no_partial_failures


class AuthorizerRecord(Record):
    """One question."""

    __slots__ = ()

    source = "authorizer"

    @property
    def kind(self) -> str:
        """TOKEN, REQUEST, WEBSOCKET, HTTP_1 or HTTP_2."""
        version = self.raw.get("version")
        if version == "2.0" or "routeArn" in self.raw:
            return HTTP_2
        if self.raw.get("type") == "TOKEN":
            return TOKEN
        if version == "1.0":
            return HTTP_1
        return WEBSOCKET if "connectionId" in self._context else REQUEST

    @property
    def id(self) -> str:
        """`requestId` of the request; empty for a TOKEN, which is not told."""
        return fields.text_or_none(self._context, "requestId") or ""

    @property
    def name(self) -> str:
        """What is asked for: `GET /items/7`, or `$connect`."""
        api = self.arn.split(":", 5)[-1].split("/", 3)
        return f"{api[2]} /{api[3]}" if len(api) > 3 else api[-1]

    @property
    def arn(self) -> str:
        """Of the method: what a policy is about."""
        return fields.text(self.raw, "routeArn" if "routeArn" in self.raw else "methodArn")

    @property
    def api(self) -> str:
        """Its id."""
        return self._arn_part(0)

    @property
    def stage(self) -> str:
        """Its name; `$default` of an HTTP API."""
        return self._arn_part(1)

    @property
    def method(self) -> str:
        """`GET`; empty for a handshake."""
        return "" if self.kind == WEBSOCKET else self._arn_part(2)

    @property
    def path(self) -> str:
        """As the gateway tells it, without the stage but where an HTTP API has it; empty for a handshake."""
        if self.kind == WEBSOCKET:
            return ""
        told = fields.text_or_none(self.raw, "rawPath" if self.kind == HTTP_2 else "path")
        return told if told is not None else f"/{self._arn_part(3)}"

    @property
    def token(self) -> str | None:
        """Who asks: the first identity source as it came, otherwise the header `authorization`; None for nobody."""
        told = fields.at(self.raw, ("authorizationToken" if self.kind == TOKEN else "identitySource",))
        if isinstance(told, list):
            told = fields.texts(self.raw, "identitySource")[0] if told else None
        return told if isinstance(told, str) else self.headers.get("authorization")

    @property
    def bearer(self) -> str | None:
        """The token after `Bearer`, in whatever letters; None for one of another scheme."""
        scheme, _, value = (self.token or "").partition(" ")
        return value.strip() or None if scheme.lower() == "bearer" else None

    @property
    def headers(self) -> dict[str, str]:
        """Names in lower case, the last value of each."""
        found = fields.mapping(self.raw, "headers")
        return {name.lower(): fields.text(found, name) for name in found}

    @property
    def query(self) -> dict[str, str]:
        """The last value of each parameter; of format 2.0 all of them, with commas between."""
        found = fields.mapping(self.raw, "queryStringParameters")
        return {name: fields.text(found, name) for name in found}

    @property
    def path_parameters(self) -> dict[str, str]:
        found = fields.mapping(self.raw, "pathParameters")
        return {name: fields.text(found, name) for name in found}

    @property
    def cookies(self) -> dict[str, str]:
        """By their names, the first of each."""
        told = fields.texts(self.raw, "cookies") or self.headers.get("cookie", "").split(";")
        pairs = [each.partition("=") for each in told]
        return {name.strip(): value.strip() for name, equals, value in reversed(pairs) if equals}

    @property
    def source_ip(self) -> str | None:
        """The address of the client; None for a TOKEN, which is not told."""
        place = ("http", "sourceIp") if self.kind == HTTP_2 else ("identity", "sourceIp")
        return fields.text_or_none(self._context, *place)

    @property
    def connection_id(self) -> str | None:
        """Of the WebSocket connection that is to be made; None for a request."""
        return fields.text_or_none(self._context, "connectionId")

    @property
    def _context(self) -> dict[str, Event]:
        return fields.mapping(self.raw, "requestContext")

    def _arn_part(self, number: int) -> str:
        parts = self.arn.split(":", 5)[-1].split("/", 3)
        return parts[number] if number < len(parts) else ""


class Decision:
    """Whether they may, and what the application is told of them. `allow` and `deny` make it."""

    __slots__ = ("allowed", "context", "policy", "principal", "resources", "usage_key")

    def __init__(
        self,
        allowed: bool,
        principal: str,
        context: Mapping[str, object] | None,
        resources: Sequence[str],
        usage_key: str,
        policy: bool,
    ) -> None:
        self.allowed = allowed
        self.principal = principal
        self.context = context
        self.resources = resources
        self.usage_key = usage_key
        self.policy = policy or bool(resources) or bool(usage_key)

    def __repr__(self) -> str:
        return f"<Decision {'allow' if self.allowed else 'deny'}>"


def allow(
    principal: str = "",
    *,
    context: Mapping[str, object] | None = None,
    resources: Sequence[str] = (),
    usage_key: str = "",
    policy: bool = False,
) -> Decision:
    """Let them in.

    - `principal`: who it is; `principalId` of a policy, and in the context of a simple answer
    - `context`: what the application is told; strings, numbers and booleans, but for HTTP APIs
    - `resources`: ARNs, with `*`, of all they may do, where API Gateway keeps answers; this method, if none are given
    - `usage_key`: the API key that a usage plan counts
    - `policy`: answer payload format 2.0 with a policy, too, because simple responses are not enabled
    """
    return Decision(True, principal, context, resources, usage_key, policy)


def deny(
    principal: str = "",
    *,
    context: Mapping[str, object] | None = None,
    resources: Sequence[str] = (),
    policy: bool = False,
) -> Decision:
    """Keep them out: 403. The parameters are those of `allow`."""
    return Decision(False, principal, context, resources, "", policy)


def records(event: Event) -> Sequence[Record]:
    return (AuthorizerRecord(fields.event_object(event)),)


def result(record: Record, returned: object) -> Result:
    """Give the answer as this kind wants it, of True, False, a Decision; a dict is one. Raises InvalidResult."""
    if isinstance(returned, dict):
        return returned
    if isinstance(returned, bool):
        returned = Decision(returned, "", None, (), "", policy=False)
    if not isinstance(record, AuthorizerRecord) or not isinstance(returned, Decision):
        raise InvalidResult(
            "Expected an authorizer to return True, False, allow(...), deny(...) or a dict, but it returned "
            f"{type(returned).__name__}.",
            "Runtime.MarshalError",
        )
    if record.kind == HTTP_2 and not returned.policy:
        return _simple(returned)
    return _with_policy(record, returned)


def _simple(decision: Decision) -> Result:
    told = {"principalId": decision.principal} if decision.principal else {}
    context = {**told, **(decision.context or {})}
    return {"isAuthorized": decision.allowed, **({"context": context} if context else {})}


def _with_policy(record: AuthorizerRecord, decision: Decision) -> Result:
    statement = {
        "Action": "execute-api:Invoke",
        "Effect": "Allow" if decision.allowed else "Deny",
        "Resource": list(decision.resources) or [_literal(record.arn) if decision.allowed else record.arn],
    }
    answer: dict[str, Event] = {
        "principalId": decision.principal or "user",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    if decision.context:
        answer["context"] = _flat(decision.context) if record.kind in (TOKEN, REQUEST, WEBSOCKET) else decision.context
    if decision.usage_key:
        answer["usageIdentifierKey"] = decision.usage_key
    return answer


def _literal(arn: str) -> str:
    """An ARN whose path, which the client has written, stands for itself: `GET /*` must not be let in everywhere."""
    return arn.replace("*", "${*}").replace("?", "${?}")


def _flat(context: Mapping[str, object]) -> dict[str, object]:
    """Raises InvalidResult for what a REST API would answer 500 to."""
    for name, value in context.items():
        if value is not None and not isinstance(value, str | int | float):
            raise InvalidResult(
                f"Expected the context of this API to have strings, numbers and booleans, but {name!r:.80} is "
                f"{type(value).__name__}. Write it as JSON text.",
                "Runtime.MarshalError",
            )
    return dict(context)
