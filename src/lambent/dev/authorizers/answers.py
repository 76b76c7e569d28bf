"""What a Lambda authorizer answered, read and applied to a method. Pure.

    {"isAuthorized": true, "context": {...}}                                        simple, of an HTTP API
    {"principalId": "ada", "policyDocument": {...}, "context": {...},
     "usageIdentifierKey": "..."}                                                   with a policy

Source: docs.aws.amazon.com/apigateway, "Control access to HTTP APIs with AWS Lambda authorizers", "Output from an API
Gateway Lambda authorizer". Seen by others: that nothing but `policyDocument` has to be there; that a REST API fails
where the context has a list or an object.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import NamedTuple

from lambent.dev.authorizers import policy
from lambent.dev.authorizers.policy import InvalidPolicy, Policy, Verdict


class Unusable(ValueError):
    """It is no decision; the text says what was expected and what came."""


class Answer(NamedTuple):
    """A decision, which may hold for more than one request."""

    verdict: Verdict | None
    """None: the policy says it, of each method."""
    policy: Policy
    context: Mapping[str, object]
    principal: str | None
    usage_key: str
    """Empty for none."""

    def on(self, arn: str) -> Verdict:
        return self.verdict or policy.evaluate(self.policy, arn)


def read(payload: bytes, *, simple: bool, flat: bool) -> Answer:
    """Raises Unusable. `flat`: the context holds strings, numbers and booleans only, and all become strings."""
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        found = payload.decode("utf-8", "replace")
    if not isinstance(found, dict):
        raise Unusable(f"expected an object, but it returned {found!r:.100}")
    context = found.get("context")
    if context is None:
        context = {}
    if not isinstance(context, dict):
        raise Unusable(f"context has to be an object, but is {context!r:.100}")
    return _simple(found, context) if simple else _with_policy(found, flattened(context) if flat else context)


def flattened(context: Mapping[str, object]) -> dict[str, str | None]:
    """As REST APIs pass it on."""
    if nested := [name for name, value in context.items() if isinstance(value, list | dict)]:
        raise Unusable(f"context may hold strings, numbers and booleans only, but {nested[0]!r} is none of these")
    return {name: _text(value) for name, value in context.items()}


def _text(value: object) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _simple(found: Mapping[str, object], context: Mapping[str, object]) -> Answer:
    authorized = found.get("isAuthorized")
    if not isinstance(authorized, bool):
        came = f"isAuthorized is {authorized!r:.40}" if "isAuthorized" in found else _keys(found)
        raise Unusable(f"expected {{'isAuthorized': true}} or false, but {came}")
    return Answer(Verdict.ALLOWED if authorized else Verdict.DENIED, (), context, None, "")


def _with_policy(found: Mapping[str, object], context: Mapping[str, object]) -> Answer:
    if "policyDocument" not in found:
        raise Unusable(f"expected a policyDocument, but {_keys(found)}")
    try:
        statements = policy.read(found["policyDocument"])
    except InvalidPolicy as error:
        raise Unusable(str(error)) from None
    principal, key = found.get("principalId"), found.get("usageIdentifierKey")
    return Answer(None, statements, context, None if principal is None else str(principal), str(key or ""))


def _keys(found: Mapping[str, object]) -> str:
    return f"it returned {', '.join(sorted(found)) or 'an empty object'}"
