"""Authorizers: what they are asked, and answers in the form that each kind wants."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.authorizers.answers import read
from lambent.dev.authorizers.policy import Verdict
from lambent.errors import InvalidResult
from lambent.events.model import Record, Source
from lambent.events.sources import authorizer
from lambent.events.sources.authorizer import AuthorizerRecord, allow, deny
from lambent.testing import events
from tests.events.sources.mutations import mutated, read_all
from tests.payloads import payload

SOURCE: Source = authorizer


def handshake() -> Any:
    event = payload("websocket_connect")
    arn = "arn:aws:execute-api:eu-west-1:123456789012:w1x2y3z4a5/prod/$connect"
    return {**event, "type": "REQUEST", "methodArn": arn}


KINDS: dict[str, Any] = {
    authorizer.TOKEN: payload("rest_authorizer_token"),
    authorizer.REQUEST: payload("rest_authorizer_request"),
    authorizer.WEBSOCKET: handshake(),
    authorizer.HTTP_1: payload("http_api_authorizer_v1"),
    authorizer.HTTP_2: payload("http_api_authorizer_v2"),
}
POLICIES = [kind for kind in KINDS if kind != authorizer.HTTP_2]


def asked(event: Any) -> AuthorizerRecord:
    (record,) = authorizer.records(event)
    assert isinstance(record, AuthorizerRecord)
    return record


def verdict(record: AuthorizerRecord, returned: object, arn: str = "") -> Verdict:
    """What the local API Gateway makes of it."""
    answer = authorizer.result(record, returned)
    flat = record.kind in (authorizer.TOKEN, authorizer.REQUEST, authorizer.WEBSOCKET)
    return read(json.dumps(answer).encode(), simple="isAuthorized" in answer, flat=flat).on(arn or record.arn)


# The question


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_told_apart(kind: str) -> None:
    record = asked(KINDS[kind])
    assert (record.source, record.kind) == ("authorizer", kind)


def test_a_request_of_an_http_api_is_read_field_by_field() -> None:
    event = payload("http_api_authorizer_v2")
    event |= {"cookies": ["a=1", "b=x=y", "a=2"], "queryStringParameters": {"q": "lamp,oil"}}
    record = asked(event)
    assert record.id == "ATfSmjLgPHcESJw="
    assert record.arn == event["routeArn"]
    assert (record.api, record.stage, record.method, record.path) == ("r7xk2v9qpd", "$default", "GET", "/items/7")
    assert record.name == "GET /items/7"
    assert (record.token, record.bearer) == ("Bearer token", "token")
    assert record.headers["user-agent"] == "curl/8.9.1"
    assert (record.query, record.path_parameters) == ({"q": "lamp,oil"}, {"id": "7"})
    assert record.cookies == {"a": "1", "b": "x=y"}
    assert (record.source_ip, record.connection_id) == ("198.51.100.23", None)
    assert "token" not in repr(record)


@pytest.mark.parametrize("kind", [authorizer.REQUEST, authorizer.HTTP_1])
def test_a_request_in_format_one_is_read_field_by_field(kind: str) -> None:
    event = json.loads(json.dumps(KINDS[kind]))
    event["headers"] |= {"Authorization": "Bearer token", "Cookie": "a=1; b=x=y"}
    record = asked(event)
    assert (record.api, record.stage, record.method, record.path) == ("a1b2c3d4e5", "prod", "GET", "/items/7")
    assert record.name == "GET /items/7"
    assert (record.token, record.bearer) == ("Bearer token", "token")
    assert record.headers["x-forwarded-port"] == "443"
    assert (record.query, record.cookies, record.path_parameters) == ({"q": "oil"}, {"a": "1", "b": "x=y"}, {"id": "7"})
    assert (record.source_ip, record.id) == ("203.0.113.9", "c6af9ac6-7b61-11e6-9a41-93e8deadbeef")


def test_a_token_authorizer_is_told_the_token_and_the_method() -> None:
    record = asked(payload("rest_authorizer_token"))
    assert (record.token, record.bearer) == ("Bearer token", "token")
    assert (record.api, record.stage, record.method, record.path) == ("a1b2c3d4e5", "prod", "GET", "/items/7")
    assert (record.name, record.id, record.headers, record.source_ip) == ("GET /items/7", "", {}, None)


def test_a_handshake_has_neither_method_nor_path() -> None:
    record = asked(handshake())
    assert (record.name, record.method, record.path, record.stage) == ("$connect", "", "", "prod")
    assert record.connection_id
    assert record.token is None


@pytest.mark.parametrize(
    ("token", "bearer"),
    [("bearer  a", "a"), ("BEARER a b", "a b"), ("Bearer", None), ("Bearer ", None), ("Basic a", None), ("a", None)],
)
def test_a_bearer_s_token_comes_after_the_scheme(token: str, bearer: str | None) -> None:
    assert asked({**payload("rest_authorizer_token"), "authorizationToken": token}).bearer == bearer


def test_the_root_has_a_name() -> None:
    assert asked(events.authorizer_token(url="/")).name == "GET /"


@pytest.mark.parametrize("sources", [None, []])
def test_without_identity_sources_the_header_tells(sources: Any) -> None:
    assert asked({**payload("http_api_authorizer_v2"), "identitySource": sources}).token == "Bearer token"


# The answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("yes", "no"), [(True, False), (allow(), deny()), (allow("jane"), deny("jane"))])
def test_the_gateway_understands_every_answer(kind: str, yes: object, no: object) -> None:
    record = asked(KINDS[kind])
    assert verdict(record, yes) is Verdict.ALLOWED
    assert verdict(record, no) is Verdict.DENIED


def test_format_two_is_answered_simply() -> None:
    record = asked(payload("http_api_authorizer_v2"))
    assert authorizer.result(record, True) == {"isAuthorized": True}
    assert authorizer.result(record, deny()) == {"isAuthorized": False}
    assert authorizer.result(record, allow("jane", context={"roles": ["a"]})) == {
        "isAuthorized": True,
        "context": {"principalId": "jane", "roles": ["a"]},
    }


@pytest.mark.parametrize("decision", [allow(policy=True), allow(resources=["arn:*"]), allow(usage_key="k")])
def test_format_two_is_answered_with_a_policy_where_that_is_said(decision: object) -> None:
    record = asked(payload("http_api_authorizer_v2"))
    assert "policyDocument" in authorizer.result(record, decision)
    assert verdict(record, decision) is Verdict.ALLOWED


@pytest.mark.parametrize("kind", POLICIES)
def test_the_others_are_answered_with_a_policy(kind: str) -> None:
    record = asked(KINDS[kind])
    assert authorizer.result(record, allow("jane", context={"a": 1}, usage_key="k")) == {
        "principalId": "jane",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [record.arn]}],
        },
        "context": {"a": 1},
        "usageIdentifierKey": "k",
    }
    assert authorizer.result(record, False)["principalId"] == "user"


def test_an_answer_is_about_one_method_unless_more_are_named() -> None:
    record = asked(payload("rest_authorizer_token"))
    other = record.arn.replace("items/7", "items/8")
    assert verdict(record, allow(), other) is Verdict.UNMENTIONED
    assert verdict(record, allow(resources=[record.arn.replace("items/7", "*")]), other) is Verdict.ALLOWED


@pytest.mark.parametrize("path", ["*", "items/*", "item?/7"])
def test_a_path_with_wildcards_opens_nothing_else(path: str) -> None:
    """The client writes it: `GET /*` must not become a policy that allows everything."""
    event = payload("rest_authorizer_token")
    event["methodArn"] = event["methodArn"].replace("items/7", path)
    assert verdict(asked(event), True, payload("rest_authorizer_token")["methodArn"]) is not Verdict.ALLOWED


@pytest.mark.parametrize("kind", [authorizer.TOKEN, authorizer.REQUEST, authorizer.WEBSOCKET])
@pytest.mark.parametrize("value", [["a"], {"a": 1}, object()])
def test_a_context_that_would_be_answered_500_is_refused_by_name(kind: str, value: object) -> None:
    with pytest.raises(InvalidResult, match="numbers and booleans, but 'roles' is"):
        authorizer.result(asked(KINDS[kind]), allow(context={"roles": value}))
    plain = {"a": "b", "c": 1, "d": 1.5, "e": True, "f": None}
    assert authorizer.result(asked(KINDS[kind]), allow(context=plain))["context"] == plain


def test_an_answer_of_one_s_own_goes_as_it_is() -> None:
    mine = {"isAuthorized": True}
    assert authorizer.result(asked(payload("rest_authorizer_token")), mine) is mine


@pytest.mark.parametrize("returned", [None, 1, 0, "Allow", [], object()])
@pytest.mark.parametrize("kind", KINDS)
def test_nothing_else_lets_anyone_in(kind: str, returned: object) -> None:
    with pytest.raises(InvalidResult, match=r"True, False, allow\(\.\.\.\), deny\(\.\.\.\) or a dict, but it"):
        authorizer.result(asked(KINDS[kind]), returned)


def test_a_decision_does_not_show_what_it_tells() -> None:
    assert repr(allow("jane", context={"token": "hunter2"})) == "<Decision allow>"
    assert repr(deny()) == "<Decision deny>"


@given(data=st.data(), kind=st.sampled_from(list(KINDS)))
def test_any_mutation_is_read_or_refused_as_listed(data: st.DataObject, kind: str) -> None:
    for record in read_all(authorizer, data.draw(mutated(KINDS[kind]))):
        for returned in (True, False):
            answer = answered(record, returned)
            assert answer is None or json.dumps(answer)


def answered(record: Record, returned: bool) -> Any:
    from tests.events.sources.mutations import LISTED

    try:
        return authorizer.result(record, returned)
    except LISTED:
        return None
