"""A service with every kind of authorizer, run by `lambent dev`: tokens by PyJWT, keys on a server, real functions."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.dev.authorizers.issuer import Site, jwks, token
from tests.dev.local import Answer, LocalLambda

APP = '''
import json, threading

ALLOW = {"allow": "Allow", "deny": "Deny"}

def echo(event, context):
    context = event["requestContext"]
    told = {"authorizer": context.get("authorizer"), "identity": context.get("identity")}
    return {"statusCode": 200, "body": json.dumps(told)}

def simple(event, context):
    """Counts how often it was asked."""
    simple.asked = getattr(simple, "asked", 0) + 1
    if event["identitySource"] == ["boom"]:
        raise ValueError("boom")
    allowed = event["identitySource"] == ["open sesame"]
    return {"isAuthorized": allowed, "context": {"asked": simple.asked, "arn": event["routeArn"]}}

def policy(event, context):
    word = event["authorizationToken"]
    if word == "nobody":
        raise Exception("Unauthorized")
    if word == "nonsense":
        return word
    statement = {"Effect": ALLOW[word], "Action": "execute-api:Invoke", "Resource": event["methodArn"]}
    document = {"Version": "2012-10-17", "Statement": [statement]}
    return {"principalId": "ada", "policyDocument": document, "context": {"level": 7, "admin": True}}

def late(event, context):
    threading.Event().wait()
'''

PROJECT = """
[tool.lambent.defaults]
environments = 1
timeout = 20
freeze = false

[tool.lambent.doors.web]
kind = "http"
authorizers.users = {{ kind = "jwt", issuer = "{issuer}", audience = ["shop"] }}
authorizers.sesame = {{ kind = "request", function = "simple", simple = true, identity = ["$request.header.X-Word"] }}

[tool.lambent.doors.shop]
kind = "rest"
default-authorizer = "word"
api-key-source = "header"
api-keys = {{ partner = "0123456789abcdefghij" }}
authorizers.pool = {{ kind = "cognito", issuer = "{issuer}", jwks = "{issuer}/jwks" }}
authorizers.late = {{ kind = "request", function = "late" }}
authorizers.word = {{ kind = "token", function = "policy", identity = ["method.request.header.X-Word"] }}

[tool.lambent.functions.echo]
handler = "app:echo"
routes = [
    {{ route = "GET /mine", door = "web", authorizer = "users" }},
    {{ route = "GET /scoped", door = "web", authorizer = "users", scopes = ["items:read"] }},
    {{ route = "GET /sesame", door = "web", authorizer = "sesame" }},
    {{ route = "GET /signed", door = "web", authorizer = "AWS_IAM" }},
    {{ route = "GET /open", door = "web" }},
    {{ route = "GET /word", door = "shop" }},
    {{ route = "GET /other", door = "shop" }},
    {{ route = "GET /late", door = "shop", authorizer = "late" }},
    {{ route = "GET /pool", door = "shop", authorizer = "pool" }},
    {{ route = "GET /key", door = "shop", authorizer = "NONE", api-key = true }},
    {{ route = "GET /signed", door = "shop", authorizer = "AWS_IAM" }},
]

[tool.lambent.functions.simple]
handler = "app:simple"

[tool.lambent.functions.policy]
handler = "app:policy"

[tool.lambent.functions.late]
handler = "app:late"
timeout = 1
"""

SIGNED = "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20250705/eu/x/aws4_request, SignedHeaders=host, Signature=ab"

FAILED = "AuthorizerConfigurationException"


class Service(NamedTuple):
    """What runs, and who issues tokens for it."""

    local: LocalLambda
    issuer: str

    def ask(self, door: str, path: str, **headers: str) -> Answer:
        return self.local.get(path, host=f"{door}.localhost", **headers)

    def told(self, door: str, path: str, **headers: str) -> Any:
        answer = self.ask(door, path, **headers)
        assert answer.status == 200, (answer.body, self.local.output)
        return json.loads(answer.body)

    def denied(self, door: str, path: str, **headers: str) -> tuple[int, Any]:
        answer = self.ask(door, path, **headers)
        return answer.status, json.loads(answer.body)

    def token(self, **claims: object) -> str:
        now = int(time.time())
        return token({"iss": self.issuer, "aud": "shop", "sub": "ada", "iat": now, "exp": now + 600, **claims})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("service")
    (folder / "app.py").write_text(APP, "utf-8")
    return folder


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with Site(jwks=jwks("a")) as site:
        discovery = {"issuer": site.url, "jwks_uri": f"{site.url}/jwks"}
        site.pages["/.well-known/openid-configuration"] = json.dumps(discovery).encode()
        yield site.url


@pytest.fixture(scope="module")
def service(folder: Path, issuer: str) -> Iterator[Service]:
    (folder / "pyproject.toml").write_text(PROJECT.format(issuer=issuer), "utf-8")
    with LocalLambda(folder, None, "--config=pyproject.toml") as local:
        yield Service(local, issuer)


def test_a_token_passes_and_its_claims_arrive(service: Service) -> None:
    told = service.told("web", "/mine", authorization=f"Bearer {service.token(groups=['a', 'b'])}")
    claims = told["authorizer"]["jwt"]["claims"]
    assert (claims["sub"], claims["groups"], told["authorizer"]["jwt"]["scopes"]) == ("ada", "[a b]", None)
    assert claims["exp"].isdecimal()
    scoped = service.told("web", "/scoped", authorization=service.token(scope="openid items:read"))
    assert scoped["authorizer"]["jwt"]["scopes"] == ["items:read"]


def test_others_do_not_and_the_terminal_says_why(service: Service) -> None:
    expired = service.token(exp=int(time.time()) - 60)
    answer = service.ask("web", "/mine", authorization=f"Bearer {expired}")
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert answer.headers["www-authenticate"] == (
        'Bearer scope="" error="invalid_token" error_description="the token has expired"'
    )
    assert answer.headers["apigw-requestid"]
    service.local.wait_for(r"HTTP API answers 401, by the authorizer users: it expired 6\d s ago, at .* UTC\.\n")
    assert expired not in service.local.output
    assert service.denied("web", "/scoped", authorization=service.token()) == (403, {"message": "Forbidden"})
    assert service.denied("web", "/mine") == (401, {"message": "Unauthorized"})
    assert service.told("web", "/open") == {"authorizer": None, "identity": None}


def test_a_function_decides_and_its_decision_is_kept(service: Service) -> None:
    for _ in range(2):
        told = service.told("web", "/sesame", x_word="open sesame")["authorizer"]["lambda"]
        assert told["asked"] == 1
        assert re.fullmatch(r"arn:aws:execute-api:us-east-1:123456789012:\w{10}/\$default/GET/sesame", told["arn"])
    assert service.denied("web", "/sesame", x_word="please") == (403, {"message": "Forbidden"})
    assert service.denied("web", "/sesame") == (401, {"message": "Unauthorized"})
    assert service.denied("web", "/sesame", x_word="boom") == (500, {"message": "Internal Server Error"})
    service.local.wait_for(
        r"by the authorizer sesame: the function simple failed: the function raised: ValueError: boom"
    )


def test_a_policy_is_for_methods(service: Service) -> None:
    told = service.told("shop", "/word", x_word="allow")["authorizer"]
    assert isinstance(told.pop("integrationLatency"), int)
    assert told == {"principalId": "ada", "level": "7", "admin": "true"}
    unmentioned = "User is not authorized to access this resource because no identity-based policy allows"
    status, body = service.denied("shop", "/other", x_word="allow")
    assert (status, body["Message"].startswith(unmentioned)) == (403, True)
    assert "with an explicit deny" in service.denied("shop", "/word", x_word="deny")[1]["Message"]


@pytest.mark.parametrize(
    ("path", "word", "status", "why"),
    [
        ("/word", "nobody", 401, "the authorizer word: the function policy raised Unauthorized"),
        ("/word", "nonsense", 500, "the authorizer word: the function policy made no decision: expected an object"),
        ("/late", "", 500, "the authorizer late: the function late failed: .*Task timed out"),
    ],
)
def test_who_does_not_decide_lets_nobody_pass(path: str, word: str, status: int, why: str, service: Service) -> None:
    answer = service.ask("shop", path, x_word=word)
    error, message = ("UnauthorizedException", "Unauthorized") if status == 401 else (FAILED, None)
    assert (answer.status, answer.headers["x-amzn-ErrorType"]) == (status, error)
    assert json.loads(answer.body) == {"message": message}
    service.local.wait_for(f"REST API answers {status}, by {why}")


def test_a_user_pool(service: Service) -> None:
    told = service.told("shop", "/pool", authorization=service.token(token_use="id", **{"cognito:groups": ["a", "b"]}))
    assert told["authorizer"]["claims"]["cognito:groups"] == "a,b"
    assert told["authorizer"]["claims"]["exp"].endswith(f"UTC {time.gmtime(time.time() + 600).tm_year}")
    assert service.denied("shop", "/pool", authorization="nonsense") == (401, {"message": "Unauthorized"})


def test_an_api_key(service: Service) -> None:
    told = service.told("shop", "/key", x_api_key="0123456789abcdefghij")
    assert told["identity"]["apiKey"] == "0123456789abcdefghij"
    assert service.denied("shop", "/key", x_api_key="other") == (403, {"message": "Forbidden"})


def test_a_signature(service: Service) -> None:
    assert (
        service.told("web", "/signed", authorization=SIGNED)["authorizer"]["iam"]["accessKey"] == "AKIAIOSFODNN7EXAMPLE"
    )
    assert service.told("shop", "/signed", authorization=SIGNED)["identity"]["accessKey"] == "AKIAIOSFODNN7EXAMPLE"
    assert service.denied("shop", "/signed") == (403, {"message": "Missing Authentication Token"})
    assert service.denied("web", "/signed") == (403, {"message": "Forbidden"})
    assert service.local.output.count("are not verified here") == 1


def test_reloaded_code_decides_anew(folder: Path, service: Service) -> None:
    before = service.local.status("simple")["generation"]
    (folder / "app.py").write_text(APP.replace('== ["open sesame"]', '== ["mellon"]'), "utf-8")
    service.local.until(lambda: service.local.status("simple")["generation"] > before)
    assert service.denied("web", "/sesame", x_word="open sesame") == (403, {"message": "Forbidden"})
    assert service.told("web", "/sesame", x_word="mellon")


def test_as_somebody(folder: Path, issuer: str) -> None:
    (folder / "pyproject.toml").write_text(PROJECT.format(issuer=issuer), "utf-8")
    ada = {"claims": {"sub": "ada", "scope": "items:read"}, "iam": {"userArn": "arn:aws:iam::1:user/ada"}}
    (folder / "user.json").write_text(json.dumps(ada), "utf-8")
    with LocalLambda(folder, None, "--config=pyproject.toml", "--as=user.json") as local:
        service = Service(local, issuer)
        assert service.told("web", "/scoped")["authorizer"]["jwt"]["claims"]["sub"] == "ada"
        assert service.told("shop", "/pool")["authorizer"]["claims"]["sub"] == "ada"
        assert service.told("web", "/signed")["authorizer"]["iam"]["userArn"] == "arn:aws:iam::1:user/ada"
        (folder / "user.json").write_text('{"claim": {}}', "utf-8")
        local.wait_for(r"user\.json: expected an object with claims, iam or cognito, but .*unknown field `claim`")
        (folder / "user.json").write_text('{"claims": {"sub": "bob"}}', "utf-8")
        local.until(lambda: service.ask("web", "/mine").body.count(b"bob"))
