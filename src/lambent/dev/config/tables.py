"""What may stand in `[tool.lambent]`: the tables and their keys, in kebab-case, and what each of them expects."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from msgspec import Meta, Struct

from lambent.dev.doors import KINDS
from lambent.dev.model import Asynchronous, Authorizer, Cors, Entrance, Function, Route
from lambent.dev.strategies import STRATEGIES
from lambent.dev.variables import RUNTIMES

OBJECT = r"[^\W\d][\w-]*(?:[./][^\W\d][\w-]*)*(?::[^\W\d]\w*(?:\.[^\W\d]\w*)*|\.[^\W\d]\w*)"
"""`pkg.mod:fn` or `pkg.mod.fn`; AWS writes `pkg/mod.fn` as well. Modules may have hyphens in their names."""

FUNCTION_NAME = r"[a-zA-Z0-9_-]{1,64}"
HOST = r"\.?[\w-]+(\.[\w-]+)*|[0-9a-fA-F:.]+"

LOG_LEVELS = ("debug", "info", "warning", "error")

ENTRANCE_NAME = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
"""That can be a host's: `NAME.localhost`."""
PATH = r"/[^/\s?#]+(/[^/\s?#]+)*"
STAGE = r"\$default|[A-Za-z0-9_-]{1,128}"
AUTHORIZERS = ("jwt", "request", "token", "cognito")

DEFAULT = Function("", "")
DEFAULT_ROUTE = Route("", "", "")
DEFAULT_ENTRANCE = Entrance("")
DEFAULT_AUTHORIZER = Authorizer("", "")
DEFAULT_CORS = Cors()
STRATEGY = "one of " + ", ".join(f'"{name}"' for name in STRATEGIES) + ', or a function such as "package.module:name"'
WAITING = Asynchronous()


def text(form: str, expected: str) -> Meta:
    """Of a text that has this form as a whole."""
    return Meta(pattern=rf"\A(?:{form})\Z", description=expected)


def choice(names: Iterable[str]) -> Meta:
    names = list(names)
    return text("|".join(names), "one of " + ", ".join(f'"{name}"' for name in names))


Switch = Annotated[bool, Meta(description="true or false")]
Text = Annotated[str, Meta(description="a text in quotes")]
Folder = Annotated[str, Meta(min_length=1, description="the path of a folder, in quotes")]
File = Annotated[str, Meta(min_length=1, description="the path of a file, in quotes")]
Seconds = Annotated[float, Meta(description="seconds, above 0 and up to 900", gt=0, le=900)]
Delay = Annotated[float, Meta(description="seconds, from 0 to 900", ge=0, le=900)]
Count = Annotated[int, Meta(description="a whole number, 0 or more", ge=0)]
Positive = Annotated[int, Meta(description="a whole number, 1 or more", ge=1)]
Port = Annotated[int, Meta(ge=0, le=65_535, description="a port, a whole number from 0 to 65535")]
Variable = Annotated[str, text("[A-Za-z_][A-Za-z0-9_]*", "a name of letters, digits and underscores")]
Value = Annotated[str, text("[^\0]*", "a text in quotes")]
Variables = Annotated[dict[Variable, Value], Meta(description='a table of texts, such as { NAME = "value" }')]
Object = Annotated[str, text(OBJECT, 'a Python object, such as "package.module:name"')]
Destination = Annotated[str, text("(function|file):.+", '"function:NAME" or "file:PATH"')]


Texts = Annotated[tuple[Text, ...], Meta(description="a list of texts in quotes")]
Door = Annotated[str, Meta(min_length=1, description="the name of a door, or a kind of doors")]


class AsynchronousTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.functions.NAME.asynchronous]`."""

    retries: Annotated[int, Meta(description="a whole number from 0 to 2", ge=0, le=2)] = WAITING.retries
    max_age: Annotated[float, Meta(description="seconds, above 0 and up to 21600", gt=0, le=21_600)] = WAITING.max_age
    on_success: Destination = WAITING.on_success
    on_failure: Destination = WAITING.on_failure
    dead_letter: Destination = WAITING.dead_letter


class Defaults(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.defaults]`: of every function that does not say otherwise."""

    door: Door = DEFAULT.door
    timeout: Seconds = DEFAULT.timeout
    memory: Annotated[int, Meta(description="MB, a whole number from 128 to 32768", ge=128, le=32_768)] = DEFAULT.memory
    environments: Positive = DEFAULT.environments
    concurrency: Positive = DEFAULT.concurrency
    reserved_concurrency: Count | None = DEFAULT.reserved_concurrency
    runtime: Annotated[str, choice(RUNTIMES)] = DEFAULT.runtime
    python: Annotated[str, Meta(min_length=1, description="a Python interpreter, in quotes")] = DEFAULT.python
    layers: Annotated[tuple[Folder, ...], Meta(description="a list of folders")] = ()
    stream: Switch = DEFAULT.stream
    snapstart: Switch = DEFAULT.snapstart
    freeze: Switch = DEFAULT.freeze
    warm: Count = DEFAULT.warm
    idle_timeout: Annotated[float, Meta(description="seconds, above 0", gt=0)] | None = DEFAULT.idle_timeout
    cold_start: Delay = DEFAULT.cold_start
    init_timeout: Seconds = DEFAULT.init_timeout
    strategy: Annotated[str, text(f"{'|'.join(STRATEGIES)}|{OBJECT}", STRATEGY)] = ""
    event: Object = ""
    context: Object = ""
    asynchronous: AsynchronousTable = AsynchronousTable()


class FunctionTable(Defaults, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.functions.NAME]`."""

    handler: Annotated[str, text(OBJECT, 'such as "app:app" or "package.module.handler"')]
    path: Text = DEFAULT.path
    routes: Annotated[tuple[Any, ...], Meta(description='a list of routes, such as "GET /items/{id}"')] = ()
    env: Variables = {}


class RouteTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """One of `routes`, where more is said of it."""

    route: Text
    door: Door | None = None
    authorizer: Text = DEFAULT_ROUTE.authorizer
    scopes: Texts = DEFAULT_ROUTE.scopes
    api_key: Switch = DEFAULT_ROUTE.api_key
    priority: Annotated[int, Meta(description="a whole number from 1 to 50000", ge=1, le=50_000)] | None = None
    host: Text = DEFAULT_ROUTE.host
    route_response: Switch = DEFAULT_ROUTE.response


class CorsTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.doors.NAME.cors]`."""

    origins: Texts = DEFAULT_CORS.origins
    methods: Texts = DEFAULT_CORS.methods
    headers: Texts = DEFAULT_CORS.headers
    exposed: Texts = DEFAULT_CORS.exposed
    max_age: Annotated[int, Meta(description="seconds, a whole number from 0 to 86400", ge=0, le=86_400)] | None = None
    credentials: Switch = DEFAULT_CORS.credentials


class AuthorizerTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.doors.NAME.authorizers.NAME]`."""

    kind: Annotated[str, choice(AUTHORIZERS)]
    jwks: Text = DEFAULT_AUTHORIZER.jwks
    issuer: Text = DEFAULT_AUTHORIZER.issuer
    audience: Texts = DEFAULT_AUTHORIZER.audience
    function: Text = DEFAULT_AUTHORIZER.function
    identity: Texts = DEFAULT_AUTHORIZER.identity
    payload: Annotated[str, choice(("1.0", "2.0"))] = DEFAULT_AUTHORIZER.payload
    simple: Switch = DEFAULT_AUTHORIZER.simple
    ttl: Annotated[float, Meta(description="seconds, from 0 to 3600", ge=0, le=3600)] = DEFAULT_AUTHORIZER.ttl
    pattern: Text = DEFAULT_AUTHORIZER.pattern


class DoorTable(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent.doors.NAME]`."""

    kind: Annotated[str, choice(KINDS)] = ""
    stage: Annotated[str, text(STAGE, 'a stage, such as "prod"')] = DEFAULT_ENTRANCE.stage
    variables: Variables = {}
    base_path: Annotated[str, text(PATH, 'a path such as "/shop"')] = DEFAULT_ENTRANCE.base_path
    cors: Annotated[dict[str, Any], Meta(description="[tool.lambent.doors.NAME.cors]")] | None = None
    authorizers: Annotated[dict[str, Any], Meta(description="[tool.lambent.doors.NAME.authorizers.NAME]")] = {}
    default_authorizer: Text = DEFAULT_ENTRANCE.default_authorizer
    api_keys: Annotated[dict[str, Text], Meta(description='a table of texts, such as { NAME = "key" }')] = {}
    api_key_source: Annotated[str, choice(("header", "authorizer"))] = DEFAULT_ENTRANCE.api_key_source
    timeout: Seconds | None = DEFAULT_ENTRANCE.timeout
    route_selection: Text = DEFAULT_ENTRANCE.selection


class Project(Struct, kw_only=True, frozen=True, rename="kebab"):
    """`[tool.lambent]`."""

    app_dir: Folder = "."
    host: Annotated[str, text(HOST, "an address of this machine")] = "127.0.0.1"
    port: Port = 3000
    https: Switch = False
    allowed_hosts: Annotated[
        tuple[Annotated[str, text(HOST, "a host")], ...],
        Meta(description='a list of host names without scheme and port, such as "tunnel.example"'),
    ] = ()
    log_level: Annotated[str, choice(LOG_LEVELS)] = "info"
    env: Variables = {}
    env_file: File | None = None
    region: Annotated[str, text("[a-z0-9-]+", 'a region, such as "eu-west-1"')] = ""
    watch: Annotated[tuple[Folder, ...], Meta(description="a list of files, folders and globs")] = ()
    time_scale: Annotated[float, Meta(description="a number above 0", gt=0)] = 1
    defaults: Annotated[dict[str, Any], Meta(description="[tool.lambent.defaults]")] = {}
    build: Annotated[dict[str, Any], Meta(description="[tool.lambent.build]")] = {}
    """`lambent build` reads it."""
    doors: Annotated[dict[str, Any], Meta(description="[tool.lambent.doors.NAME]")] = {}
    functions: Annotated[dict[str, Any], Meta(description="[tool.lambent.functions.NAME]")] = {}
    sources: Annotated[dict[str, Any], Meta(description="[tool.lambent.sources.NAME]")] = {}
