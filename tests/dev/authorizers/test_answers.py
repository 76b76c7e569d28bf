import json
import re

import pytest

from lambent.dev.authorizers import answers
from lambent.dev.authorizers.answers import Answer, Unusable
from lambent.dev.authorizers.policy import Verdict

ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "arn:*/GET/*"}]}
CONTEXT = {"name": "ada", "level": 7, "share": 0.5, "admin": True, "none": None}


def read(answer: object, *, simple: bool = False, flat: bool = False) -> Answer:
    return answers.read(json.dumps(answer).encode(), simple=simple, flat=flat)


def test_a_simple_answer_is_for_any_method() -> None:
    for authorized, verdict in ((True, Verdict.ALLOWED), (False, Verdict.DENIED)):
        found = read({"isAuthorized": authorized, "context": {"a": [1, {"b": None}]}}, simple=True)
        assert found.on("arn:any") is verdict
        assert found.context == {"a": [1, {"b": None}]}


def test_a_policy_is_evaluated_for_each_method() -> None:
    found = read({"principalId": "ada", "policyDocument": ALLOW, "context": CONTEXT, "usageIdentifierKey": "k"})
    assert (found.on("arn:x/prod/GET/items"), found.on("arn:x/prod/PUT/items")) == (
        Verdict.ALLOWED,
        Verdict.UNMENTIONED,
    )
    assert (found.principal, found.usage_key, found.context) == ("ada", "k", CONTEXT)


def test_nothing_but_the_policy_has_to_be_there() -> None:
    found = read({"policyDocument": ALLOW, "context": None})
    assert (found.principal, found.usage_key, found.context) == (None, "", {})


def test_a_rest_api_makes_strings_of_the_context() -> None:
    found = read({"policyDocument": ALLOW, "context": CONTEXT}, flat=True)
    assert found.context == {"name": "ada", "level": "7", "share": "0.5", "admin": "true", "none": None}


@pytest.mark.parametrize("value", [[], {}, ["a"]])
def test_and_takes_nothing_nested(value: object) -> None:
    with pytest.raises(Unusable, match="strings, numbers and booleans only, but 'roles' is none of these"):
        read({"policyDocument": ALLOW, "context": {"a": 1, "roles": value}}, flat=True)


@pytest.mark.parametrize(
    ("answer", "simple", "complaint"),
    [
        (None, True, "expected an object, but it returned None"),
        (True, True, "expected an object, but it returned True"),
        ({}, True, "expected {'isAuthorized': true} or false, but it returned an empty object"),
        ({"isAuthorized": "true"}, True, "but isAuthorized is 'true'"),
        ({"principalId": "a", "policyDocument": ALLOW}, True, "but it returned policyDocument, principalId"),
        ({"isAuthorized": True}, False, "expected a policyDocument, but it returned isAuthorized"),
        ({"policyDocument": {}}, False, "Statement has to be a list of objects, but is None"),
        ({"policyDocument": ALLOW, "context": "x"}, False, "context has to be an object, but is 'x'"),
    ],
)
def test_what_is_no_decision_is_named(answer: object, simple: bool, complaint: str) -> None:
    with pytest.raises(Unusable, match=re.escape(complaint)):
        read(answer, simple=simple)


def test_nor_is_what_is_not_even_json() -> None:
    with pytest.raises(Unusable, match="but it returned 'yes'"):
        answers.read(b"yes", simple=True, flat=False)
