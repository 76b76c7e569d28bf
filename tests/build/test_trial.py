"""The handler, imported from what was built."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from lambent.build import trial
from lambent.build.model import Target

HERE = Path(sys.executable)

FILES = {
    "app.py": "import os\nclass api:\n    handler = print\ndef handler(event, context): ...\n",
    "broken.py": "import app\n\nraise RuntimeError('no such table')\n",
    "old.py": "print 'old'\n",
    "data.py": "import pathlib\npathlib.Path('no.css').read_text()\n",
    "outside.py": "import pytest\n",
    "buckets.py": "import boto3\n",
    "ends.py": "import os\nos._exit(3)\n",
    "region.py": "import os\nhandler = os.environ['AWS_REGION'] and os.environ['LAMBDA_TASK_ROOT']\n",
    "raw.py": "import sys\nsys.stderr.buffer.write(b'\\xff\\n')\nraise RuntimeError('no such table')\n",
    "loud.py": "import sys\nsys.stdout.buffer.write(b'\\xff')\nhandler = print\n",
    "threads.py": "import threading\nthreading.Thread(target=threading.Event().wait).start()\nhandler = print\n",
    "pkg/__init__.py": "",
    "pkg/web.py": "from pkg import *\nimport app\nhandler = app.handler\n",
}


@pytest.fixture
def task(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    for name, source in FILES.items():
        (tmp_path / name).write_text(source)
    return tmp_path


@pytest.mark.parametrize(
    "handler",
    [
        "app:handler",
        "app.handler",
        "app:api.handler",
        "pkg.web:handler",
        "region:handler",
        "loud:handler",
        "threads:handler",
    ],
)
def test_one_that_is_there_is_no_complaint(task: Path, handler: str) -> None:
    assert trial.complaint(HERE, task, handler, "/var/task/") == ""
    assert not list(task.rglob("__pycache__")), "it leaves nothing in what is going to be packed"


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        ("app:missing", "AttributeError: module 'app' has no attribute 'missing'"),
        ("nowhere:handler", "ModuleNotFoundError: No module named 'nowhere'"),
        ("broken:handler", 'RuntimeError: no such table, File "broken.py", line 3, in <module>'),
        ("raw:handler", 'RuntimeError: no such table, File "raw.py", line 3, in <module>'),
        ("old:handler", "SyntaxError: "),
        ("outside:handler", "ModuleNotFoundError: No module named 'pytest', File \"outside.py\", line 1, in <module>"),
        (
            "data:handler",
            "FileNotFoundError: [Errno 2] No such file or directory: 'no.css', File \"data.py\", line 2, in <module>",
        ),
        ("ends:handler", "the interpreter ended with status 3"),
    ],
)
def test_what_goes_wrong_is_told(task: Path, handler: str, words: str) -> None:
    """What is installed beside this interpreter does not count: it is not on Lambda."""
    found = trial.complaint(HERE, task, handler, "/var/task/")
    assert found.startswith(words)
    assert str(task) not in found


def test_what_lambda_brings_is_no_complaint(task: Path) -> None:
    assert trial.complaint(HERE, task, "buckets:handler", "/var/task/") == ""


def test_one_that_never_ends_is_given_up(task: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (task / "waits.py").write_text("import threading\nthreading.Event().wait()\n")
    monkeypatch.setattr(trial, "PATIENCE", 0.2)
    assert "it was not imported after" in trial.complaint(HERE, task, "waits:handler", "/var/task/")


def test_another_processor_s_modules_are_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert trial.runs_here(Target("3.13", "arm64", "python3.13"))
    assert not trial.runs_here(Target("3.13", "x86_64", "python3.13"))
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not trial.runs_here(Target("3.13", "arm64", "python3.13"))
