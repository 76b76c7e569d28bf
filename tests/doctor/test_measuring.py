"""Handlers, loaded in processes of their own."""

import sys
from pathlib import Path

import pytest

from lambent.dev.model import Function
from lambent.doctor import probe
from lambent.doctor.measuring import folders_of, measure


def function(folder: Path, text: str, handler: str = "app.handler", **env: str) -> Function:
    (folder / "app.py").write_text(text, "utf-8")
    return Function("shop", handler, folder, env=env)


LAMBENT = """
import uuid, json.tool
from lambent import Events, Lambent
ID = uuid.uuid4()
events = Events()
@events.sqs("jobs")
async def job(record): ...
async def app(scope, receive, send): ...
handler = Lambent(app, events=events, errors="raise", store="dynamodb://x")
print("a line of its own")
"""


def test_what_a_handler_is_and_takes(tmp_path: Path) -> None:
    own = function(tmp_path, LAMBENT, LAMBENT_STREAM="1")
    found = measure(own, {"PATH": ""}, unique=True)
    assert (found.error, found.kind, found.errors, found.store, found.batches) == (
        "",
        "lambent",
        "raise",
        "dynamodb://x",
        ("sqs",),
    )
    assert found.stream
    assert 5 < found.peak < 300
    assert 0 < found.seconds < 60
    assert found.unique == (f"uuid.uuid4(), called in {tmp_path}/app.py:4,",)
    origins = {each.name: each.origin for each in found.packages}
    assert origins["app"] == "yours"
    assert origins["lambent"] == "Lambent"
    assert origins["the standard library"] == "Python"


def test_python_s_own_module_without_a_fixed_name_is_not_the_user_s(tmp_path: Path) -> None:
    found = measure(function(tmp_path, "import sysconfig\nsysconfig.get_config_vars()\nhandler = print"), {"PATH": ""})
    assert [each.name for each in found.packages if each.origin == "yours"] == ["app"]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("async def handler(event, context): ...", "coroutine"),
        ("async def handler(event, context): yield b''", "generator"),
        ("async def handler(scope, receive, send): ...", "application"),
        ("handler = print", "function"),
    ],
)
def test_kinds_of_handlers(tmp_path: Path, text: str, kind: str) -> None:
    assert measure(function(tmp_path, text), {}).kind == kind


@pytest.mark.skipif(sys.version_info < (3, 14), reason="annotations are evaluated where the function is made")
def test_annotations_may_name_what_is_there_for_type_checkers_only(tmp_path: Path) -> None:
    text = "async def handler(scope: Scope, receive: Receive, send: Send): ..."
    assert measure(function(tmp_path, text), {}).kind == "application"


@pytest.mark.parametrize(
    ("text", "handler", "end"),
    [
        ("import pandaz", "app.handler", "ModuleNotFoundError: No module named 'pandaz'"),
        ("handler = 1", "app:other", "AttributeError: module 'app' has no attribute 'other'"),
        ("def f(:", "app.handler", "SyntaxError: invalid syntax"),
        ("raise SystemExit(3)", "app.handler", "SystemExit: 3"),
        ("import os; os._exit(4)", "app.handler", "the process exited with 4 while it was loaded."),
        ("", "other.handler", "ModuleNotFoundError: No module named 'other'"),
    ],
)
def test_what_cannot_be_loaded(tmp_path: Path, text: str, handler: str, end: str) -> None:
    error = measure(function(tmp_path, text, handler), {}).error
    assert error.endswith(end)
    assert "probe.py" not in error


def test_a_thread_that_goes_on_is_not_waited_for(tmp_path: Path) -> None:
    text = "import threading\nthreading.Thread(target=threading.Event().wait).start()\nhandler = print\n"
    found = measure(function(tmp_path, text), {})
    assert (found.error, found.kind) == ("", "function")
    assert "app" in {each.name for each in found.packages}


def test_a_path_without_this_folder_is_whole(tmp_path: Path) -> None:
    """Python leaves out the folder of the script of itself."""
    assert measure(function(tmp_path, "handler = print"), {"PYTHONSAFEPATH": "1"}).error == ""


def test_a_python_that_is_not_there(tmp_path: Path) -> None:
    own = Function("shop", "app.handler", tmp_path, python=str(tmp_path / "python"))
    assert measure(own, {}).error == f"{tmp_path}/python cannot be started: No such file or directory."


def test_where_a_handler_lies(tmp_path: Path) -> None:
    (tmp_path / "src" / "shop").mkdir(parents=True)
    (tmp_path / "src" / "shop" / "__init__.py").touch()
    folders = [tmp_path, tmp_path / "src"]
    assert folders_of("shop:app", folders) == tmp_path / "src"
    assert folders_of("shop.main.app", folders) is None


@pytest.mark.skipif(not Path("/proc/thread-self/schedstat").exists(), reason="nothing tells who stood in line")
def test_what_others_take_of_the_processors_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two seconds on the clock, half was spent standing in line."""
    before, now = probe.moment(), probe.moment()
    assert now > before
    assert now[1] >= before[1] > 0
    moments = iter([(10.0, 1.0), (12.0, 2.0)])
    monkeypatch.setattr(probe, "moment", lambda: next(moments))
    assert probe.traced("json") == {"seconds": 1.0, "share": 0.5}
