"""`lambent dev --as user.json`: who sends every request, in place of tokens and signatures.

    {
      "claims": {"sub": "ada", "scope": "orders:read", "cognito:groups": ["admins"]},
      "iam": {"userArn": "arn:aws:iam::123456789012:user/ada"},
      "cognito": {"identityId": "us-east-1:…", "identityPoolId": "us-east-1:…", "amr": ["authenticated"]}
    }

`claims` satisfy JWT authorizers and those of user pools, `iam` and `cognito` routes with AWS_IAM. Lambda authorizers
are asked all the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from lambent.dev.model import Authorizer
from lambent.errors import ConfigurationError

ACCESS_KEY = "ASIAIOSFODNN7EXAMPLE"
"""The one of AWS's documents."""
HOUR = 3600


class IAM(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """As events tell it. What is not said is made up."""

    access_key: str = ACCESS_KEY
    account_id: str = ""
    caller_id: str = ""
    principal_org_id: str | None = None
    user_arn: str = ""
    user_id: str = ""


class Cognito(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """An identity of an identity pool."""

    identity_id: str
    identity_pool_id: str
    amr: list[str] = msgspec.field(default_factory=lambda: ["authenticated"])


class Caller(msgspec.Struct, forbid_unknown_fields=True, rename="camel", frozen=True):
    """Who sends every request."""

    claims: dict[str, object] | None = None
    iam: IAM | None = None
    cognito: Cognito | None = None

    def signed(self, account: str) -> dict[str, object] | None:
        """As a signature would tell it: `authorizer.iam`. None if the caller has no AWS credentials."""
        if self.iam is None and self.cognito is None:
            return None
        return signature(self.iam or IAM(), account, self.cognito)

    def claimed(self, authorizer: Authorizer, now: float) -> dict[str, object] | None:
        """The claims, and those that the authorizer wants, where nothing else is said. None if the caller has none."""
        if self.claims is None:
            return None
        issued = {"iss": authorizer.issuer} | ({"aud": authorizer.audience[0]} if authorizer.audience else {})
        return {**issued, "iat": int(now), "exp": int(now) + HOUR, **self.claims}


NOBODY = Caller()


def read(file: Path) -> Caller:
    """Raises ConfigurationError, which names the file and what is wrong in it."""
    try:
        return msgspec.json.decode(file.read_bytes(), type=Caller)
    except OSError as error:
        raise ConfigurationError(f"{file}: expected a file with a caller's identity: {error.strerror}.") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        keys = "an object with claims, iam or cognito"
        raise ConfigurationError(f"{file}: expected {keys}, but {str(error)[:1].lower()}{str(error)[1:]}.") from None


def signature(iam: IAM, account: str, cognito: Cognito | None = None) -> dict[str, object]:
    """`authorizer.iam`, of payload format 2.0."""
    account = iam.account_id or account
    user = iam.user_id or iam.caller_id or f"AIDA{iam.access_key[4:]}"
    return {
        "accessKey": iam.access_key,
        "accountId": account,
        "callerId": iam.caller_id or user,
        "cognitoIdentity": pooled(cognito),
        "principalOrgId": iam.principal_org_id,
        "userArn": iam.user_arn or f"arn:aws:iam::{account}:user/local",
        "userId": user,
    }


def pooled(cognito: Cognito | None) -> Mapping[str, object] | None:
    if cognito is None:
        return None
    return {"amr": cognito.amr, "identityId": cognito.identity_id, "identityPoolId": cognito.identity_pool_id}
