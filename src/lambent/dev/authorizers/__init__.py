"""Who may pass an API's entrance, decided as API Gateway does it.

    policy.py       PURE   IAM policies
    identity.py     PURE   where a request says who it is
    events.py       PURE   what a Lambda authorizer is asked
    answers.py      PURE   and what it answers
    lambdas.py             asking, and keeping decisions
    tokens.py       PURE   JSON Web Tokens
    claims.py       PURE   what events tell of them
    keys.py                the keys of those who issue them
    bearers.py             JWT authorizers and user pools
    signatures.py   PURE   AWS_IAM
    caller.py              `--as user.json`
    refusals.py     PURE   what clients are answered
    checks.py       PURE   what cannot work, said before the first request

Order: first the authorizer, then the API key. Whoever is refused is told no more than on AWS; why, a line in the
terminal says, without tokens and keys.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from lambent.dev.authorizers import events, identity, refusals, signatures
from lambent.dev.authorizers.answers import Answer
from lambent.dev.authorizers.bearers import Bearers, missing
from lambent.dev.authorizers.caller import IAM, NOBODY, Caller, signature
from lambent.dev.authorizers.checks import AWS_IAM, OPEN, sources
from lambent.dev.authorizers.keys import Keys
from lambent.dev.authorizers.lambdas import PATIENCE, Asked, Lambdas
from lambent.dev.authorizers.policy import Verdict
from lambent.dev.authorizers.refusals import REST, Denied
from lambent.dev.doors import websocket_api
from lambent.dev.doors.model import Arrival, Entry, Fields, HTTPReply, HTTPRequest, Matched, Site
from lambent.dev.guard import Allowed
from lambent.dev.model import Authorizer, Entrance, Route
from lambent.dev.service import Service

SECRET = 8
"""Characters from which on something that a client sent as its identity is kept out of the terminal."""


class Case(NamedTuple):
    """One request that has found a route."""

    route: Route
    entrance: Entrance
    request: HTTPRequest
    matched: Matched
    arrival: Arrival
    door: Entry

    @property
    def kind(self) -> str:
        return self.entrance.kind

    @property
    def authorizer(self) -> str:
        return self.route.authorizer or self.entrance.default_authorizer

    def event(self) -> Fields:
        """What the door makes of the request, without its body: nobody decides by that."""
        return self.door.event(self.request._replace(body=b""), self.arrival, self.matched)


class Authorizers:
    """Decides on every request that has found a route.

    - `say`: takes a line for people
    - `caller`: who sends every request, if anybody was named; may be replaced
    """

    def __init__(
        self,
        service: Service,
        say: Callable[[str], None],
        *,
        caller: Caller = NOBODY,
        keys: Keys | None = None,
        clock: Callable[[], float] = time.time,
        patience: float = PATIENCE,
    ) -> None:
        self.caller = caller
        self._say = say
        self._bearers = Bearers(keys, clock)
        self._lambdas = Lambdas(service, patience)
        self._has_warned = False

    async def check(
        self, route: Route, entrance: Entrance, request: HTTPRequest, matched: Matched, arrival: Arrival, door: Entry
    ) -> Allowed | HTTPReply:
        """As `lambent.dev.guard.Guard` has it."""
        case = Case(route, entrance, request, matched, arrival, door)
        try:
            allowed, usage_key = await self._authorized(case)
            return allowed._replace(identity=api_key(case, usage_key)) if route.api_key else allowed
        except Denied as denied:
            who = f"the authorizer {case.authorizer}" if case.authorizer not in ("", OPEN, AWS_IAM) else "authorization"
            why = " ".join(without_secrets(denied.why, case).split())
            self._say(f"RequestId: {arrival.request_id} {door.title} answers {denied.reply.status}, by {who}: {why}.")
            return denied.reply

    async def _authorized(self, case: Case) -> tuple[Allowed, str]:
        """And the API key that a Lambda authorizer names, or empty. Raises Denied."""
        if case.authorizer in ("", OPEN):
            return Allowed(), ""
        if case.authorizer == AWS_IAM:
            return Allowed({"iam": self._signed(case)}), ""
        authorizer = next((each for each in case.entrance.authorizers if each.name == case.authorizer), None)
        if authorizer is None:
            names = ", ".join(each.name for each in case.entrance.authorizers) or "none"
            raise Denied(refusals.failed(case.kind), f"the entrance {case.entrance.name} has no such one, but {names}")
        if authorizer.kind in ("request", "token"):
            return await self._decided(case, authorizer)
        return Allowed({"jwt": await self._claimed(case, authorizer)}), ""

    def _signed(self, case: Case) -> Mapping[str, object]:
        account = case.door.site.account
        if (injected := self.caller.signed(account)) is not None:
            return injected
        key = signatures.access_key(case.request, case.kind)
        if not self._has_warned:
            self._has_warned = True
            self._say("Signatures (AWS_IAM) have to be there, but are not verified here.")
        return signature(IAM(access_key=key), account)

    async def _claimed(self, case: Case, authorizer: Authorizer) -> Mapping[str, object]:
        source, *_ = sources(authorizer)
        check = self._bearers.of_user_pool if authorizer.kind == "cognito" else self._bearers.of_http_api
        text = "" if self.caller.claims is not None else identity.value(source, case.request, seen(case, [source]))
        if self.caller.claims is None and not text:
            raise missing(case.kind, source)
        return await check(authorizer, case.route, text, self.caller)

    async def _decided(self, case: Case, authorizer: Authorizer) -> tuple[Allowed, str]:
        """By a function."""
        wanted = sources(authorizer)
        event = seen(case, wanted)
        values = tuple(identity.value(source, case.request, event) for source in wanted)
        if absent := [source for source, value in zip(wanted, values, strict=True) if not value]:
            raise Denied(refusals.unauthorized(case.kind), f"the request has nothing in {absent[0]}")
        if authorizer.kind == "token" and authorizer.pattern and not re.fullmatch(authorizer.pattern, values[0]):
            raise Denied(refusals.unauthorized(case.kind), f"the token does not match {authorizer.pattern!r}")
        asked = await self._lambdas.ask(
            case.entrance, authorizer, values, lambda: question(case, authorizer, values), case.arrival.trace
        )
        return Allowed({"lambda": applied(case, asked)}), asked.answer.usage_key


def seen(case: Case, wanted: Sequence[identity.Source]) -> Mapping[str, object]:
    """The door's event, if any of the sources is read there."""
    return case.event() if any(source.where in ("context", "stageVariables") for source in wanted) else {}


def question(case: Case, authorizer: Authorizer, values: tuple[str, ...]) -> Fields:
    """The event for the function that decides."""
    bare = case.request._replace(body=b"")
    if case.kind not in (REST, websocket_api.KIND):
        return events.of_http_api(authorizer.payload, bare, case.arrival, case.matched, case.door, values)
    event = case.event()
    arn = events.method_arn(event, bare, case.matched, case.door)
    if case.kind == websocket_api.KIND:
        return events.of_websocket_api(event, arn)
    return events.of_token(values[0], arn) if authorizer.kind == "token" else events.of_rest_api(event, arn)


def applied(case: Case, asked: Asked) -> Fields:
    """What the function behind the route is told of the decision. Raises Denied."""
    answer = asked.answer
    verdict = answer.on(events.method_arn(case.event(), case.request, case.matched, case.door))
    if verdict is not Verdict.ALLOWED:
        reply = refusals.denied(case.kind, explicitly=verdict is Verdict.DENIED)
        raise Denied(reply, because(answer, verdict))
    if case.kind == "http":
        return dict(answer.context)
    principal = {} if answer.principal is None else {"principalId": answer.principal}
    return {**principal, "integrationLatency": asked.latency, **answer.context}


def because(answer: Answer, verdict: Verdict) -> str:
    if answer.verdict is not None:
        return "isAuthorized is false"
    return f"its policy does not allow it: {verdict.value}"


def api_key(case: Case, usage_key: str) -> Mapping[str, object]:
    """What `requestContext.identity` tells of the API key. Raises Denied."""
    by_authorizer = case.entrance.api_key_source == "authorizer"
    sent = b",".join(text for name, text in case.request.headers if name == b"x-api-key").decode("latin-1")
    key = usage_key if by_authorizer else sent
    for name, value in case.entrance.api_keys.items():
        if key and key == value:
            return {"apiKey": value, "apiKeyId": Site(name).identifier(10)}
    where = "the authorizer's usageIdentifierKey" if by_authorizer else "the header x-api-key"
    names = ", ".join(case.entrance.api_keys) or "none"
    what = f"{where} is none of the API keys, which are: {names}" if key else f"it wants an API key in {where}"
    raise Denied(refusals.forbidden(case.kind), what)


def without_secrets(text: str, case: Case) -> str:
    """Functions that fail may quote what they were sent."""
    sent = [value.decode("latin-1") for name, value in case.request.headers if name in (b"authorization", b"x-api-key")]
    for authorizer in case.entrance.authorizers:
        found = (source for source in sources(authorizer) if source.where in ("header", "querystring"))
        sent += [identity.value(source, case.request, {}) for source in found]
    secrets = {each for whole in sent for each in (whole, identity.bearer(whole)) if len(each) >= SECRET}
    for secret in sorted(secrets, key=len, reverse=True):  # a header before the token in it
        text = text.replace(secret, "…")
    return text
