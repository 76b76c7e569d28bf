import pytest

from lambent.dev.authorizers import identity
from lambent.dev.authorizers.identity import Source
from lambent.dev.doors.http_api import HTTPAPI
from lambent.dev.doors.model import Matched, Site
from lambent.dev.doors.rest_api import RESTAPI
from tests.dev.doors.wire import ARRIVAL, request

REQUEST = request(
    b"/items/7", b"token=a%20b&token=c&empty=", (b"x-tenant", b" blue "), (b"x-many", b"1"), (b"x-many", b"2")
)
MATCHED = Matched(route_key="GET /items/{id}", resource="/items/{id}", variables={"tier": "free"})
HTTP, REST = (door(Site("f")).event(REQUEST, ARRIVAL, MATCHED) for door in (HTTPAPI, RESTAPI))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("$request.header.X-Tenant", "blue"),
        ("method.request.header.x-tenant", "blue"),
        ("$request.header.X-Many", "1,2"),
        ("method.request.multivalueheader.X-Many", "1,2"),
        ("$request.header.X-None", ""),
        ("$request.querystring.token", "a b,c"),
        ("method.request.querystring.empty", ""),
        ("$context.httpMethod", "GET"),
        ("$context.routeKey", "GET /items/{id}"),
        ("$context.identity.sourceIp", "127.0.0.1"),
        ("$context.none.of.that", ""),
        ("$stageVariables.tier", "free"),
        ("stageVariables.none", ""),
    ],
)
def test_an_identity_is_found(text: str, expected: str) -> None:
    (source,) = identity.read([text])
    assert identity.value(source, REQUEST, HTTP) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("context.httpMethod", "GET"),
        ("context.resourcePath", "/items/{id}"),
        ("context.identity.sourceIp", "127.0.0.1"),
        ("stageVariables.tier", "free"),
    ],
)
def test_an_identity_is_found_around_a_request_to_a_rest_api(text: str, expected: str) -> None:
    (source,) = identity.read([text])
    assert identity.value(source, REQUEST, REST) == expected


def test_several_stand_in_one_text() -> None:
    found = identity.read(["method.request.header.Auth, method.request.querystring.t", "context.path"])
    assert found == (Source("header", "Auth"), Source("querystring", "t"), Source("context", "path"))
    assert [str(each) for each in found] == ["the header Auth", "the query parameter t", "the context variable path"]


@pytest.mark.parametrize("text", ["Authorization", "$request.body.x", "$request.header.", "header.Authorization"])
def test_what_is_no_identity_source_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected an identity source, such as \$request\.header"):
        identity.read([text])


@pytest.mark.parametrize(
    ("text", "token"),
    [("a.b.c", "a.b.c"), ("Bearer a.b.c", "a.b.c"), ("bearer  a.b.c ", "a.b.c"), ("Basic x", "Basic x")],
)
def test_a_token_may_have_bearer_in_front(text: str, token: str) -> None:
    assert identity.bearer(text) == token
