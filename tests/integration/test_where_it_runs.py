"""One application in every place: examples/anywhere as a zip on the managed runtime, in images, OS-only, on a port.

Of AWS's base image there are stand-ins for two files: the shell script that starts a wrapper is the local Lambda's, and
the Python one that arranges the module paths is BOOTSTRAP. A folder with a space in its name stands for /var/task.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.dev.local import LocalLambda
from tests.integration.document import read
from tests.integration.emulator import Emulator, binary
from tests.integration.newcomer import ROOT, need
from tests.payloads import payload
from tests.support.processes import Process
from tests.support.runtime_api import BASE, RuntimeAPI, invocation
from tests.support.web_server import WebServer, ask

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Lambda runs Linux, and so does all of this")

EXAMPLE = ROOT / "examples" / "anywhere"
BARE = Path(sys.base_prefix) / "bin" / "python{}.{}".format(*sys.version_info)
"""A Python that has the standard library, and that is all: Lambent must come from where the wrapper lies."""

# The steps of /var/runtime/bootstrap.py of AWS's base image for Python 3.11, until the client takes over.
BOOTSTRAP = """
import json, os, site, sys

given = "PYTHONPATH" in os.environ
packages = "lib/python{}.{}/site-packages".format(*sys.version_info)
layers = [] if given else ["/opt/python/" + packages, "/opt/python"]
own = [] if given else [sys.prefix + "/" + packages]
sys.path[:0] = [os.environ["LAMBDA_TASK_ROOT"], *layers, *own]
for folder in [os.environ["LAMBDA_TASK_ROOT"], *layers]:
    site.addsitedir(folder)
if not given:
    os.environ["PYTHONPATH"] = os.environ["LAMBDA_RUNTIME_DIR"]
print(json.dumps([sys.path, os.environ["PYTHONPATH"]]))
"""

FUNCTIONS = """
import asyncio, os, sys
from decimal import Decimal

def handler(event, context):
    return {"runtime": "lambent.runtime" in sys.modules, "name": context.function_name, "event": event}

def decimal(event, context):
    return Decimal("1.10")

def runs_a_loop(event, context):
    async def ask():
        return "asked"
    return asyncio.run(ask())

def paths(event, context):
    return [sys.path, os.environ.get("PYTHONPATH")]

def found(event, context):
    import lambent
    return os.path.dirname(os.path.dirname(lambent.__file__))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip("wheel", "--no-deps", "--wheel-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def package(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a zip for Lambda holds: the example, and Lambent as pip has installed it."""
    folder = tmp_path_factory.mktemp("package") / "var task"
    pip("install", "--no-deps", "--no-compile", "--target", folder, wheel)
    shutil.copytree(EXAMPLE, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "functions.py").write_text(FUNCTIONS, "utf-8")
    return folder


@pytest.fixture
def task(package: Path, tmp_path: Path) -> Path:
    """The same, for a test of its own to change."""
    return Path(shutil.copytree(package, tmp_path / "var task"))


def pip(*arguments: object) -> None:
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr


def wrapper(library: Path) -> Path:
    return library / "lambent" / "exec" / "wrapper"


def without_python_path(*command: object, **variables: str) -> list[str]:
    """The tests' own PYTHONPATH names the source, where Lambent would be found, too."""
    given = [f"{name}={value}" for name, value in variables.items()]
    return ["env", "-u", "PYTHONPATH", *given, *map(str, command)]


def managed(task: Path, library: Path, handler: str, *events: bytes, **variables: str) -> list[Any]:
    """What a managed runtime replies: a bare Python, started by the wrapper."""
    runtime = task.parent / "runtime"
    runtime.mkdir(exist_ok=True)
    (runtime / "bootstrap.py").write_text(BOOTSTRAP, "utf-8")
    with RuntimeAPI(*map(invocation, events)) as api:
        seen = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(runtime),
            "_HANDLER": handler,
        }
        command = without_python_path(wrapper(library), BARE, runtime / "bootstrap.py", **variables)
        with Process(command, task, seen) as process:
            api.wait_until_idle()
            ended = process.stop()
    assert ended == (0, "", "")
    assert {call.path for call in api.posts} == {f"{BASE}/invocation/id-1/response"}
    return [call.json for call in api.posts]


# The wheel


def test_the_wrapper_keeps_its_execute_bit(wheel: Path, package: Path, tmp_path: Path) -> None:
    """In the wheel, through pip, and through zip and unzip."""
    need("zip", "unzip")
    subprocess.run(["unzip", "-q", wheel, "-d", tmp_path / "unpacked"], check=True)
    subprocess.run(["zip", "-qr", tmp_path / "function.zip", "."], cwd=package, check=True)
    subprocess.run(["unzip", "-q", tmp_path / "function.zip", "-d", tmp_path / "deployed"], check=True)

    for folder in (tmp_path / "unpacked", package, tmp_path / "deployed"):
        assert wrapper(folder).stat().st_mode & 0o111 == 0o111, folder


def test_the_wrapper_is_plain_sh() -> None:
    """Any POSIX shell takes it. It starts no Python but the runtime, and no other program."""
    text = wrapper(ROOT / "src").read_text("utf-8")
    assert text.startswith("#!/bin/sh\n")
    assert "\r" not in text
    subprocess.run(["sh", "-n", wrapper(ROOT / "src")], check=True)
    code = [line for line in text.splitlines() if not line.startswith("#")]
    assert [line for line in code if re.match(r" *[a-z]", line) and "exec" in line.split()] == [code[-1]]
    assert code[-1] == 'exec "$1" -m lambent.runtime'
    assert not re.search(r"\$\(|`", "\n".join(code))


# The managed runtime


def test_a_function_runs_unchanged(package: Path) -> None:
    expected = {"runtime": True, "name": "hello", "event": {"a": 1}}
    assert managed(package, package, "functions.handler", b'{"a": 1}', b'{"a": 1}') == [expected] * 2


@pytest.mark.parametrize(("handler", "expected"), [("functions.decimal", 1.1), ("functions.runs_a_loop", "asked")])
def test_what_aws_s_client_takes_is_taken(package: Path, handler: str, expected: object) -> None:
    assert managed(package, package, handler, b"{}") == [expected]


@pytest.mark.parametrize("variables", [{}, {"PYTHONPATH": "/a:/b"}, {"PYTHONPATH": ""}])
def test_modules_are_looked_up_as_by_aws_s_bootstrap(task: Path, variables: dict[str, str]) -> None:
    (task / "vendored").mkdir()
    (task / "vendored.pth").write_text("vendored\n", "utf-8")

    ((path, python_path),) = managed(task, task, "functions.paths", b"{}", **variables)
    runtime = task.parent / "runtime"
    given = {"LAMBDA_TASK_ROOT": str(task), "LAMBDA_RUNTIME_DIR": str(runtime), **variables}
    command = without_python_path(BARE, runtime / "bootstrap.py", **given)
    theirs = json.loads(subprocess.run(command, cwd=task, capture_output=True, text=True, check=True).stdout)

    assert path == theirs[0]
    assert (python_path or "") == theirs[1]


@pytest.mark.parametrize("where", ["opt/python", "opt/python/lib/python{}.{}/site-packages", "lang/site-packages"])
def test_lambent_may_lie_in_a_layer_or_in_an_image(package: Path, tmp_path: Path, where: str) -> None:
    library = tmp_path / where.format(*sys.version_info)
    shutil.copytree(package / "lambent", library / "lambent")
    task = tmp_path / "task"
    task.mkdir()
    shutil.copy(package / "functions.py", task)

    assert managed(task, library, "functions.found", b"{}") == [str(library)]
    assert managed(task, library, "functions.found", b"{}", PYTHONPATH="/elsewhere") == [str(library)]


def test_by_hand_the_wrapper_says_what_it_expects() -> None:
    ran = subprocess.run([wrapper(ROOT / "src")], capture_output=True, text=True, check=False)
    assert ran.returncode != 0
    assert "expected the command of a managed Python runtime" in ran.stderr


# The local Lambda, in the place of the managed runtime


def test_the_local_lambda_starts_the_wrapper(task: Path) -> None:
    variable = f"AWS_LAMBDA_EXEC_WRAPPER={wrapper(task)}"
    options = ("--runtime", "awslambdaric", "--app-dir", str(task))
    with LocalLambda(task, "functions.handler", *options) as aws:
        assert aws.get().body.startswith(b'{"runtime":false')
    with LocalLambda(task, "functions.handler", *options, "--env", variable) as wrapped:
        assert wrapped.get().body.startswith(b'{"runtime":true')


def test_a_mangum_handler_runs_under_the_wrapper(task: Path) -> None:
    source = "from mangum import Mangum\nfrom app import app\nhandler = Mangum(app, lifespan='off')\n"
    (task / "app.py").write_text((task / "app.py").read_text("utf-8").replace("request.state.function", "'mangum'"))
    (task / "old.py").write_text(source, "utf-8")
    variable = f"AWS_LAMBDA_EXEC_WRAPPER={wrapper(task)}"
    with LocalLambda(task, "old.handler", "--runtime", "awslambdaric", "--env", variable) as wrapped:
        assert wrapped.get().body == b'{"function":"mangum"}'


@pytest.mark.parametrize(
    ("lost", "words", "status"), [("the execute bit", "is not an executable", 126), ("the file", "does not exist", 127)]
)
def test_a_wrapper_that_cannot_be_started_is_told_as_on_lambda(task: Path, lost: str, words: str, status: int) -> None:
    path = wrapper(task)
    if lost == "the file":
        path.unlink()
    else:  # what unpacks a zip made on Windows
        with zipfile.ZipFile(task.parent / "function.zip", "w") as archive:
            archive.writestr("wrapper", path.read_bytes())
        path.unlink()
        zipfile.ZipFile(task.parent / "function.zip").extract("wrapper", path.parent)
    with LocalLambda(
        task, "functions.handler", "--runtime", "awslambdaric", "--env", f"AWS_LAMBDA_EXEC_WRAPPER={path}"
    ) as wrapped:
        assert wrapped.get().status == 502
        wrapped.wait_for(re.escape(f"{path}: {words}"))
        wrapped.wait_for(f"Runtime exited with error: exit status {status}")
        wrapped.wait_for("Error Type: Runtime.ExitError")


# Images, OS-only, a port


def dockerfile(name: str) -> dict[str, list[str]]:
    """Its instructions: a line each, those of one kind together."""
    found: dict[str, list[str]] = {}
    for line in (EXAMPLE / name).read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            instruction, _, rest = line.partition(" ")
            assert instruction in {"FROM", "WORKDIR", "COPY", "RUN", "ENV", "ENTRYPOINT", "CMD"}, line
            found.setdefault(instruction, []).append(rest)
    return found


@pytest.mark.parametrize(
    ("page", "name"),
    [
        ("run-in-a-container.md", "Dockerfile"),
        ("run-in-a-container.md", "Dockerfile.aws"),
        ("run-os-only.md", "bootstrap"),
    ],
)
def test_a_page_shows_the_file_of_the_example(page: str, name: str) -> None:
    shown = read(ROOT / "docs" / "how-to" / page).files[name]
    text = (EXAMPLE / name).read_text("utf-8")
    assert shown == re.sub(r"^# .*\n", "", text, flags=re.MULTILINE)


def index() -> dict[str, Any]:
    event = payload("function_url_get")
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/"
    return event


def layout(name: str, package: Path, folder: Path) -> Path:
    """The image's working directory, with what COPY puts there; the wheel is in the Python that runs the tests."""
    folder.mkdir()
    for copied in dockerfile(name)["COPY"]:
        source, target = copied.split()
        if source != "wheels":
            shutil.copy(package / source, folder / target)
    return folder


def test_an_image_runs_on_lambda(package: Path, tmp_path: Path) -> None:
    instructions = dockerfile("Dockerfile")
    (entry_point,), (command,) = (map(json.loads, instructions[name]) for name in ("ENTRYPOINT", "CMD"))
    assert (entry_point[0], instructions["FROM"][0].partition(":")[0]) == ("python", "python")

    folder = layout("Dockerfile", package, tmp_path / "srv")
    started = (sys.executable, *entry_point[1:], *command)
    with Emulator(binary(), folder, command=started, AWS_LAMBDA_FUNCTION_NAME="hello") as emulator:
        reply = emulator.ask(index())
    assert json.loads(reply["body"]) == {"function": "hello"}


def test_the_same_image_runs_on_a_port(package: Path, tmp_path: Path) -> None:
    (entry_point,), (command,) = (map(json.loads, dockerfile("Dockerfile")[name]) for name in ("ENTRYPOINT", "CMD"))
    folder = layout("Dockerfile", package, tmp_path / "srv")
    with WebServer(folder, command=(sys.executable, *entry_point[1:], *command)) as server:
        with closing(server.connection()) as connection:
            answer = ask(connection)
        assert (answer.status, json.loads(answer.body)) == (200, {"function": "none"})
        ended = server.stop()
    assert ended.status == 0
    assert "Closed down.\n" in ended.stdout


def test_a_web_function_is_served_where_lambda_says(tmp_path: Path) -> None:
    """By the documentation of Lambda Web Functions: no counterpart of them runs on a laptop."""
    with WebServer(
        EXAMPLE,
        "app:handler",
        AWS_LAMBDA_HTTP_ENDPOINT="127.0.0.1:0",
        AWS_LAMBDA_INITIALIZATION_TYPE="native-http",
        AWS_LAMBDA_RUNTIME_API="127.0.0.1:1",
        AWS_LAMBDA_FUNCTION_NAME="hello",
    ) as server:
        with closing(server.connection()) as connection:
            assert json.loads(ask(connection).body) == {"function": "hello"}
        assert server.stop().status == 0


def test_aws_s_own_image_runs_the_wrapper(package: Path) -> None:
    """/lambda-entrypoint.sh names the handler in _HANDLER, and then starts what the managed runtime starts."""
    instructions = dockerfile("Dockerfile.aws")
    assert "ENTRYPOINT" not in instructions
    (name, _, path) = instructions["ENV"][0].partition("=")
    assert (name, path) == ("AWS_LAMBDA_EXEC_WRAPPER", "/var/task/lambent/exec/wrapper")
    (handler,) = json.loads(instructions["CMD"][0])

    started = ("env", f"_HANDLER={handler}", str(wrapper(package)), sys.executable, "/var/runtime/bootstrap.py")
    variables = {"AWS_LAMBDA_FUNCTION_NAME": "hello", "LAMBDA_TASK_ROOT": str(package)}
    with Emulator(binary(), package, command=started, **variables) as emulator:
        assert json.loads(emulator.ask(index())["body"]) == {"function": "hello"}


def test_an_os_only_runtime_starts_the_bootstrap(task: Path) -> None:
    """The zip's own Python is the one that runs the tests."""
    assert (task / "bootstrap").stat().st_mode & 0o111, "Lambda needs the execute bit"
    (task / "python" / "bin").mkdir(parents=True)
    python = task / "python" / "bin" / "python3"
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
    python.chmod(0o755)

    started = ("env", "_HANDLER=app.handler", str(task / "bootstrap"))
    variables = {"AWS_LAMBDA_FUNCTION_NAME": "hello", "LAMBDA_TASK_ROOT": str(task)}
    with Emulator(binary(), task.parent, command=started, **variables) as emulator:
        assert json.loads(emulator.ask(index())["body"]) == {"function": "hello"}


def test_streaming_under_aws_s_client_names_the_wrapper_beside_it(task: Path) -> None:
    (task / "app.py").write_text("import lambent\nhandler = lambent.Lambent(print, stream=True)\n", "utf-8")
    script = "import sys; sys.path.insert(0, '.'); import app"
    with Process(
        [sys.executable, "-c", script], task, {"AWS_LAMBDA_RUNTIME_API": "h:1", "PYTHONPATH": str(task)}
    ) as run:
        ended = run.wait()
    assert f"set AWS_LAMBDA_EXEC_WRAPPER to {wrapper(task)}." in ended.stderr
