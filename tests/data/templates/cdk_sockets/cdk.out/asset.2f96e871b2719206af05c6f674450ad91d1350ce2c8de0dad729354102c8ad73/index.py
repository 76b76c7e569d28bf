from typing import Any


def handler(event: dict[str, Any], _context: Any) -> dict[str, Any]:
    allow = {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": event["methodArn"]}
    return {"principalId": "me", "policyDocument": {"Version": "2012-10-17", "Statement": [allow]}}
