"""From a request to the scope that an application sees."""

from lambent.asgi.scope import http_scope
from lambent.gateway.model import Request


def request(*headers: tuple[bytes, bytes], body: bytes = b"") -> Request:
    return Request(
        "GET",
        "/prod/ü",
        b"/prod/%C3%BC",
        b"q=1",
        "/prod",
        "https",
        "2",
        [(b"host", b"example.com"), *headers],
        ("203.0.113.9", 0),
        ("example.com", 443),
        body,
    )


REQUEST = request((b"content-length", b"4"), body=b"body")


class Context:
    """Nobody asks it anything."""

    aws_request_id = function_name = function_version = invoked_function_arn = ""
    memory_limit_in_mb = log_group_name = log_stream_name = ""

    def get_remaining_time_in_millis(self) -> int:
        return 0


def test_a_scope_has_every_key_of_the_specification_and_two_of_ours() -> None:
    event, context = {"version": "2.0"}, Context()
    assert http_scope(REQUEST, event, context, {}) == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.5"},
        "http_version": "2",
        "method": "GET",
        "scheme": "https",
        "path": "/prod/ü",
        "raw_path": b"/prod/%C3%BC",
        "query_string": b"q=1",
        "root_path": "/prod",
        "headers": [(b"host", b"example.com"), (b"content-length", b"4")],
        "client": ("203.0.113.9", 0),
        "server": ("example.com", 443),
        "state": {},
        "extensions": {},
        "aws.event": event,
        "aws.context": context,
    }


def test_event_and_context_are_the_very_objects() -> None:
    event, context = {"version": "2.0"}, Context()
    scope = http_scope(REQUEST, event, context, {})
    assert scope["aws.event"] is event
    assert scope["aws.context"] is context


def test_each_scope_has_a_shallow_copy_of_the_state() -> None:
    pool: list[str] = []
    state: dict[str, object] = {"pool": pool}
    scope = http_scope(REQUEST, {}, None, state)
    scope["state"]["user"] = "ada"
    assert state == {"pool": pool}
    assert scope["state"]["pool"] is pool


def test_two_scopes_share_nothing_that_an_application_may_change() -> None:
    first, second = http_scope(REQUEST, {}, None, {}), http_scope(REQUEST, {}, None, {})
    for key in ("asgi", "extensions", "state"):
        assert first[key] is not second[key]


def test_a_body_without_a_length_is_given_its_own() -> None:
    taken_out = request(body=b"body")
    assert http_scope(taken_out, {}, None, {})["headers"] == [(b"host", b"example.com"), (b"content-length", b"4")]
    assert taken_out.headers == [(b"host", b"example.com")]


def test_no_body_is_given_no_length() -> None:
    assert http_scope(request(), {}, None, {})["headers"] == [(b"host", b"example.com")]
