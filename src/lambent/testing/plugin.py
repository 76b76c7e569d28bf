"""pytest: the local Lambda, in process and in processes, and events, as fixtures.

    [tool.pytest.ini_options]
    lambent_handler = "app:handler"      # of `lambda_client`
    lambent_project = "services/shop"    # of `local_lambda`: the folder of a pyproject.toml with [tool.lambent]
    lambent_events = "tests/events"      # of `recorded_event`

Nothing else of Lambent is imported until a fixture is used.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

if TYPE_CHECKING:
    from lambent.runtime.invocation import LambdaContext
    from lambent.testing.client import Client
    from lambent.testing.events import Event
    from lambent.testing.local import LocalLambda

MARKER = "lambda_client(handler, *, door, routes, strict, ...): what the fixture `lambda_client` is made of"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("lambent_handler", "The handler of `lambda_client`, such as app:handler.", default="")
    parser.addini("lambent_door", "The front door of `lambda_client`.", default="http")
    parser.addini("lambent_project", "The folder, or pyproject.toml, of `local_lambda`.", default="")
    parser.addini("lambent_events", "The folder of the files of `recorded_event`.", default="tests/events")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", MARKER)


@pytest.fixture
def lambda_client(request: pytest.FixtureRequest) -> Iterator[Client]:
    """A `lambent.testing.Client`. Its handler is the marker's, or else that of `lambent_handler`.

    Its lifespan begins with the first request and ends with the test. In async tests:
    `async with lambda_client as client: await client.get("/")`.
    """
    from lambent.errors import ConfigurationError
    from lambent.testing.client import Client

    marker = request.node.get_closest_marker("lambda_client")
    options = {"door": request.config.getini("lambent_door"), **(marker.kwargs if marker else {})}
    named: Any = request.config.getini("lambent_handler") or None
    handler = marker.args[0] if marker and marker.args else options.pop("handler", named)
    if handler is None:
        refuse(
            'lambda_client: expected a handler, in the ini option lambent_handler = "app:handler" or in '
            "@pytest.mark.lambda_client(handler), but there is neither."
        )
    known = Client.__init__.__kwdefaults__ or {}
    if unknown := [*(marker.args[1:] if marker else ()), *sorted(set(options) - set(known))]:
        came = ", ".join(map(repr, unknown))
        refuse(f"@pytest.mark.lambda_client: expected one handler, and options of {', '.join(known)}, but got {came}.")
    try:
        client = Client(handler, **options)
    except ConfigurationError as error:
        refuse(f"lambda_client: {error}{advice(error, request.config)}")
    yield client
    client.close()


@pytest.fixture(scope="session")
def lambent_project(request: pytest.FixtureRequest) -> Any:
    """What `local_lambda` runs: a folder, a Project or a Function. To be overridden where that depends."""
    return request.config.rootpath / request.config.getini("lambent_project")


@pytest.fixture(scope="session")
def local_lambda(lambent_project: Any, request: pytest.FixtureRequest) -> Iterator[LocalLambda]:
    """A `lambent.testing.LocalLambda` that runs for the session. A test that fails shows what it said meanwhile."""
    from lambent.errors import ConfigurationError
    from lambent.testing.local import LocalLambda

    try:
        local = LocalLambda(lambent_project)
        local.start()
    except ConfigurationError as error:
        refuse(f"local_lambda: {error}")
    reporter = Reporter(local)
    request.config.pluginmanager.register(reporter)
    try:
        yield local
    finally:
        request.config.pluginmanager.unregister(reporter)
        local.stop()


@pytest.fixture
def lambda_context() -> LambdaContext:
    """The context of an invocation that has 30 seconds. `lambent.testing.context` makes others."""
    from lambent.testing.contexts import context

    return context()


@pytest.fixture
def lambda_event() -> Callable[..., Event]:
    """Builds an event: `lambda_event("sqs", {"id": 7}, queue="orders")`, as `lambent.testing.events.sqs` does."""
    from lambent.testing.kinds import KINDS

    def build(kind: str, *arguments: Any, **options: Any) -> Event:
        if kind not in KINDS:
            refuse(f"lambda_event: expected one of {', '.join(KINDS)}, but got {kind!r}.")
        return KINDS[kind](*arguments, **options)

    return build


@pytest.fixture
def recorded_event(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Reads an event from a file: `recorded_event("order")`; `recorded_event("log", 2)` of one that has several."""
    from lambent.testing import recorded

    folder = request.config.rootpath / request.config.getini("lambent_events")

    def read(name: str, which: str | int | None = None) -> Any:
        file = folder / f"{name.removesuffix('.json')}.json"
        if not file.is_file():
            refuse(f"recorded_event: expected {there(folder)}, but got {name!r}.")
        try:
            return recorded.read(file.read_text("utf-8"), which)
        except ValueError as error:
            refuse(f"recorded_event: {file}: {error}.")

    return read


class Reporter:
    """Adds to the report of a test that fails what the local Lambda has said while it ran."""

    def __init__(self, local: LocalLambda) -> None:
        self._local = local
        self._seen = 0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
        report = yield
        if call.when == "call" and "local_lambda" in getattr(item, "fixturenames", ()):
            logs = self._local.logs
            if report.failed and logs[self._seen :].strip():
                report.sections.append(("Local Lambda", logs[self._seen :].strip("\n")))
            self._seen = len(logs)
        return report


def refuse(message: str) -> NoReturn:
    raise pytest.fail.Exception(message, pytrace=False) from None


def there(folder: Path) -> str:
    """The names that a folder has files for."""
    names = sorted(file.stem for file in folder.glob("*.json"))
    return f"one of {', '.join(names)} in {folder}" if names else f"the name of a file NAME.json in {folder}"


def advice(error: Exception, config: pytest.Config) -> str:
    """Python looks where pytest lets it; most often that is not where the project is."""
    if getattr(error, "error_type", "") != "Runtime.ImportModuleError":
        return ""
    return f'\nIf it is in {config.rootpath}, add pythonpath = ["."] to the configuration of pytest.'
