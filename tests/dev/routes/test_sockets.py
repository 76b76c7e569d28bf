"""Which WebSocket API a handshake is for, and which function a message."""

import re

import pytest

from lambent.dev.model import Entrance, Function, Route
from lambent.dev.routes import Routes, sockets
from lambent.dev.routes.sockets import SocketRoutes
from lambent.errors import ConfigurationError

TALK = Entrance("talk", "websocket", stage="prod")
SHOP = Entrance("shop", "websocket", base_path="/shop/ws/")


def behind(name: str, door: str, *keys: str) -> Function:
    return Function(name, f"{name}.handler", door=door, routes=tuple(Route(door, "", key) for key in keys))


def found(routes: SocketRoutes, path: str, host: str = "127.0.0.1") -> str | None:
    api = routes.find(path, host)
    return api.entrance.name if api else None


def test_a_function_that_names_it_as_its_door_has_all_of_it() -> None:
    for path in ("", "/{proxy+}"):
        (api,) = SocketRoutes([Function("chat", "chat.handler", door="websocket", path=path)]).apis
        assert (api.entrance.name, api.path) == ("websocket", "/local")
        assert {key: target.function.name for key, target in api.targets.items()} == dict.fromkeys(
            ["$connect", "$default", "$disconnect"], "chat"
        )


def test_routes_go_to_several_functions() -> None:
    functions = [behind("chat", "talk"), behind("join", "talk", "join", "enter"), Function("web", "w.h", path="/w")]
    (api,) = SocketRoutes(functions, [TALK]).apis
    assert {key: target.function.name for key, target in api.targets.items()} == {
        "$connect": "chat",
        "$default": "chat",
        "$disconnect": "chat",
        "join": "join",
        "enter": "join",
    }
    assert [(key, target and target.function.name) for key, target in map(api.select, MESSAGES)] == [
        ("join", "join"),
        ("$default", "chat"),
        ("$default", "chat"),
        ("$default", "chat"),
        ("$default", "chat"),
    ]


MESSAGES = ['{"action": "join"}', '{"action": "other"}', "hello", '{"action": "$connect"}', '{"action": "$disconnect"}']


def test_without_a_default_what_names_no_route_goes_nowhere() -> None:
    (api,) = SocketRoutes([behind("join", "talk", "join")], [TALK]).apis
    assert api.select("hello") == ("$default", None)


def test_the_expression_is_the_entrance_s() -> None:
    entrance = Entrance("talk", "websocket", selection="$request.body.a.b")
    (api,) = SocketRoutes([behind("chat", "talk"), behind("join", "talk", "join")], [entrance]).apis
    assert api.select('{"a": {"b": "join"}}')[0] == "join"
    assert api.select('{"action": "join"}')[0] == "$default"


@pytest.mark.parametrize(
    ("path", "host", "api"),
    [
        ("/prod", "127.0.0.1", "talk"),
        ("/prod/", "localhost", "talk"),
        ("/prod/x", "localhost", None),
        ("/", "localhost", None),
        ("/shop/ws", "localhost", "shop"),
        ("/shop", "localhost", None),
        ("/local", "localhost", None),
        ("/", "talk.localhost", "talk"),
        ("/prod", "TALK.localhost.", "talk"),
        ("/shop/ws", "talk.localhost", None),
        ("/x", "talk.localhost", None),
        ("/local", "shop.localhost", "shop"),
        ("/shop/ws", "shop.localhost", "shop"),
        ("/prod", "other.localhost", "talk"),
    ],
)
def test_an_api_is_found_at_its_address(path: str, host: str, api: str | None) -> None:
    assert found(SocketRoutes([behind("chat", "talk"), behind("till", "shop")], [TALK, SHOP]), path, host) == api


def test_two_at_one_address_are_told_of() -> None:
    routes = SocketRoutes([behind("a", "one"), behind("b", "two")], [Entrance(n, "websocket") for n in ("one", "two")])
    (doubt,) = routes.doubts
    assert "The WebSocket API two is reached on the host two.localhost only" in doubt
    assert (found(routes, "/local"), found(routes, "/local", "two.localhost")) == ("one", "two")


def test_one_that_no_function_stands_behind_is_not_there() -> None:
    routes = SocketRoutes([Function("web", "w.h", path="/w")], [TALK])
    assert not routes
    assert routes.named("talk") is None


def test_the_api_is_the_same_one_whichever_function_is_asked() -> None:
    both = [behind("chat", "talk", "$connect"), behind("join", "talk", "join")]
    one, other = SocketRoutes(both, [TALK]).apis[0], SocketRoutes(reversed(both), [TALK]).apis[0]
    assert one.site.identifier(10) == other.site.identifier(10)


@pytest.mark.parametrize(
    ("functions", "complaint"),
    [
        ([behind("a", "talk"), behind("b", "talk")], "a and b: both have the route $connect of the door talk."),
        ([behind("a", "talk"), behind("b", "talk", "$default")], "a and b: both have the route $default"),
        ([behind("a", "talk", "join", "join")], "a: its route join is there twice."),
    ],
)
def test_two_routes_that_are_the_same_are_a_mistake(functions: list[Function], complaint: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(complaint)):
        SocketRoutes(functions, [TALK])


def test_requests_know_nothing_of_them() -> None:
    web = Function("web", "w.h", path="/w")
    routes = Routes([behind("chat", "talk", "$connect"), behind("all", "websocket"), web], [TALK])
    assert routes.find("GET", b"/prod", "talk.localhost") is None
    assert routes.doubts == ()


@pytest.mark.parametrize("text", ["GET /items", "/items", "", "$other", "x" * 129])
def test_what_is_no_key_is_told(text: str) -> None:
    with pytest.raises(ValueError, match=r"paths|characters|dollar"):
        sockets.key(text)


@pytest.mark.parametrize(
    "route",
    [
        Route("talk", "", "join", priority=1),
        Route("talk", "", "join", host="x"),
        Route("talk", "", "join", authorizer="who"),
        Route("talk", "", "$connect", response=True),
    ],
)
def test_a_route_has_nothing_that_aws_s_has_not(route: Route) -> None:
    with pytest.raises(ValueError, match=r"rules|authorizer|client"):
        sockets.check(route)
    sockets.check(Route("talk", "", "$connect", authorizer="who"))
    sockets.check(Route("talk", "", "join", response=True))
