"""Cognito user pools: the Lambda triggers.

Source: docs.aws.amazon.com/cognito, "Customizing user pool workflows with Lambda triggers" and the page of each
trigger. `response` has the fields that the function is to fill in, as the trigger sends them.
"""

from __future__ import annotations

from collections.abc import Mapping

from lambent.testing.events.origin import HERE, LETTERS, LOWER, Event, Facts, Origin

TRIGGERS = {
    "PreSignUp": ("SignUp", "AdminCreateUser", "ExternalProvider"),
    "PostConfirmation": ("ConfirmSignUp", "ConfirmForgotPassword"),
    "PreAuthentication": ("Authentication",),
    "PostAuthentication": ("Authentication",),
    "TokenGeneration": (
        "Authentication",
        "HostedAuth",
        "NewPasswordChallenge",
        "AuthenticateDevice",
        "RefreshTokens",
        "ClientCredentials",
    ),
    "UserMigration": ("Authentication", "ForgotPassword"),
    "CustomMessage": (
        "SignUp",
        "AdminCreateUser",
        "ResendCode",
        "ForgotPassword",
        "UpdateUserAttribute",
        "VerifyUserAttribute",
        "Authentication",
    ),
    "DefineAuthChallenge": ("Authentication",),
    "CreateAuthChallenge": ("Authentication",),
    "VerifyAuthChallengeResponse": ("Authentication",),
    "CustomEmailSender": ("SignUp", "ResendCode", "ForgotPassword", "AdminCreateUser", "UpdateUserAttribute"),
    "CustomSMSSender": ("SignUp", "ResendCode", "ForgotPassword", "AdminCreateUser", "UpdateUserAttribute"),
}
"""The family of a trigger → what may have pulled it: `PreSignUp_SignUp`."""

SOURCES = tuple(f"{family}_{cause}" for family, causes in TRIGGERS.items() for cause in causes)

NONE: Mapping[str, str] = {}
GROUPS: Event = {"groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": None}


def cognito(
    trigger: str = "PreSignUp_SignUp",
    *,
    user: str = "jane",
    attributes: Mapping[str, str] = NONE,
    client_metadata: Mapping[str, str] = NONE,
    pool: str = "",
    version: str = "1",
    origin: Origin = HERE,
) -> Event:
    """One trigger of a user pool, named as `triggerSource` has it or by its family alone, such as `PostConfirmation`.

    `version` is that of a TokenGeneration: 1, 2 or 3. Raises ValueError for a trigger that there is not.
    """
    facts = origin.facts()
    source = trigger_source(trigger)
    family = source.partition("_")[0]
    if version not in ("1", "2", "3") or (version != "1" and family != "TokenGeneration"):
        raise ValueError(f"version: expected 1, or of a TokenGeneration 2 or 3, but got {version!r} of {source}.")
    known = user_attributes(facts, family, user, attributes)
    request = request_of(facts, family, version, known)
    if client_metadata:
        request["clientMetadata"] = dict(client_metadata)
    return {
        "version": version,
        "triggerSource": source,
        "region": facts.region,
        "userPoolId": pool or f"{facts.region}_{facts.characters(9, LETTERS)}",
        "userName": user,
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": facts.characters(26, LOWER)},
        "request": request,
        "response": response_of(family, version),
    }


def trigger_source(trigger: str) -> str:
    """By the family alone, its first. Raises ValueError."""
    if trigger in TRIGGERS:
        return f"{trigger}_{TRIGGERS[trigger][0]}"
    if trigger not in SOURCES:
        from difflib import get_close_matches

        near = get_close_matches(
            trigger.lower().replace("-", ""), [each.lower() for each in (*SOURCES, *TRIGGERS)], 1, 0.5
        )
        hint = [each for each in (*SOURCES, *TRIGGERS) if near and each.lower() == near[0]] or list(TRIGGERS)
        raise ValueError(f"trigger: there is no {trigger!r}. Did you mean {', '.join(hint)}?")
    return trigger


def user_attributes(facts: Facts, family: str, user: str, given: Mapping[str, str]) -> Event:
    """All of them are strings. Who signs up has no `sub` and no status yet."""
    address = {} if given else {"email": f"{user}@example.com"}
    if family in ("PreSignUp", "UserMigration"):
        return {**address, **given}
    verified = {"email_verified": "true"} if "email" in {**address, **given} else {}
    return {"sub": facts.uuid(), "cognito:user_status": "CONFIRMED", **verified, **address, **given}


def request_of(facts: Facts, family: str, version: str, attributes: Event) -> Event:
    """What is asked, by the trigger's family."""
    session = [{"challengeName": "SRP_A", "challengeResult": True, "challengeMetadata": None}]
    known: Event = {"userAttributes": attributes}
    extra: dict[str, Event] = {
        "PreSignUp": {"validationData": None},
        "PreAuthentication": {"validationData": None, "userNotFound": False},
        "PostAuthentication": {"newDeviceUsed": False},
        "CustomMessage": {"codeParameter": "{####}", "linkParameter": "{##Click Here##}", "usernameParameter": None},
        "DefineAuthChallenge": {"session": session, "userNotFound": False},
        "CreateAuthChallenge": {"challengeName": "CUSTOM_CHALLENGE", "session": session, "userNotFound": False},
        "VerifyAuthChallengeResponse": {
            "privateChallengeParameters": {"answer": facts.digits(6)},
            "challengeAnswer": "123456",
            "userNotFound": False,
        },
        "TokenGeneration": {
            "groupConfiguration": dict(GROUPS),
            **({"scopes": ["aws.cognito.signin.user.admin"]} if version != "1" else {}),
        },
        "CustomEmailSender": {"type": "customEmailSenderRequestV1", "code": facts.base64(180)},
        "CustomSMSSender": {"type": "customSMSSenderRequestV1", "code": facts.base64(180)},
    }
    if family == "UserMigration":
        return {"password": "correct horse battery staple", "validationData": None, "userNotFound": True}
    return {**known, **extra.get(family, {})}


def response_of(family: str, version: str) -> Event:
    """What the function may fill in."""
    empty: dict[str, Event] = {
        "PreSignUp": {"autoConfirmUser": False, "autoVerifyEmail": False, "autoVerifyPhone": False},
        "TokenGeneration": {"claimsOverrideDetails" if version == "1" else "claimsAndScopeOverrideDetails": None},
        "UserMigration": dict.fromkeys(
            (
                "userAttributes",
                "forceAliasCreation",
                "enableSMSMFA",
                "finalUserStatus",
                "messageAction",
                "desiredDeliveryMediums",
            )
        ),
        "CustomMessage": dict.fromkeys(("smsMessage", "emailMessage", "emailSubject")),
        "DefineAuthChallenge": dict.fromkeys(("challengeName", "issueTokens", "failAuthentication")),
        "CreateAuthChallenge": dict.fromkeys(
            ("publicChallengeParameters", "privateChallengeParameters", "challengeMetadata")
        ),
        "VerifyAuthChallengeResponse": {"answerCorrect": None},
    }
    return empty.get(family, {})
