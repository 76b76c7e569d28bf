import pytest

from lambent.dev.authorizers import signatures
from lambent.dev.authorizers.refusals import Denied
from lambent.dev.doors.model import HTTPRequest
from tests.dev.doors.wire import request
from tests.payloads import payload

SIGNED = payload("function_url_iam")["headers"]["authorization"].encode()
PRESIGNED = (
    b"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIA7%2F20250705%2Feu%2Flambda%2Faws4_request"
    b"&X-Amz-Signature=ab"
)


def denied(sent: HTTPRequest, kind: str) -> tuple[int, bytes]:
    with pytest.raises(Denied) as caught:
        signatures.access_key(sent, kind)
    return caught.value.reply.status, caught.value.reply.body


def test_the_access_key_is_read_off_a_signature() -> None:
    assert signatures.access_key(request(b"/", b"", (b"authorization", SIGNED)), "url") == "AKIAIOSFODNN7EXAMPLE"
    assert signatures.access_key(request(b"/", PRESIGNED), "rest") == "AKIA7"


def test_without_one_nobody_passes() -> None:
    sent = request(b"/", b"X-Amz-Credential=AKIA7")
    assert denied(sent, "rest") == (403, b'{"message":"Missing Authentication Token"}')
    assert denied(sent, "http") == (403, b'{"message":"Forbidden"}')
    assert denied(sent, "url")[1].startswith(b'{"Message":"Forbidden')


@pytest.mark.parametrize("header", [b"Bearer a.b.c", b"AWS4-HMAC-SHA256 Credential=AKIA/20250705/eu", b"x"])
def test_another_authorization_is_no_signature(header: bytes) -> None:
    status, body = denied(request(b"/", b"", (b"authorization", header)), "rest")
    assert status == 403
    assert body.startswith(b'{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed')
    assert header not in body
    assert denied(request(b"/", b"", (b"authorization", header)), "http1") == (403, b'{"message":"Forbidden"}')
