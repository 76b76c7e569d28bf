"""Where a store in AWS is, and what it says of errors."""

from __future__ import annotations

import asyncio
import re

import pytest

from lambent.errors import ConfigurationError, StoreError
from lambent.http1 import Reply
from lambent.stores.service import Address, Service, parse
from tests.stores.ministack import environ
from tests.stores.wire import Script, refusal, reply, xml_refusal

HERE = {"AWS_REGION": "eu-west-1"}
URL = "dynamodb://table?region=eu-west-1"


@pytest.mark.parametrize(
    ("url", "variables", "address"),
    [
        ("dynamodb://Some.Table_1", HERE, Address("Some.Table_1", "", "eu-west-1", "")),
        ("dynamodb://t?region=us-east-2", HERE, Address("t", "", "us-east-2", "")),
        ("dynamodb://t?region=", HERE, Address("t", "", "eu-west-1", "")),
        ("dynamodb://t", {"AWS_DEFAULT_REGION": "eu-north-1"}, Address("t", "", "eu-north-1", "")),
        ("s3://bucket/a/b/", HERE, Address("bucket", "a/b", "eu-west-1", "")),
        (
            "s3://bucket?region=r-1&endpoint_url=http%3A%2F%2Flocalhost:4566",
            {"AWS_ENDPOINT_URL_S3": "http://s", "AWS_ENDPOINT_URL": "http://all"},
            Address("bucket", "", "r-1", "http://localhost:4566"),
        ),
        (
            "s3://bucket",
            {**HERE, "AWS_ENDPOINT_URL_S3": "http://s", "AWS_ENDPOINT_URL": "http://all"},
            Address("bucket", "", "eu-west-1", "http://s"),
        ),
        (
            "dynamodb://t",
            {**HERE, "AWS_ENDPOINT_URL_S3": "http://s", "AWS_ENDPOINT_URL": "http://all"},
            Address("t", "", "eu-west-1", "http://all"),
        ),
        (
            "dynamodb://t",
            {**HERE, "AWS_ENDPOINT_URL_DYNAMODB": "http://d", "AWS_ENDPOINT_URL": "http://all"},
            Address("t", "", "eu-west-1", "http://d"),
        ),
    ],
)
def test_an_address_is_what_the_url_says_and_else_the_environment(
    url: str, variables: dict[str, str], address: Address
) -> None:
    assert parse(url, "a URL", variables) == address


@pytest.mark.parametrize("url", ["s3://", "s3:///path", "s3://?region=a", "s3://b#c", "s3://b?regoin=a", "s3://b?acl="])
def test_what_is_none_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="Expected s3://its-form, but got"):
        parse(url, "s3://its-form", HERE)


def test_a_region_has_to_be_told(tmp_path_factory: pytest.TempPathFactory) -> None:
    with pytest.raises(ConfigurationError, match="Set AWS_REGION"):
        parse("s3://bucket", "a URL", {"HOME": str(tmp_path_factory.mktemp("home"))})


def test_the_host_is_aws_own_or_the_endpoint() -> None:
    assert Address("t", "", "eu-west-1", "").host("dynamodb") == "https://dynamodb.eu-west-1.amazonaws.com"
    assert Address("t", "", "cn-north-1", "").host("s3") == "https://s3.cn-north-1.amazonaws.com.cn"
    assert Address("t", "", "eu-west-1", "http://localhost").host("s3") == "http://localhost"


TOKEN = "IQoJb3JpZ2luX2VjEXAMPLETOKEN"


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        (refusal("ResourceNotFoundException", "gone"), r"Run: lambent stores init dynamodb://table\?region=…$"),
        (xml_refusal("NoSuchBucket", 404), "Run: lambent stores init"),
        (
            refusal("AccessDeniedException", "User: arn:aws:iam::1:user/a is not authorized"),
            r"AccessDeniedException \(User: arn:aws:iam::1:user/a is not authorized\)\. .* needs s3:Everything\.$",
        ),
        (xml_refusal("AccessDenied", 403), "needs s3:Everything"),
        (reply(403), "403. .* needs s3:Everything"),
        (xml_refusal("InvalidAccessKeyId", 403), "InvalidAccessKeyId. Check the credentials"),
        (
            refusal("InvalidSignatureException", f"It does not match.\n\nx-amz-security-token:{TOKEN}"),
            r"InvalidSignatureException \(It does not match\.\)\. Check the credentials",
        ),
        (reply(301), "another region"),
        (xml_refusal("AuthorizationHeaderMalformed", 400, "the region is wrong"), "another region"),
        (refusal("ThrottlingException", "Rate exceeded"), "fewer requests"),
        (refusal("ProvisionedThroughputExceededException"), "fewer requests"),
        (xml_refusal("SlowDown", 503), "fewer requests"),
        (refusal("ValidationException", "no such thing"), r"ValidationException \(no such thing\)\.$"),
        (refusal("ValidationException", "x" * 9999), r": ValidationException \(x{300}\)\.$"),
        (reply(500, b"<html>"), "500.$"),
    ],
)
def test_an_error_says_what_to_do(answer: Reply, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    environ(monkeypatch, "secret")
    service = Service(URL, "dynamodb", "https://d.example", "eu-west-1", "s3:Everything", Script(answer))

    async def ask() -> StoreError:
        return service.failure(await service.ask("GET", "/"))

    message = str(asyncio.run(ask()))
    assert message.startswith("dynamodb://table?region=…: ")
    assert re.search(advice, message)
    assert TOKEN not in message
