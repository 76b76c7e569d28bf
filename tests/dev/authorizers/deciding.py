"""A service whose functions decide at once, as they are told to."""

from __future__ import annotations

import json
from typing import Any

from lambent.dev.model import Cause, Failed, Function, Replied, Result
from tests.dev.instant import Instant

FUNCTIONS = (Function("decide", "app.decide"), Function("api", "app.api"))
UNAUTHORIZED = Failed(Cause.FUNCTION, b'{"errorType":"Exception","errorMessage":"Unauthorized"}')


class Deciding(Instant):
    """With generations, which the test sets."""

    def __init__(self, *answers: object) -> None:
        super().__init__(
            FUNCTIONS, *(each if isinstance(each, Replied | Failed) else replied(each) for each in answers)
        )
        self.code = 1

    def generation(self, name: str) -> int:
        return self.code if name in self.functions else 0

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(request.payload) for request in self.requests]


def replied(value: object) -> Result:
    return Replied(json.dumps(value).encode())


def policy(effect: str = "Allow", resource: str = "*", **others: object) -> dict[str, object]:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    return {"principalId": "ada", "policyDocument": {"Version": "2012-10-17", "Statement": [statement]}, **others}
