"""[tool.lambent], read into a project."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import fields, replace
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest

from lambent.dev.config import EXAMPLE, Project, Target, load, tables
from lambent.dev.config.source_tables import SourceTable
from lambent.dev.model import Asynchronous, Authorizer, Cors, Entrance, EnvironmentFacts, Function, Route
from lambent.dev.routes import Found, Routes
from lambent.dev.routes.sockets import SocketRoutes
from lambent.dev.strategies import round_robin
from lambent.errors import ConfigurationError

CUSTOM = """
def pick(environments): return environments[0]
def event(request, function): return {"name": function.name}
async def context(request, function): return {}
value = 1
"""


class Folder:
    """A project's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "pyproject.toml"

    def write(self, text: str) -> None:
        self.file.write_text(dedent(text), "utf-8")

    def load(self, environ: Mapping[str, str] | None = None) -> Project:
        project = load(self.path, environ or {})
        assert project
        return project

    def one(self, text: str, environ: Mapping[str, str] | None = None) -> Function:
        """The function f with these keys."""
        self.write('[tool.lambent.functions.f]\nhandler = "app:app"\n' + dedent(text))
        (function,) = self.load(environ).functions
        return function

    def complaint(self, text: str) -> str:
        self.write(text)
        with pytest.raises(ConfigurationError) as told:
            self.load()
        return str(told.value)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "custom.py").write_text(CUSTOM)
    return Folder(tmp_path)


def test_the_defaults_are_those_of_a_function(folder: Folder) -> None:
    assert folder.one("") == Function("f", "app:app", folder.path)
    assert replace(folder.load(), functions=()) == Project((), file=folder.file)
    settings = {each.name for each in msgspec.structs.fields(tables.FunctionTable)}
    renamed = {"event": "make_event", "context": "make_context"}
    known = {"name", "app_dir", "chaos", "debug", "region", "account", "version"}
    assert {renamed.get(name, name) for name in settings} == {each.name for each in fields(Function)} - known


def test_every_key_of_a_function(folder: Folder) -> None:
    (folder.path / "layer").mkdir()
    function = folder.one(
        f"""
        path = "/x/{{proxy+}}"
        door = "http"
        timeout = 900
        memory = 32768
        environments = 3
        concurrency = 2
        reserved-concurrency = 0
        runtime = "awslambdaric"
        env = {{ A = "1" }}
        layers = ["layer"]
        python = {json.dumps(sys.executable)}
        freeze = false
        warm = 2
        idle-timeout = 60
        cold-start = 0.5
        strategy = "round-robin"
        init-timeout = 20
        [tool.lambent.functions.f.asynchronous]
        retries = 0
        max-age = 60
        on-success = "function:f"
        on-failure = "file:failed.jsonl"
        dead-letter = "file:/dead.jsonl"
        """
    )
    assert function == Function(
        "f",
        "app:app",
        folder.path,
        path="/x/{proxy+}",
        door="http",
        timeout=900,
        memory=32768,
        environments=3,
        concurrency=2,
        reserved_concurrency=0,
        runtime="awslambdaric",
        env={"A": "1"},
        layers=(folder.path / "layer",),
        freeze=False,
        warm=2,
        idle_timeout=60,
        cold_start=0.5,
        strategy=round_robin,
        init_timeout=20,
        asynchronous=Asynchronous(0, 60, "function:f", f"file:{folder.path}/failed.jsonl", "file:/dead.jsonl"),
    )


@pytest.mark.parametrize("handler", ["app:app", "app.handler", "pkg.mod.fn", "pkg.mod:fn", "pkg/mod.fn", "pkg.mod:a.b"])
def test_a_handler_is_named_in_all_ways(folder: Folder, handler: str) -> None:
    folder.write(f'[tool.lambent.functions.f]\nhandler = "{handler}"')
    assert folder.load().functions[0].handler == handler


@pytest.mark.parametrize(("key", "value"), [("stream", True), ("snapstart", True), ("memory", 128), ("timeout", 0.5)])
def test_a_few_more(folder: Folder, key: str, value: object) -> None:
    assert getattr(folder.one(f"{key} = {json.dumps(value)}"), key) == value


def test_every_key_of_the_whole(folder: Folder) -> None:
    (folder.path / "src").mkdir()
    (folder.path / "local.env").write_text("A=file")
    folder.write(
        """
        [tool.lambent]
        app-dir = "src"
        host = "0.0.0.0"
        port = 0
        allowed-hosts = ["my.tunnel", ".example.test"]
        log-level = "warning"
        env = { B = "global" }
        env-file = "local.env"
        region = "eu-west-1"
        watch = ["templates", "*.yaml", "/etc/hosts"]
        time-scale = 60
        [tool.lambent.functions.a]
        handler = "app:app"
        """
    )
    assert folder.load({"AWS_REGION": "us-west-2"}) == Project(
        (Function("a", "app:app", folder.path / "src", env={"A": "file", "B": "global"}, region="eu-west-1"),),
        host="0.0.0.0",
        port=0,
        allowed_hosts=("my.tunnel", ".example.test"),
        log_level="warning",
        watch=(folder.path / "templates", folder.path / "*.yaml", Path("/etc/hosts")),
        time_scale=60,
        file=folder.file,
        env_file=folder.path / "local.env",
    )


def test_defaults_hold_where_a_function_does_not_say_otherwise(folder: Folder) -> None:
    folder.write(
        """
        [tool.lambent.defaults]
        memory = 512
        timeout = 10
        asynchronous = { retries = 1, max-age = 60 }
        [tool.lambent.functions.a]
        handler = "a.a"
        [tool.lambent.functions.b]
        handler = "b.b"
        timeout = 20
        asynchronous.retries = 0
        """
    )
    a, b = folder.load().functions
    assert (a.memory, a.timeout, a.asynchronous) == (512, 10, Asynchronous(1, 60))
    assert (b.memory, b.timeout, b.asynchronous) == (512, 20, Asynchronous(0, 60))


def test_variables_function_over_global_over_file_over_shell(folder: Folder) -> None:
    (folder.path / ".env").write_text("A=file\nB=file\nC=file\nD=${SHELL_ONLY}")
    folder.write(
        """
        [tool.lambent.env]
        A = "global"
        B = "global"
        [tool.lambent.functions.f]
        handler = "app:app"
        env = { A = "function" }
        """
    )
    shell = {"C": "shell", "SHELL_ONLY": "shell"}
    project = folder.load(shell)
    assert project.functions[0].env == {"A": "function", "B": "global", "C": "file", "D": "shell"}
    assert project.env_file == folder.path / ".env"
    other = folder.path / "other.env"
    other.write_text("C=other")
    chosen = load(folder.path, {}, env_file=other)
    assert chosen
    assert (chosen.functions[0].env["C"], chosen.env_file) == ("other", other)


@pytest.mark.parametrize(
    ("text", "shell", "region"),
    [
        ("", {}, "us-east-1"),
        ("", {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        ("", {"AWS_DEFAULT_REGION": "eu-west-1"}, "eu-west-1"),
        ('env.AWS_REGION = "eu-north-1"', {"AWS_REGION": "eu-west-1"}, "eu-north-1"),
        ('env.AWS_DEFAULT_REGION = "eu-north-1"', {"AWS_REGION": "eu-west-1"}, "eu-north-1"),
    ],
)
def test_the_region_is_what_the_variables_say(folder: Folder, text: str, shell: dict[str, str], region: str) -> None:
    assert folder.one(text, shell).region == region


def test_functions_of_one_s_own(folder: Folder) -> None:
    function = folder.one('strategy = "custom:pick"\nevent = "custom.event"\ncontext = "custom:context"')
    facts = [EnvironmentFacts("a", 0, 1, 0.0)]
    assert function.strategy
    assert function.strategy(facts) is facts[0]
    assert function.make_event
    assert function.make_event.__globals__ is function.make_context.__globals__  # type: ignore[union-attr]  # they are functions
    assert "custom" not in sys.modules


def test_loading_again_sees_what_has_changed_in_all_files(folder: Folder) -> None:
    before = folder.one('event = "custom:event"')
    (folder.path / "custom.py").write_text(CUSTOM.replace('"name"', '"another name"'))
    (folder.path / ".env").write_text("A=1")
    after = folder.load().functions[0]
    assert before.make_event
    assert after.make_event
    request: object = None
    assert before.make_event(request, before) == {"name": "f"}  # type: ignore[arg-type]  # it is not looked at
    assert after.make_event(request, after) == {"another name": "f"}  # type: ignore[arg-type]  # as above
    assert after.env == {"A": "1"}


# Which file


def test_the_nearest_file_that_says_something(folder: Folder) -> None:
    folder.one("")
    below = folder.path / "a" / "b"
    below.mkdir(parents=True)
    (folder.path / "a" / "pyproject.toml").write_text("[tool.other]\nx = 1")
    found = load(below, {})
    assert found
    assert found.file == folder.file
    (below / "pyproject.toml").write_text("[tool.smyth.handlers.h]\nhandler_path = 'a.b'\nurl_path = '/'")
    nearer = load(below, {})
    assert nearer
    assert nearer.functions[0].name == "h"


def test_none_if_there_is_none(folder: Folder) -> None:
    folder.write("[tool]\nother = 3")
    assert load(folder.path, {}) is None


def test_of_both_tools_ours(folder: Folder) -> None:
    folder.write("[tool.smyth]\nx = 1\n[tool.lambent.functions.f]\nhandler = 'app:app'")
    assert folder.load().functions[0].name == "f"


def test_a_file_that_is_named_is_read(folder: Folder, tmp_path: Path) -> None:
    folder.one("")
    other = tmp_path / "other" / "x.toml"
    other.parent.mkdir()
    other.write_text(EXAMPLE)
    project = load(folder.path, {}, file=other)
    assert project
    assert (project.file, project.functions[0].app_dir) == (other, other.parent)
    other.write_text("")
    with pytest.raises(ConfigurationError, match=r"expected \[tool.lambent\] or \[tool.smyth\]"):
        load(folder.path, {}, file=other)


def test_a_target_takes_the_whole_and_the_defaults_but_no_functions(folder: Folder) -> None:
    (folder.path / "src").mkdir()
    folder.write(
        """
        [tool.lambent]
        port = 1
        env.A = "global"
        defaults.memory = 512
        [tool.lambent.functions.f]
        handler = "app:app"
        event = "none:none"
        """
    )
    project = load(folder.path / "src", {}, target=Target("pkg.mod:fn"))
    assert project
    assert project.port == 1
    assert project.functions == (
        Function("pkg-mod-fn", "pkg.mod:fn", folder.path / "src", "/{proxy+}", memory=512, env={"A": "global"}, warm=1),
    )
    folder.write('[tool.lambent]\napp-dir = "src"')
    for app_dir, expected in ((None, folder.path / "src"), (folder.path, folder.path)):
        project = load(folder.path, {}, target=Target("app:app", app_dir))
        assert project
        assert project.functions[0].app_dir == expected


def test_a_target_needs_no_file(folder: Folder) -> None:
    (folder.path / ".env").write_text("A=1")
    for text in ("", "[tool.smyth]\nport = 1"):
        folder.write(text)
        project = load(folder.path, {}, target=Target("é:ü"))
        assert project == Project(
            (Function("function", "é:ü", folder.path, path="/{proxy+}", env={"A": "1"}, warm=1),),
            env_file=folder.path / ".env",
        )


# Mistakes


ONE = '[tool.lambent.functions.f]\nhandler = "app:app"\n'


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("handler", '"app"', 'such as "app:app" or "package.module.handler"'),
        ("path", '"x"', "/files/{proxy+}, but got 'x': it has to begin with /"),
        ("path", "3", "a text in quotes"),
        ("door", '"window"', "one of the doors url, http"),
        ("routes", '["GET x"]', "a route such as"),
        ("routes", '["$default", "/x"]', "got '/x', the second: it has to be a method, a space and a path"),
        ("routes", "[3]", "a table, but got 3"),
        ("routes", '[{ route = "GET /x", autorizer = "a" }]', "Did you mean authorizer?"),
        ("routes", '[{ route = "GET /x", door = "window" }]', "one of the doors url, http"),
        ("routes", '[{ route = "GET /x", door = "http", priority = 1 }]', "priority and host are of listeners' rules"),
        ("routes", '[{ route = "GET /x", door = "alb", priority = 0 }]', "from 1 to 50000"),
        ("routes", '[{ route = "GET /{x}", door = "alb" }]', "wildcards * and ?"),
        ("routes", '[{ route = "$default", door = "rest" }]', "ANY / and ANY /{proxy+}"),
        ("routes", '["GET /x", "GET /x"]', "f: its route GET /x is there twice"),
        ("timeout", "0", "seconds, above 0 and up to 900"),
        ("timeout", "901", "up to 900"),
        ("timeout", "nan", "up to 900"),
        ("timeout", '"3"', "up to 900"),
        ("memory", "127", "from 128 to 32768"),
        ("memory", "32769", "from 128 to 32768"),
        ("memory", "128.5", "from 128 to 32768"),
        ("environments", "0", "1 or more"),
        ("concurrency", "true", "1 or more"),
        ("reserved-concurrency", "-1", "0 or more"),
        ("runtime", '"node"', 'one of "lambent", "awslambdaric"'),
        ("env", "{ A = 1 }", "a text in quotes, but got 1"),
        ("env", '{ "A=B" = "" }', "letters, digits and underscores"),
        ("env", '{ A = "\\u0000" }', "a text in quotes"),
        ("layers", '"layer"', "a list of folders"),
        ("layers", '["none"]', "a folder, but got"),
        ("python", '"./none"', "a Python interpreter, but got"),
        ("python", '"python-that-is-none"', 'a Python interpreter, but got "python-that-is-none"'),
        ("stream", '"yes"', "true or false"),
        ("warm", "-1", "0 or more"),
        ("warm", "11", "expected 10 at most, as environments says, but got 11"),
        ("idle-timeout", "0", "seconds, above 0"),
        ("cold-start", "-1", "from 0 to 900"),
        ("init-timeout", "0", "seconds, above 0"),
        ("strategy", '"random"', 'one of "most-recent", "round-robin", or a function such as'),
        ("strategy", '"custom:none"', "custom has no none"),
        ("strategy", '"custom:event"', "is called with (environments), but missing"),
        ("event", '"none:fn"', "No module named 'none'"),
        ("event", '"fn"', "a Python object"),
        ("context", '"custom:value"', "but it is 1"),
        ("asynchronous", "{ retries = 3 }", "from 0 to 2"),
        ("asynchronous", "{ max-age = 0 }", "up to 21600"),
        ("asynchronous", '{ on-success = "f" }', '"function:NAME" or "file:PATH"'),
        ("asynchronous", '{ on-success = "function:g" }', "expected one of the functions f, but got g"),
        ("asynchronous", "{ retrys = 1 }", "Did you mean retries?"),
        ("reserved_concurrency", "1", "Did you mean reserved-concurrency?"),
        ("concurency", "1", "Did you mean concurrency?"),
        ("debug", "true", "Expected one of"),
    ],
)
def test_a_mistake_points_at_file_line_and_key(folder: Folder, key: str, value: str, expected: str) -> None:
    text = (
        "\n[tool.lambent.functions.f]\n" + ("" if key == "handler" else 'handler = "app:app"\n') + f"{key} = {value}\n"
    )
    told = folder.complaint(text)
    line = len(text.splitlines())
    assert told.startswith(f"{folder.file}:{line}: tool.lambent.functions.f.{key}")
    assert expected in told


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool]\nlambent = 3", "2: tool.lambent: expected a table, but got 3"),
        ("[tool.lambent]\nport = 65536", "2: tool.lambent.port: expected a port"),
        ("[tool.lambent]\nprot = 1", "2: tool.lambent.prot: there is no such key. Did you mean port?"),
        ('[tool.lambent]\nhost = "http://x"', "2: tool.lambent.host: expected an address"),
        (
            '[tool.lambent]\nallowed-hosts = ["https://x"]',
            "2: tool.lambent.allowed-hosts: expected a list of host names",
        ),
        ('[tool.lambent]\nlog-level = "loud"', '2: tool.lambent.log-level: expected one of "debug", "info"'),
        ('[tool.lambent]\nenv-file = "none"', "2: tool.lambent.env-file: expected a file, but got"),
        ('[tool.lambent]\napp-dir = "none"', "2: tool.lambent.app-dir: expected a folder, but got"),
        ('[tool.lambent]\nregion = "The Moon"', "2: tool.lambent.region: expected a region"),
        ("[tool.lambent]\ntime-scale = 0", "2: tool.lambent.time-scale: expected a number above 0"),
        ("[tool.lambent]\nwatch = 'x'", "2: tool.lambent.watch: expected a list of files"),
        (
            "[tool.lambent]\nfunctions = 1",
            "2: tool.lambent.functions: expected [tool.lambent.functions.NAME], but got 1",
        ),
        ("[tool.lambent.functions.f]", "1: tool.lambent.functions.f: expected the key handler"),
        ("[tool.lambent.functions]\nf = 1", "2: tool.lambent.functions.f: expected a table, but got 1"),
        ('[tool.lambent.functions."a b"]', '1: tool.lambent.functions."a b": expected a name of 1 to 64 letters'),
        ("[tool.lambent.defaults]\nhandler = 'a.b'", "2: tool.lambent.defaults.handler: there is no such key."),
        ("[tool.lambent.defaults]\nmemory = 1\n" + ONE, "2: tool.lambent.defaults.memory: expected MB"),
        ("[tool.lambent]\ndefaults = 1", "2: tool.lambent.defaults: expected [tool.lambent.defaults], but got 1"),
        ("[tool.lambent.defaults]\nlayers = ['none']\n" + ONE, "2: tool.lambent.defaults.layers: expected a folder"),
        (
            "[tool.lambent.defaults]\nstream = true\n" + ONE + "door = 'alb'",
            "2: tool.lambent.defaults.stream: expected a",
        ),
        (
            ONE + "stream = true\ndoor = 'alb'",
            "3: tool.lambent.functions.f.stream: expected a door that streams, url or",
        ),
        (
            ONE + "snapstart = true\nconcurrency = 2",
            "4: tool.lambent.functions.f.concurrency: expected 1 with snapstart",
        ),
        (
            ONE + "path = '/x/{a}'\n[tool.lambent.functions.g]\nhandler = 'b.b'\npath = '/x/{b}'",
            "6: tool.lambent.functions.g.path: f and g: their paths /x/{a} and /x/{b} match the same requests",
        ),
        (
            "[tool.lambent.doors.shop]\nkind = 'window'\n" + ONE,
            '2: tool.lambent.doors.shop.kind: expected one of "url"',
        ),
        ("[tool.lambent.doors.shop]\n" + ONE, "1: tool.lambent.doors.shop: expected the key kind, one of url, http"),
        ("[tool.lambent.doors.Shop]\nkind = 'http'\n" + ONE, "1: tool.lambent.doors.Shop: expected a name that a host"),
        ("[tool.lambent.doors.http]\nkind = 'rest'\n" + ONE, "2: tool.lambent.doors.http.kind: expected http, since"),
        (
            "[tool.lambent.doors.web]\nkind = 'alb'\nstage = 'prod'\n" + ONE,
            "3: tool.lambent.doors.web.stage: on AWS, only doors of the kinds http, http1, rest, websocket have it",
        ),
        (
            "[tool.lambent.doors.web]\nkind = 'http'\napi-keys = { a = 'b' }\n" + ONE,
            "3: tool.lambent.doors.web.api-keys: on AWS, only doors of the kinds rest, websocket have it",
        ),
        (
            "[tool.lambent.doors.http]\nbase-path = 'shop'\n" + ONE,
            "2: tool.lambent.doors.http.base-path: expected a path",
        ),
        (
            "[tool.lambent.doors.http]\ncors = { origins = '*' }\n" + ONE,
            "2: tool.lambent.doors.http.cors.origins: expected a list of texts",
        ),
        (
            "[tool.lambent.doors.http]\ncors = { origins = ['*'], credentials = true }\n" + ONE,
            "2: tool.lambent.doors.http.cors.credentials: expected false, as on AWS",
        ),
        (
            "[tool.lambent.doors.http.authorizers.mine]\nkind = 'magic'\n" + ONE,
            '2: tool.lambent.doors.http.authorizers.mine.kind: expected one of "jwt"',
        ),
        (
            "[tool.lambent.doors.http]\ndefault-authorizer = 'mine'\n" + ONE,
            "1: tool.lambent.doors.http: the default authorizer: expected one of the authorizers",
        ),
        (
            "[tool.lambent.doors.b]\nkind = 'alb'\n" + ONE + "door = 'b'\nstream = true",
            "6: tool.lambent.functions.f.stream: expected a door that streams, url or rest: on AWS, alb takes",
        ),
        (ONE + "= 1", "3: expected TOML"),
    ],
)
def test_so_does_one_of_the_whole(folder: Folder, text: str, expected: str) -> None:
    assert folder.complaint(text).startswith(f"{folder.file}:{expected}")


DOORS = """
[tool.lambent.doors.shop]
kind = "http"
stage = "prod"
base-path = "/shop"
variables = { table = "t" }
timeout = 5
default-authorizer = "tokens"
cors = { origins = ["*"], methods = ["GET"], headers = ["x-a"], exposed = ["x-b"], max-age = 60 }

[tool.lambent.doors.shop.authorizers.tokens]
kind = "request"
function = "f"
identity = ["$request.header.Authorization"]
simple = true
ttl = 0

[tool.lambent.doors.rest]
api-keys = { web = "secret" }

[tool.lambent.doors.web]
kind = "alb"

[tool.lambent.functions.f]
handler = "app:app"
door = "shop"
routes = [
    "GET /items/{id}",
    { route = "ANY /files/{proxy+}", authorizer = "NONE", scopes = ["read"] },
    { route = "GET /keyed", door = "rest", api-key = true },
    { route = "ANY /static/*", door = "web", priority = 3, host = "*.example" },
]
"""


def test_doors_and_routes(folder: Folder) -> None:
    folder.write(DOORS)
    project = folder.load()
    tokens = Authorizer(
        "tokens", "request", function="f", identity=("$request.header.Authorization",), simple=True, ttl=0
    )
    assert project.entrances == (
        Entrance(
            "shop",
            "http",
            stage="prod",
            variables={"table": "t"},
            base_path="/shop",
            cors=Cors(("*",), ("GET",), ("x-a",), ("x-b",), 60),
            authorizers=(tokens,),
            default_authorizer="tokens",
            timeout=5,
        ),
        Entrance("rest", "rest", api_keys={"web": "secret"}),
        Entrance("web", "alb"),
    )
    assert project.functions[0].routes == (
        Route("shop", "GET", "/items/{id}"),
        Route("shop", "ANY", "/files/{proxy+}", "NONE", ("read",)),
        Route("rest", "GET", "/keyed", api_key=True),
        Route("web", "ANY", "/static/*", priority=3, host="*.example"),
    )
    table = Routes(project.functions, project.entrances)
    assert isinstance(table.find("GET", b"/shop/items/1"), Found)
    assert table.doubts == ()


SOCKETS = """
[tool.lambent.doors.chat]
kind = "websocket"
stage = "prod"
base-path = "/talk"
variables = { table = "t" }
route-selection = "$request.body.to.service"
default-authorizer = "who"
api-keys = { web = "secret" }
api-key-source = "authorizer"
timeout = 5

[tool.lambent.doors.chat.authorizers.who]
kind = "request"
function = "who"
identity = ["route.request.querystring.token"]

[tool.lambent.functions.who]
handler = "who.handler"

[tool.lambent.functions.life]
handler = "chat.handler"
door = "chat"
routes = [
  { route = "$connect", api-key = true }, "$disconnect", { route = "$default", route-response = true }
]

[tool.lambent.functions.join]
handler = "join.handler"
door = "http"
path = "/join"
routes = [{ route = "join", door = "chat" }]
"""


def test_websocket_apis_and_their_routes(folder: Folder) -> None:
    folder.write(SOCKETS)
    project = folder.load()
    who = Authorizer("who", "request", function="who", identity=("route.request.querystring.token",), ttl=0.0)
    assert project.entrances == (
        Entrance(
            "chat",
            "websocket",
            stage="prod",
            base_path="/talk",
            variables={"table": "t"},
            authorizers=(who,),
            default_authorizer="who",
            api_keys={"web": "secret"},
            api_key_source="authorizer",
            timeout=5,
            selection="$request.body.to.service",
        ),
    )
    life, join = project.functions[1:]
    assert life.routes == (
        Route("chat", "", "$connect", api_key=True),
        Route("chat", "", "$disconnect"),
        Route("chat", "", "$default", response=True),
    )
    assert join.routes == (Route("chat", "", "join"),)
    (api,) = SocketRoutes(project.functions, project.entrances).apis
    assert {key: target.function.name for key, target in api.targets.items()} == {
        "$connect": "life",
        "$disconnect": "life",
        "$default": "life",
        "join": "join",
    }
    assert isinstance(Routes(project.functions, project.entrances).find("GET", b"/join"), Found)


CHAT = "[tool.lambent.functions.f]\nhandler = 'a.b'\ndoor = 'websocket'\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CHAT + "path = '/ws/{id}'", "4: tool.lambent.functions.f.path: expected none: API Gateway has no paths for"),
        (CHAT + "routes = ['GET /x']", '4: tool.lambent.functions.f.routes: expected a route such as "$connect"'),
        (CHAT + "routes = ['$other']", '4: tool.lambent.functions.f.routes: expected a route such as "$connect"'),
        (CHAT + "stream = true", "4: tool.lambent.functions.f.stream: expected a door that streams"),
        (
            CHAT + "routes = [{ route = '$connect', route-response = true }]",
            '4: tool.lambent.functions.f.routes: expected a route such as "$connect"',
        ),
        (
            CHAT + "routes = [{ route = 'GET /x', door = 'http', route-response = true }]",
            '4: tool.lambent.functions.f.routes: expected a route such as "GET /items/{id}"',
        ),
        (
            CHAT + CHAT.replace(".f]", ".g]"),
            "6: tool.lambent.functions.g.door: f and g: both have the route $connect of the door websocket.",
        ),
        (
            "[tool.lambent.doors.websocket]\nstage = '$default'\n" + CHAT,
            "2: tool.lambent.doors.websocket.stage: expected a stage with a name, which stands in the address",
        ),
        (
            "[tool.lambent.doors.websocket]\nroute-selection = 'action'\n" + CHAT,
            '2: tool.lambent.doors.websocket.route-selection: expected such as "$request.body.action", but got',
        ),
        (
            "[tool.lambent.doors.websocket]\ncors = {}\n" + CHAT,
            "2: tool.lambent.doors.websocket.cors: on AWS, only doors of the kinds http, http1, url, rest have it",
        ),
        (
            "[tool.lambent.doors.http]\nroute-selection = '$request.body.a'\n" + CHAT,
            "2: tool.lambent.doors.http.route-selection: on AWS, only doors of the kinds websocket have it",
        ),
        (
            "[tool.lambent.doors.websocket.authorizers.a]\nkind = 'jwt'\nissuer = 'x'\n" + CHAT,
            "1: tool.lambent.doors.websocket: the authorizer a: an entrance of kind websocket has request, but",
        ),
    ],
)
def test_a_mistake_in_a_websocket_api_points_there(folder: Folder, text: str, expected: str) -> None:
    assert folder.complaint(text).startswith(f"{folder.file}:{expected}")


def test_a_file_of_keys_is_beside_the_configuration(folder: Folder) -> None:
    def jwks(told: str) -> str:
        table = f"kind = 'jwt'\njwks = '{told}'\nissuer = 'https://a.example'\n"
        folder.write(f"[tool.lambent.doors.http.authorizers.a]\n{table}{ONE}")
        return folder.load().entrances[0].authorizers[0].jwks

    assert jwks("keys.json") == str(folder.path / "keys.json")
    assert jwks("https://a.example/keys") == "https://a.example/keys"


def test_a_mistake_in_the_file_of_variables_points_there(folder: Folder) -> None:
    (folder.path / ".env").write_text("A=1\n=")
    assert folder.complaint(ONE) == f"{folder.path / '.env'}:2: expected NAME=value."


# The document

DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "configuration.md"
ROW = re.compile(r"^\| ((?:`[a-z-]+`(?:, )?)+) \|", re.MULTILINE)


def test_the_document_s_examples_load(folder: Folder) -> None:
    text = DOCUMENT.read_text("utf-8")
    (folder.path / "local.py").write_text(text.split('```python title="local.py"\n')[1].split("```")[0])
    examples = re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    assert len(examples) == 3
    for example in examples:
        folder.write(example)
        assert folder.load().functions


def test_the_document_has_every_key() -> None:
    part = DOCUMENT.read_text("utf-8").split("## The local Lambda")[1].split("### Paths")[0]
    written = {key for row in ROW.findall(part) for key in re.findall("[a-z-]+", row)}
    structs = (
        tables.Project,
        tables.FunctionTable,
        tables.AsynchronousTable,
        tables.RouteTable,
        tables.DoorTable,
        tables.CorsTable,
        tables.AuthorizerTable,
        SourceTable,
    )
    keys = {each.encode_name for table in structs for each in msgspec.structs.fields(table)}
    tables_of_their_own = {"build", "defaults", "functions", "asynchronous", "doors", "cors", "authorizers", "sources"}
    assert written == keys - tables_of_their_own
