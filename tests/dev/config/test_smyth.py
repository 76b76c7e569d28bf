"""[tool.smyth], read into a project, beside Smyth's own reading of it."""

import re
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from textwrap import dedent

import msgspec
import pytest
import smyth.config
import smyth.types
from starlette.routing import compile_path

from lambent.dev import config
from lambent.dev.config import Project, smyth_calls
from lambent.dev.config import smyth as ours
from lambent.dev.model import Function
from lambent.dev.routes import Found, Routes
from lambent.dev.strategies import most_recent, round_robin
from lambent.errors import ConfigurationError

EXAMPLE = """
[tool.smyth]
host = "0.0.0.0"
port = 8081
log_level = "DEBUG"
env = { A = "global", B = "global" }

[tool.smyth.handlers.orders]
handler_path = "orders.app.handler"
url_path = "/orders/{id:int}"
timeout = 300
concurrency = 4
strategy_generator_path = "smyth.runner.strategy.round_robin"
env = { A = "handler" }

[tool.smyth.handlers.direct]
handler_path = "direct.handler"
url_path = "/orders/{path:path}"
event_data_function_path = "smyth.event.generate_lambda_invocation_event_data"
"""

MINIMAL = '[tool.smyth.handlers.f]\nhandler_path = "a.b"\nurl_path = "/"\n'


class Folder:
    """A project's folder."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = path / "pyproject.toml"

    def load(self, text: str, environ: Mapping[str, str] | None = None) -> Project:
        self.file.write_text(dedent(text), "utf-8")
        project = config.load(self.path, environ or {})
        assert project
        return project


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_project_runs_as_it_stands(folder: Folder) -> None:
    project = folder.load(EXAMPLE)
    orders = Function(
        "orders",
        "orders.app.handler",
        folder.path,
        path="/orders/{id:int}",
        door="http",
        timeout=300,
        memory=10_240,
        environments=4,
        env={"A": "handler", "B": "global"},
        freeze=False,
        warm=4,
        strategy=round_robin,
        region="eu-central-1",
    )
    direct = Function(
        "direct",
        "direct.handler",
        folder.path,
        path="/orders/{path:path}",
        door="http",
        timeout=6,
        memory=10_240,
        environments=1,
        env={"A": "global", "B": "global"},
        freeze=False,
        warm=1,
        strategy=most_recent,
        make_event=smyth_calls.json_event,
        region="eu-central-1",
    )
    assert project == Project(
        (orders, direct), host="0.0.0.0", port=8081, log_level="debug", first_match=True, file=folder.file
    )


def test_the_defaults_are_smyth_s_but_for_the_host(folder: Folder) -> None:
    project = folder.load(MINIMAL)
    theirs = smyth.config.Config()
    assert (project.port, project.log_level.upper()) == (theirs.port, theirs.log_level)
    assert project.host == "127.0.0.1"


def test_it_has_smyth_s_keys_and_defaults() -> None:
    for table, theirs in ((ours.SmythTable, smyth.config.Config), (ours.HandlerTable, smyth.config.HandlerConfig)):
        assert {each.name for each in msgspec.structs.fields(table)} == {each.name for each in fields(theirs)}
    mine = ours.HandlerTable(handler_path="a.b", url_path="/", timeout=1)
    assert msgspec.structs.asdict(mine) == vars(smyth.config.HandlerConfig("a.b", "/", timeout=1))


def test_a_handler_has_the_fields_that_smyth_s_has() -> None:
    known = {each.name for each in fields(smyth_calls.SmythHandler)}
    functions = {"event_data_function", "context_data_function", "strategy_generator"}
    assert {each.name for each in fields(smyth.types.SmythHandler)} - known == functions


def test_the_first_path_that_matches_wins_as_in_starlette(folder: Folder) -> None:
    text = EXAMPLE.replace("{id:int}", "{all:path}").replace("{path:path}", "{id:int}")
    project = folder.load(text + MINIMAL)
    routes = Routes(project.functions, first_match=project.first_match)
    for path in ("/orders/1", "/orders/", "/", "/other"):
        theirs = next((each for each in project.functions if compile_path(each.path)[0].match(path)), None)
        found = routes.find("GET", path.encode())
        assert (found.function if isinstance(found, Found) else None) is theirs


@pytest.mark.parametrize(("environ", "region"), [({}, "eu-central-1"), ({"AWS_REGION": "us-west-2"}, "us-west-2")])
def test_the_region_is_smyth_s_where_none_is_set(folder: Folder, environ: dict[str, str], region: str) -> None:
    assert folder.load(MINIMAL, environ).functions[0].region == region
    assert folder.load(MINIMAL + "env.AWS_REGION = 'eu-north-1'", environ).functions[0].region == "eu-north-1"


@pytest.mark.parametrize("level", ["debug", "INFO", "Warning", "ERROR", "CRITICAL"])
def test_levels_in_any_case(folder: Folder, level: str) -> None:
    assert folder.load(f"[tool.smyth]\nlog_level = '{level}'\n{MINIMAL}").log_level in re.sub(
        "critical", "error", level.lower()
    )


def test_functions_of_one_s_own_are_taken_in(folder: Folder) -> None:
    (folder.path / "own.py").write_text(
        "async def event(request, smyth_handler, process): ...\n"
        "async def context(request, smyth_handler, process): ...\n"
        "def strategy(handler_name, processes): yield\n"
    )
    function = folder.load(
        MINIMAL
        + 'event_data_function_path = "own.event"\n'
        + 'context_data_function_path = "own.context"\n'
        + 'strategy_generator_path = "own.strategy"\n'
    ).functions[0]
    assert isinstance(function.make_event, smyth_calls.EventFunction)
    assert isinstance(function.make_context, smyth_calls.ContextFunction)
    assert isinstance(function.strategy, smyth_calls.Generated)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[tool]\nsmyth = 1", "2: tool.smyth: expected a table, but got 1."),
        ("[tool.smyth]\nport = 1", "1: tool.smyth: expected the key handlers, [tool.smyth.handlers.NAME], but"),
        ("[tool.smyth.handlers.f]", "1: tool.smyth.handlers.f: expected the key handler_path, a Python object"),
        (MINIMAL + "concurrency = 0", "4: tool.smyth.handlers.f.concurrency: expected a whole number, 1 or more"),
        (MINIMAL + "timeout = 0", "4: tool.smyth.handlers.f.timeout: expected seconds, above 0, but got 0."),
        (MINIMAL + "env = { A = 1 }", "4: tool.smyth.handlers.f.env.A: expected a text in quotes, but got 1."),
        (MINIMAL + 'log_level = "loud"', "4: tool.smyth.handlers.f.log_level: expected one of DEBUG, INFO"),
        (
            MINIMAL + "strategy_function_path = 'a.b'",
            "4: tool.smyth.handlers.f.strategy_function_path: there is no such",
        ),
        (
            MINIMAL + "strategy_generator_path = 'none.a'",
            "4: tool.smyth.handlers.f.strategy_generator_path: none cannot be imported",
        ),
        (MINIMAL.replace('"/"', '"x"'), "3: tool.smyth.handlers.f.url_path: expected a path as Starlette takes it"),
        (MINIMAL.replace(".f]", '."a b"]'), '1: tool.smyth.handlers."a b": expected a name of 1 to 64'),
    ],
)
def test_a_mistake_points_at_file_line_and_key(folder: Folder, text: str, expected: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        folder.load(text)
    assert str(told.value).startswith(f"{folder.file}:{expected}")
