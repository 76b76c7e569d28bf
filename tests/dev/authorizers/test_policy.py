"""IAM policies, against a plain reading of the rules."""

import fnmatch
import re
import time
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.dev.authorizers import policy
from lambent.dev.authorizers.policy import InvalidPolicy, Verdict

ARN = "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/prod/GET/items/7"
INVOKE = "execute-api:Invoke"


def statement(effect: str, resource: object, action: object = INVOKE) -> dict[str, object]:
    return {"Effect": effect, "Action": action, "Resource": resource}


def verdict(*statements: Mapping[str, object], arn: str = ARN) -> Verdict:
    return policy.evaluate(policy.read({"Version": "2012-10-17", "Statement": list(statements)}), arn)


@pytest.mark.parametrize(
    "resource",
    [
        ARN,
        "*",
        "arn:aws:execute-api:*",
        "arn:aws:execute-api:*:*:a1b2c3d4e5/prod/*/items/*",
        "arn:aws:execute-api:eu-west-1:123456789012:a1b2c3d4e5/????/GET/*",
        [ARN.replace("GET", "POST"), ARN],
    ],
)
def test_a_resource_may_be_named_by_wildcards(resource: object) -> None:
    assert verdict(statement("Allow", resource)) is Verdict.ALLOWED
    assert verdict(statement("Deny", resource)) is Verdict.DENIED


@pytest.mark.parametrize(
    "resource", [ARN[:-1], f"{ARN}?", ARN.lower().replace("get", "Get"), "arn:aws:execute-api:*/prod/POST/*", "", "?"]
)
def test_another_resource_is_unmentioned(resource: str) -> None:
    assert verdict(statement("Allow", resource)) is Verdict.UNMENTIONED


@pytest.mark.parametrize("action", ["EXECUTE-API:invoke", "execute-api:*", "*", ["s3:*", INVOKE]])
def test_actions_go_by_any_case(action: object) -> None:
    assert verdict(statement("Allow", "*", action)) is Verdict.ALLOWED
    assert verdict(statement("Allow", "*", "s3:GetObject")) is Verdict.UNMENTIONED


def test_all_but_some() -> None:
    others = {"Effect": "Deny", "Action": INVOKE, "NotResource": ARN}
    assert verdict(statement("Allow", "*"), others) is Verdict.ALLOWED
    assert verdict(statement("Allow", "*"), others, arn=f"{ARN}0") is Verdict.DENIED
    assert verdict({"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}) is Verdict.ALLOWED
    assert verdict({"Effect": "Allow", "NotAction": "execute-api:*", "Resource": "*"}) is Verdict.UNMENTIONED


def test_no_statement_says_nothing_and_one_may_stand_alone() -> None:
    assert verdict() is Verdict.UNMENTIONED
    assert policy.evaluate(policy.read({"Statement": statement("Allow", "*")}), ARN) is Verdict.ALLOWED


@pytest.mark.parametrize(
    ("document", "complaint"),
    [
        ("Allow", "policyDocument has to be an object, but is 'Allow'"),
        ({}, "Statement has to be a list of objects, but is None"),
        ({"Statement": ["Allow"]}, "Statement has to be a list of objects"),
        ({"Statement": [statement("allow", "*")]}, "Effect has to be Allow or Deny, but is 'allow'"),
        ({"Statement": [statement("Allow", None)]}, "Resource has to be a string or a list of these, but is None"),
        ({"Statement": [statement("Allow", [])]}, "Resource has to be a string or a list"),
        ({"Statement": [statement("Allow", ["*", 1])]}, "Resource has to be a string or a list"),
        ({"Statement": [{"Effect": "Allow", "Resource": "*"}]}, "either Action or NotAction, but has neither"),
        ({"Statement": [{**statement("Allow", "*"), "NotAction": "*"}]}, "but has ['Action', 'NotAction']"),
        ({"Statement": [{**statement("Allow", "*"), "Condition": {}}]}, "has Condition, which is not evaluated here"),
        ({"Statement": [{**statement("Allow", "*"), "resource": "*"}]}, "has resource, which is not evaluated"),
    ],
)
def test_what_is_no_policy_is_named(document: Any, complaint: str) -> None:
    with pytest.raises(InvalidPolicy, match=re.escape(complaint)):
        policy.read(document)


def test_a_pattern_of_many_stars_takes_no_time() -> None:
    began = time.monotonic()
    assert not policy.matches("*a" * 40 + "b", "a" * 1600)
    assert time.monotonic() - began < 5


TEXTS = st.text("ab/:.[", max_size=12)
PATTERNS = st.text("ab/*?.[", max_size=8)
RESOURCES = st.sampled_from(["*", ARN, ARN[:-1], "arn:*", "*POST*", "x"])
STATEMENTS = st.lists(st.builds(statement, st.sampled_from(["Allow", "Deny"]), RESOURCES), max_size=4)


@given(PATTERNS, TEXTS)
def test_wildcards_are_those_of_a_shell(pattern: str, text: str) -> None:
    shell = "".join("[[]" if each == "[" else each for each in pattern)
    assert policy.matches(pattern, text) is fnmatch.fnmatchcase(text, shell)


@given(STATEMENTS)
def test_deny_wins_and_silence_denies(statements: list[dict[str, object]]) -> None:
    said = {each["Effect"] for each in statements if policy.matches(str(each["Resource"]), ARN)}
    expected = Verdict.DENIED if "Deny" in said else Verdict.ALLOWED if said else Verdict.UNMENTIONED
    assert verdict(*statements) is expected


@given(STATEMENTS, st.randoms(use_true_random=False))
def test_the_order_of_statements_does_not_matter(statements: list[dict[str, object]], random: Any) -> None:
    shuffled = random.sample(statements, len(statements))
    assert verdict(*shuffled) is verdict(*statements)


@given(STATEMENTS, STATEMENTS)
def test_more_statements_never_allow_what_one_denies(
    some: list[dict[str, object]], others: list[dict[str, object]]
) -> None:
    if verdict(*some) is Verdict.DENIED:
        assert verdict(*others, *some) is Verdict.DENIED
