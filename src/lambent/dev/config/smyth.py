"""`[tool.smyth]` of a project's pyproject.toml, read as Smyth reads it.

Its settings have these meanings here:

- `concurrency` is the number of environments, all of which are started at once, and do not freeze;
- `event_data_function_path`, `context_data_function_path` and `strategy_generator_path` name any function, called as
  `smyth_calls.py` has it, or one of Smyth's own, which is replaced by ours;
- `timeout` is 6 seconds where none is set, as in Smyth; there is no limit of memory below Lambda's own;
- the `log_level` of a handler, which Smyth uses for messages of its own, and `smyth_path_prefix` say nothing;
- `host` is the loopback where none is set: Smyth listens to the whole network.

Source: smyth 0.7 (`config.py`, `smyth.py`, `runner/`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

from msgspec import Meta, Struct

from lambent.dev import routes
from lambent.dev.config import Project, callables, dotenv, smyth_calls, tables
from lambent.dev.config.document import Document
from lambent.dev.config.function_tables import check_name, region
from lambent.dev.model import Function, MakeContext, MakeEvent, Strategy
from lambent.dev.strategies import most_recent, round_robin
from lambent.errors import ConfigurationError

TOOL = ("tool", "smyth")
HANDLERS = (*TOOL, "handlers")
REGION = "eu-central-1"
TIMEOUT = 6.0
MEMORY = 10_240

LOG_LEVELS = {"DEBUG": "debug", "INFO": "info", "WARNING": "warning", "ERROR": "error", "CRITICAL": "error"}

HTTP_EVENT = "smyth.event.generate_api_gw_v2_event_data"
JSON_EVENT = "smyth.event.generate_lambda_invocation_event_data"
CONTEXT = "smyth.context.generate_context_data"
FIRST_WARM = "smyth.runner.strategy.first_warm"

LogLevel = Annotated[str, tables.text("(?i:" + "|".join(LOG_LEVELS) + ")", f"one of {', '.join(LOG_LEVELS)}")]
Attribute = Annotated[str, tables.text(tables.OBJECT, 'a Python object, such as "package.module.name"')]


class HandlerTable(Struct, kw_only=True, frozen=True):
    """`[tool.smyth.handlers.NAME]`."""

    handler_path: Attribute
    url_path: tables.Text
    timeout: Annotated[float, Meta(gt=0, description="seconds, above 0")] = TIMEOUT
    event_data_function_path: Attribute = HTTP_EVENT
    context_data_function_path: Attribute = CONTEXT
    log_level: LogLevel = "DEBUG"
    concurrency: tables.Positive = 1
    strategy_generator_path: Attribute = FIRST_WARM
    env: tables.Variables = {}


class SmythTable(Struct, kw_only=True, frozen=True):
    """`[tool.smyth]`."""

    handlers: Annotated[dict[str, Any], Meta(description="[tool.smyth.handlers.NAME]")]
    host: Annotated[str, tables.text(tables.HOST, "an address of this machine")] = "127.0.0.1"
    port: tables.Port = 8080
    log_level: LogLevel = "INFO"
    smyth_path_prefix: tables.Text = "/smyth"
    env: tables.Variables = {}


def read(document: Document, environ: Mapping[str, str], env_file: Path | None = None) -> Project:
    """The project that `document` describes. `ConfigurationError` points at a mistake."""
    whole = document.convert(TOOL, document.get(*TOOL), SmythTable)
    env = {**(dotenv.read(env_file, environ) if env_file else {}), **whole.env}
    with callables.importing(document.file.parent):
        functions = [Handler(document, name, table, env).function(environ) for name, table in whole.handlers.items()]
    return Project(
        tuple(functions),
        host=whole.host,
        port=whole.port,
        log_level=LOG_LEVELS[whole.log_level.upper()],
        first_match=True,
        file=document.file,
        env_file=env_file,
    )


class Handler:
    """One table and where it stands."""

    def __init__(self, document: Document, name: str, table: object, env: Mapping[str, str]) -> None:
        self._document = document
        self._name = name
        self._keys = (*HANDLERS, name)
        check_name(document, self._keys)
        self._table = document.convert(self._keys, table, HandlerTable)
        self._env = {**env, **self._table.env}

    def function(self, shell: Mapping[str, str]) -> Function:
        table = self._table
        return Function(
            self._name,
            table.handler_path,
            self._document.file.parent,
            path=self._path(),
            door="http",
            timeout=table.timeout,
            memory=MEMORY,
            environments=table.concurrency,
            env=self._env,
            freeze=False,
            warm=table.concurrency,
            strategy=self._strategy(),
            make_event=self._make_event(),
            make_context=self._make_context(),
            region=region(self._env, {"AWS_DEFAULT_REGION": REGION, **shell}),
        )

    def _path(self) -> str:
        try:
            routes.pattern(self._table.url_path)
        except ValueError as error:
            raise self._error("url_path", f"expected a path as Starlette takes it, but {error}") from None
        return self._table.url_path

    def _strategy(self) -> Strategy:
        name = self._table.strategy_generator_path
        ours: dict[str, Strategy] = {FIRST_WARM: most_recent, "smyth.runner.strategy.round_robin": round_robin}
        if name in ours:
            return ours[name]
        generator = self._load("strategy_generator_path", "handler_name", "processes")
        return smyth_calls.Generated(self._name, generator)

    def _make_event(self) -> MakeEvent | None:
        name = self._table.event_data_function_path
        if name == HTTP_EVENT:
            return None
        if name == JSON_EVENT:
            return smyth_calls.json_event
        function = self._load("event_data_function_path", "request", "smyth_handler", "process")
        return smyth_calls.EventFunction(self._handler(), function)

    def _make_context(self) -> MakeContext | None:
        if self._table.context_data_function_path == CONTEXT:
            return None
        function = self._load("context_data_function_path", "request", "smyth_handler", "process")
        return smyth_calls.ContextFunction(self._handler(), function)

    def _handler(self) -> smyth_calls.SmythHandler:
        """The handler as Smyth would show it to its functions."""
        table, pattern = self._table, routes.pattern(self._table.url_path)
        return smyth_calls.SmythHandler(
            name=self._name,
            url_path=pattern.regex,
            names=pattern.names,
            lambda_handler_path=table.handler_path,
            timeout=table.timeout,
            log_level=table.log_level,
            concurrency=table.concurrency,
            env_overrides=self._env,
        )

    def _load(self, key: str, *arguments: str) -> Callable[..., Any]:
        try:
            return callables.load(getattr(self._table, key), arguments)
        except ValueError as error:
            raise self._error(key, str(error)) from None

    def _error(self, key: str, message: str) -> ConfigurationError:
        return self._document.error((*self._keys, key), message)
