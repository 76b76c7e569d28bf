"""The policy that a Lambda authorizer answers with, and what it says of one method. Pure.

    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": ARN}]}

A statement that denies wins over any that allows; what no statement is about is denied, too. `*` stands for any
characters, slashes and colons included, `?` for one.

Source: docs.aws.amazon.com/IAM, "Policy evaluation logic", "IAM JSON policy elements reference";
docs.aws.amazon.com/apigateway, "Output from an API Gateway Lambda authorizer".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from enum import Enum
from functools import lru_cache
from typing import NamedTuple

ACTION = "execute-api:Invoke"
ELEMENTS = frozenset({"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal"})


class Verdict(Enum):
    """What a policy comes to."""

    ALLOWED = "a statement allows it, and none denies it"
    DENIED = "a statement denies it"
    UNMENTIONED = "no statement is about it"


class InvalidPolicy(ValueError):
    """It is none; the text says what is wrong with it."""


class Statement(NamedTuple):
    """One statement, read."""

    allows: bool
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    but_actions: bool = False
    """Whether it is about all actions but these."""
    but_resources: bool = False

    def is_about(self, arn: str) -> bool:
        named = any(matches(each.lower(), ACTION.lower()) for each in self.actions)
        covered = any(matches(each, arn) for each in self.resources)
        return named is not self.but_actions and covered is not self.but_resources


Policy = tuple[Statement, ...]


def read(document: object) -> Policy:
    """A policy document. Raises InvalidPolicy."""
    if not isinstance(document, Mapping):
        raise InvalidPolicy(f"policyDocument has to be an object, but is {document!r:.100}")
    found = document.get("Statement")
    statements = [found] if isinstance(found, Mapping) else found
    if not isinstance(statements, list) or not all(isinstance(each, Mapping) for each in statements):
        raise InvalidPolicy(f"Statement has to be a list of objects, but is {found!r:.100}")
    return tuple(map(_statement, statements))


def evaluate(policy: Iterable[Statement], arn: str) -> Verdict:
    """What it says of invoking the method `arn`."""
    relevant = [statement.allows for statement in policy if statement.is_about(arn)]
    if not relevant:
        return Verdict.UNMENTIONED
    return Verdict.ALLOWED if all(relevant) else Verdict.DENIED


def matches(pattern: str, text: str) -> bool:
    return _compiled(pattern).fullmatch(text) is not None


@lru_cache(512)
def _compiled(pattern: str) -> re.Pattern[str]:
    # Atomic: a pattern of many stars, from whatever answered, takes no longer than its length times the text's.
    pieces = [re.escape(piece).replace(r"\?", ".") for piece in re.sub(r"\*+", "*", pattern).split("*")]
    if len(pieces) == 1:
        return re.compile(pieces[0], re.DOTALL)
    first, *middle, last = pieces
    return re.compile(first + "".join(f"(?>.*?{piece})" for piece in middle) + f".*{last}", re.DOTALL)


def _statement(found: Mapping[str, object]) -> Statement:
    if unknown := sorted(set(found) - ELEMENTS):
        raise InvalidPolicy(f"a statement has {', '.join(unknown)}, which is not evaluated here")
    effect = found.get("Effect")
    if effect not in ("Allow", "Deny"):
        raise InvalidPolicy(f"Effect has to be Allow or Deny, but is {effect!r:.100}")
    actions, but_actions = _either(found, "Action")
    resources, but_resources = _either(found, "Resource")
    return Statement(effect == "Allow", actions, resources, but_actions, but_resources)


def _either(found: Mapping[str, object], name: str) -> tuple[tuple[str, ...], bool]:
    """The texts of `name` or of its opposite, of which there has to be one; and whether it is the opposite."""
    given = [key for key in (name, f"Not{name}") if key in found]
    if len(given) != 1:
        raise InvalidPolicy(f"a statement has to have either {name} or Not{name}, but has {given or 'neither'}")
    value = found[given[0]]
    texts = [value] if isinstance(value, str) else value
    if not isinstance(texts, list) or not texts or not all(isinstance(each, str) for each in texts):
        raise InvalidPolicy(f"{given[0]} has to be a string or a list of these, but is {value!r:.100}")
    return tuple(texts), given[0] != name
