"""From the name of a handler to the handler."""

import functools
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lambent import Lambent
from lambent.errors import TargetError
from lambent.runtime import target as targets
from lambent.runtime.function import Function, Generator
from lambent.runtime.target import as_handler, load
from lambent.types import ASGIApp, Handler, Receive, Scope, Send

APP = """
from lambent import Lambent

async def app(scope, receive, send): ...
handler = Lambent(app)
def function(event, context): ...
class Holder:
    class Inner:
        function = staticmethod(function)
number = 1
"""


@pytest.fixture
def task_root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that modules are imported from; they are forgotten afterwards."""
    known = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - known:
        if (getattr(sys.modules[name], "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def app(task_root: Path) -> Path:
    (task_root / "task_app.py").write_text(APP, "utf-8")
    (task_root / "task_package" / "inner").mkdir(parents=True)
    (task_root / "task_package" / "inner" / "task_app.py").write_text(APP, "utf-8")
    return task_root


class Adapted:
    """A Handler that knows what it was made of."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def serve(self, invocation: object) -> None: ...
    def lifetime(self) -> Any: ...


def error_of(target: str) -> TargetError:
    with pytest.raises(TargetError) as caught:
        load(target, Adapted)
    return caught.value


@pytest.mark.parametrize(
    "target", ["task_app:app", "task_app.app", "task_package.inner.task_app:app", "task_package/inner/task_app.app"]
)
def test_a_bare_asgi_application_is_adapted(app: Path, target: str) -> None:
    handler = load(target, Adapted)
    assert isinstance(handler, Adapted)
    assert handler.app.__module__ in sys.modules


@pytest.mark.parametrize("target", ["task_app:handler", "task_app.handler", "task_package/inner/task_app.handler"])
def test_a_handler_is_itself(app: Path, target: str) -> None:
    handler = load(target, Adapted)

    assert isinstance(handler, Lambent)
    assert handler.app.__module__ == target.replace("/", ".").removesuffix("handler")[:-1]


@pytest.mark.parametrize("target", ["task_app:function", "task_app.function", "task_app:Holder.Inner.function"])
def test_anything_else_that_can_be_called_is_a_function(app: Path, target: str) -> None:
    assert isinstance(load(target, Adapted), Function)


@pytest.mark.parametrize(
    "target", ["", "app", ":", ".", ":app", ".app", "app:", "app.", "app:a..b", "app:.a", "a..b:c"]
)
def test_a_name_of_the_wrong_form_is_named(target: str) -> None:
    error = error_of(target)

    assert error.error_type == "Runtime.MalformedHandlerName"
    assert str(error).startswith(f"Bad handler '{target}': expected MODULE:OBJECT, as in app:app")


@pytest.mark.parametrize("target", ["./app.handler", "../app.handler", "/var/task/app.handler", "a//b.handler"])
def test_a_path_is_no_name_of_a_module(target: str) -> None:
    assert error_of(target).error_type == "Runtime.MalformedHandlerName"


def test_a_module_that_is_not_there_is_named() -> None:
    error = error_of("no_such_module.handler")

    assert error.error_type == "Runtime.ImportModuleError"
    assert str(error) == "Unable to import module 'no_such_module': No module named 'no_such_module'"
    assert isinstance(error.__cause__, ModuleNotFoundError)


def test_a_module_that_misses_another_says_which(task_root: Path) -> None:
    (task_root / "task_app.py").write_text("import no_such_module", "utf-8")
    error = error_of("task_app.handler")

    assert error.error_type == "Runtime.ImportModuleError"
    assert str(error) == "Unable to import module 'task_app': No module named 'no_such_module'"


def test_a_syntax_error_shows_its_line(task_root: Path) -> None:
    (task_root / "task_app.py").write_text("\nhandler = (1 +", "utf-8")
    error = error_of("task_app.handler")

    assert error.error_type == "Runtime.UserCodeSyntaxError"
    assert str(error).startswith("Syntax error in module 'task_app':   File ")
    assert 'task_app.py", line 2' in str(error)
    assert "handler = (1 +" in str(error)


def test_a_missing_attribute_is_named(app: Path) -> None:
    for target in ("task_app:missing", "task_app:missing.inner", "task_app.missing"):
        error = error_of(target)
        assert error.error_type == "Runtime.HandlerNotFound"
        assert str(error) == f"Handler '{target[9:]}' missing on module 'task_app'"


def test_a_builtin_module_is_refused() -> None:
    for target in ("sys.exit", "builtins:print", "time/zone.handler"):
        assert error_of(target).error_type == "Runtime.BuiltInModuleConflict"


@pytest.mark.parametrize("attribute", ["number", "Holder"])
def test_what_cannot_be_a_handler_is_shown(app: Path, attribute: str) -> None:
    error = error_of(f"task_app:{attribute}")

    assert error.error_type == "Runtime.HandlerNotFound"
    assert str(error).startswith(
        f"Expected 'task_app:{attribute}' to be a Lambent, an ASGI application or a function of an event and a context"
    )


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated where the function is made")
def test_annotations_may_name_what_is_there_for_type_checkers_only(task_root: Path) -> None:
    source = """
from typing import TYPE_CHECKING
if TYPE_CHECKING:
    from nowhere import Context, Scope
def function(event: dict, context: Context): ...
async def app(scope: Scope, receive, send): ...
"""
    (task_root / "task_app.py").write_text(source, "utf-8")
    assert isinstance(load("task_app.function", Adapted), Function)
    assert isinstance(load("task_app.app", Adapted), Adapted)


def test_a_function_is_read_without_its_annotations_being_evaluated(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(targets, "signature_of", lambda function: inspect.signature(three))
    assert isinstance(as_handler(optional, "app:app", Adapted), Adapted)


def test_an_async_generator_function_streams() -> None:
    async def stream(event: Any, context: Any) -> Any:
        yield b""

    assert type(as_handler(stream, "app:stream", Adapted)) is Generator


def test_what_a_module_raises_comes_as_it_is(task_root: Path) -> None:
    (task_root / "task_app.py").write_text("raise KeyError('a')", "utf-8")
    with pytest.raises(KeyError):
        load("task_app.handler", Adapted)


def test_a_module_is_imported_once(task_root: Path) -> None:
    (task_root / "task_app.py").write_text("def handler(event, context): ...", "utf-8")
    load("task_app.handler", Adapted)
    module = importlib.import_module("task_app")
    load("task_app:handler", Adapted)
    assert sys.modules["task_app"] is module


class Application:
    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    async def method(self, scope: Scope, receive: Receive, send: Send) -> None: ...
    def function(self, event: Any, context: Any) -> None: ...


def three(event: Any, context: Any, table: Any) -> None: ...
def optional(event: Any, context: Any, table: Any = None) -> None: ...
def anything(*arguments: Any, **options: Any) -> None: ...


@pytest.mark.parametrize("value", [Application(), Application().method, functools.partial(Application().method)])
def test_what_takes_three_arguments_is_an_application(value: ASGIApp) -> None:
    handler: Handler = as_handler(value, "app:app", Adapted)
    assert isinstance(handler, Adapted)
    assert handler.app is value


@pytest.mark.parametrize(
    "value", [Application().function, functools.partial(three, table=1), optional, anything, print, dict.fromkeys, max]
)
def test_what_takes_others_is_a_function(value: object) -> None:
    assert isinstance(as_handler(value, "app:app", Adapted), Function)
