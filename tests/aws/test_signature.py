"""Signatures, against botocore's."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from unittest.mock import patch

import pytest
from botocore import credentials as botocore_credentials
from botocore.auth import SIGNED_HEADERS_BLACKLIST, S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from hypothesis import example, given
from hypothesis import strategies as st

from lambent.aws.signature import _UNSIGNED, Credentials, Signer

NOW = 1_795_000_000.75
SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
OURS = Credentials("AKIDEXAMPLE", SECRET)
OWN = {"host", "authorization", "date", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
"""Headers that are the signer's own business."""

methods = st.sampled_from(["GET", "POST", "PUT", "DELETE", "HEAD"])
hosts = st.sampled_from(["abc.execute-api.eu-west-1.amazonaws.com", "127.0.0.1:4566", "[::1]:8000", "bucket.s3.x.com"])
wire = "abcXYZ019-._~!$&'()*+,;=:@%/"
paths = st.one_of(
    st.text(wire, max_size=40),
    st.lists(st.sampled_from(["", ".", "..", "a", ".b", "c.", "%2F", "JCIu%3D", "é"]), max_size=8).map("/".join),
    st.text(st.characters(codec="utf-8", exclude_characters="?#\t\r\n", exclude_categories=("Cc", "Zs")), max_size=20),
).map(lambda path: f"/{path}")
queries = st.text(f"{wire}?&&&===", max_size=40)
texts = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=20)
names = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True).filter(lambda name: name.lower() not in OWN)
fields = st.lists(
    st.tuples(st.one_of(names, st.sampled_from(["Content-Type", "x-amz-meta-a", *SIGNED_HEADERS_BLACKLIST])), texts),
    max_size=6,
)
tokens = st.one_of(st.just(""), st.text("abcDEF012+/=", min_size=1, max_size=60))


def theirs(
    service: str, credentials: Credentials, method: str, url: str, headers: list[tuple[str, str]], body: bytes
) -> dict[str, str]:
    """What botocore adds."""
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers.add_header(name, value)
    known = botocore_credentials.Credentials(credentials.access_key, credentials.secret_key, credentials.token or None)
    signer: Any = (S3SigV4Auth if service == "s3" else SigV4Auth)(known, service, "eu-west-1")
    with patch("botocore.auth.get_current_datetime", lambda: datetime.fromtimestamp(NOW, UTC)):
        signer.add_auth(request)
    return {name.lower(): value for name, value in request.headers.items() if name.lower() in OWN}


@pytest.mark.parametrize("service", ["execute-api", "dynamodb", "s3"])
@given(methods, hosts, paths, queries, fields, st.binary(max_size=50), tokens)
@example("POST", "abc.execute-api.eu-west-1.amazonaws.com", "/prod/@connections/JCIuTfPGDoECJkA%3D", "", [], b"hi", "t")
@example("GET", "b.s3.x.com", "/a%20b//c/./d/../e~f%2F", "list-type=2&prefix=a%2Fb&b&a=2&a=10&=", [], b"", "")
@example("GET", "b.s3.x.com", "/", "", [("X-A", " two   spaces "), ("x-a", "2"), ("X-B", "")], b"", "")
def test_a_signature_is_that_of_botocore(
    service: str,
    method: str,
    host: str,
    path: str,
    query: str,
    headers: list[tuple[str, str]],
    body: bytes,
    token: str,
) -> None:
    credentials = OURS._replace(token=token)
    asked = f"{path}?{query}" if query else path
    expected = theirs(service, credentials, method, f"http://{host}{asked}", headers, body)

    added = dict(Signer(service, "eu-west-1").sign(credentials, NOW, method, host, path, query, headers, body))
    assert added == expected


def test_what_is_not_signed_is_what_botocore_does_not_sign() -> None:
    assert _UNSIGNED - {"authorization"} == set(SIGNED_HEADERS_BLACKLIST)


def test_the_documented_example_comes_out() -> None:
    """docs.aws.amazon.com, "Signature Version 4 test suite", get-vanilla-query-order-key-case."""
    signer = Signer("service", "us-east-1")
    now = datetime(2015, 8, 30, 12, 36, tzinfo=UTC).timestamp()
    credentials = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    added = signer.sign(credentials, now, "GET", "example.amazonaws.com", "/", "Param2=value2&Param1=value1")
    assert dict(added) == {
        "x-amz-date": "20150830T123600Z",
        "authorization": "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        "SignedHeaders=host;x-amz-date, "
        "Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500",
    }


def test_the_key_is_made_once_a_day_and_for_each_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    signer = Signer("execute-api", "eu-west-1")
    other = Credentials("AKID2", "another secret")
    day = 86_400
    for credentials, now in [(OURS, NOW), (OURS, NOW + 1), (other, NOW), (OURS, NOW), (OURS, NOW + day), (OURS, NOW)]:
        fresh = Signer("execute-api", "eu-west-1").sign(credentials, now, "GET", "h", "/")
        assert signer.sign(credentials, now, "GET", "h", "/") == fresh

    rounds = 0
    digest = __import__("hmac").digest

    def counted(key: bytes, message: bytes, name: str) -> bytes:
        nonlocal rounds
        rounds += 1
        made: bytes = digest(key, message, name)
        return made

    monkeypatch.setattr("lambent.aws.signature.hmac.digest", counted)
    signer.sign(OURS, NOW, "GET", "h", "/")
    assert rounds == 1
    signer.sign(other, NOW, "GET", "h", "/")
    assert rounds == 1 + 5


def test_credentials_do_not_show_what_is_secret() -> None:
    credentials = Credentials("AKIDEXAMPLE", SECRET, "a token", 12.0)
    for text in (repr(credentials), str(credentials), f"{credentials}", repr([credentials])):
        assert "AKIDEXAMPLE" in text
        assert SECRET not in text
        assert "a token" not in text
