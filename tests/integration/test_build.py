"""`lambent build`, as it is typed: with uv, the package index and the Pythons of this machine. What it makes, runs."""

from __future__ import annotations

import json
import os
import platform
import re
import shutil
import signal
import stat
import subprocess
import sys
import venv
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import ZipFile

import pytest

from lambent.build.bytecode import find_python
from tests.integration.newcomer import CACHE, ROOT
from tests.payloads import payload
from tests.support.counterparts import missing
from tests.support.processes import Process, environment
from tests.support.runtime_api import BASE, RuntimeAPI, invocation

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in {"x86_64", "aarch64"},
    reason="Lambda runs Linux, and what is built for it is run here",
)

MINOR = "{}.{}".format(*sys.version_info)
HERE = "arm64" if platform.machine() == "aarch64" else "x86_64"
ELSEWHERE = {"arm64": "x86_64", "x86_64": "arm64"}[HERE]
MACHINES = {"x86_64": 62, "arm64": 183}
"""e_machine of ELF."""

TABLE = '[tool.lambent.build]\nhandler = "app:app"\n'


SMALL = """
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

async def item(request):
    return JSONResponse({"item_id": request.path_params["item_id"], "q": request.query_params["q"]})

app = Starlette(routes=[Route("/items/{item_id:int}", item)])
"""


class Run(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str


def lambent(*arguments: object, **variables: str) -> Run:
    command = [sys.executable, "-m", "lambent", "build", *map(str, arguments)]
    ours = {"UV_CACHE_DIR": str(CACHE / "uv"), "COLUMNS": "100", "UV_PYTHON_DOWNLOADS": "never"}
    seen = environment(**{**ours, **variables})
    ran = subprocess.run(command, cwd=ROOT, env=seen, capture_output=True, text=True, timeout=120, check=False)
    return Run(ran.returncode, ran.stdout, ran.stderr)


def built(*arguments: object, **variables: str) -> Run:
    ran = lambent(*arguments, **variables)
    assert ran.status == 0, ran.err
    return ran


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The FastAPI example, and what it says of its build."""
    folder = tmp_path_factory.mktemp("project") / "web"
    shutil.copytree(ROOT / "examples" / "fastapi_app", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "pyproject.toml").write_text(TABLE)
    return folder


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An application of Starlette, which is built in less time."""
    folder = tmp_path_factory.mktemp("small") / "small"
    folder.mkdir()
    (folder / "app.py").write_text(SMALL)
    (folder / "requirements.txt").write_text("starlette\n")
    (folder / "pyproject.toml").write_text(TABLE)
    return folder


@pytest.fixture(scope="module")
def web(project: Path) -> tuple[Path, Run]:
    """Its zip for this machine, and what was said."""
    ran = built(project, "--python", MINOR, "--arch", HERE, "--output", project.parent / "dist")
    return project.parent / "dist" / "web.zip", ran


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Python that has the standard library, and that is all."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, symlinks=True)
    return folder / "bin" / "python"


def unpacked(path: Path, folder: Path) -> Path:
    """As Lambda unpacks it: with its permissions."""
    with ZipFile(path) as archive:
        archive.extractall(folder)
        for member in archive.infolist():
            (folder / member.filename).chmod(member.external_attr >> 16)
    return folder


def asked(path: str) -> bytes:
    event = payload("function_url_get")
    event["rawPath"] = event["requestContext"]["http"]["path"] = path
    event["rawQueryString"] = "q=lamp"
    return json.dumps(event).encode()


def replied(task: Path, handler: str, path: str, *command: object, **variables: str) -> Any:
    """What a process answers that Lambda would start for a function."""
    with RuntimeAPI(invocation(asked(path))) as api:
        seen = {
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_FUNCTION_NAME": "hello",
            "LAMBDA_TASK_ROOT": str(task),
            "LAMBDA_RUNTIME_DIR": str(task.parent / "runtime"),
            "_HANDLER": handler,
            **variables,
        }
        started = ["env", "-u", "PYTHONPATH", "-u", "PYTHONDONTWRITEBYTECODE", *map(str, command)]
        with Process(started, task, seen) as process:
            api.wait_until_idle()
            ended = process.stop()
    assert (ended.status, ended.stderr) == (0, "")
    (post,) = api.posts
    assert post.path == f"{BASE}/invocation/id-1/response", post.body
    return json.loads(post.json["body"])


def managed(task: Path, python: Path, handler: str, path: str, **variables: str) -> Any:
    """By the wrapper, as the managed runtime starts it."""
    wrapper = task / "lambent" / "exec" / "wrapper"
    return replied(task, handler, path, wrapper, python, "/var/runtime/bootstrap.py", **variables)


def listed(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


# What is made


def test_what_is_told(web: tuple[Path, Run]) -> None:
    path, ran = web
    out = ran.out
    assert re.search(r"web\.zip  \d+\.\d MB \(without S3: 50\.0 MB\), \d+\.\d MB unzipped \(at most 250\.0 MB\)\n", out)
    assert re.search(r"^sha256 [0-9a-f]{64} \(CodeSha256 [A-Za-z0-9+/]{43}=\)$", out, re.MULTILINE)
    assert re.search(r"^  pydantic_core +\d\.\d MB  █+.? +\d+%$", out, re.MULTILINE)
    assert "Note: " not in out
    assert f"--runtime python{MINOR} --architectures {HERE} --handler app.app" in out
    assert f"fileb://{path}" in out
    assert "AWS_LAMBDA_EXEC_WRAPPER=/var/task/lambent/exec/wrapper" in out
    steps = ("Building web for", "Installing", "Choosing", "Compiling", "Importing app:app", "Packing")
    assert [step for step in steps if step in ran.err] == list(steps)


def test_what_is_in_it(web: tuple[Path, Run]) -> None:
    names = ZipFile(web[0]).namelist()
    assert {"app.py", "static/style.css", "lambent/exec/wrapper", "fastapi/__init__.py"} <= set(names)
    sources = [name for name in names if name.endswith(".py")]
    tag = sys.implementation.cache_tag
    for name in sources:
        folder, _, file = name.rpartition("/")
        assert f"{folder}/__pycache__/{file[:-3]}.{tag}.pyc".lstrip("/") in names
    assert not [name for name in names if name.startswith(("bin/", "lambent/dev/", "lambent/testing/", "."))]
    assert not [name for name in names if name.endswith(("direct_url.json", "INSTALLER", ".pyi"))]


def test_nothing_of_this_machine_is_in_it(web: tuple[Path, Run], project: Path) -> None:
    """No path of it, in bytecode or metadata: it would tell about us, and differ elsewhere."""
    archive = ZipFile(web[0])
    for path in (project.parent, ROOT, CACHE):
        assert not [name for name in archive.namelist() if str(path).encode() in archive.read(name)]


def test_two_builds_are_equal_byte_for_byte(web: tuple[Path, Run], tmp_path: Path, project: Path) -> None:
    """From a copy elsewhere, with another locale, time zone and seed."""
    copy = Path(shutil.copytree(project, tmp_path / "deeper" / "web"))
    os.utime(copy / "app.py", (0, 0))
    other = {"PYTHONHASHSEED": "7", "TZ": "Asia/Kathmandu", "LC_ALL": "C"}
    built(copy, "--python", MINOR, "--arch", HERE, "--output", tmp_path / "dist", **other)
    assert (tmp_path / "dist" / "web.zip").read_bytes() == web[0].read_bytes()


def test_it_runs_from_its_bytecode_alone(web: tuple[Path, Run], tmp_path: Path, python: Path) -> None:
    """On a Python that sees nothing else. Whatever source was compiled would end it."""
    task = unpacked(web[0], tmp_path / "task")
    for source in task.rglob("*.py"):
        source.write_text("raise SystemExit('this was compiled on Lambda')\n")
    before = listed(task)
    assert managed(task, python, "app.app", "/items/7") == {"item_id": 7, "q": "lamp"}
    assert listed(task) == before, "nothing is written into a folder that cannot be written to"


def test_it_runs_with_no_source(small: Path, tmp_path: Path, python: Path) -> None:
    built(small, "--python", MINOR, "--arch", HERE, "--output", tmp_path, "--no-source")
    task = unpacked(tmp_path / "small.zip", tmp_path / "task")
    assert not list(task.rglob("*.py"))
    assert managed(task, python, "app.app", "/items/7") == {"item_id": 7, "q": "lamp"}


def test_a_layer_serves_a_function_beside_it(small: Path, tmp_path: Path, python: Path) -> None:
    ran = built(small, "--python", MINOR, "--arch", HERE, "--output", tmp_path, "--layer")
    assert "aws lambda publish-layer-version --layer-name small" in ran.out
    library = unpacked(tmp_path / "small-layer.zip", tmp_path / "opt") / "python"
    task = tmp_path / "task"
    task.mkdir()
    (task / "main.py").write_text("from app import app\n")
    wrapper = library / "lambent" / "exec" / "wrapper"
    found = replied(task, "main.app", "/items/7", wrapper, python, "bootstrap.py", PYTHONPATH="")
    assert found == {"item_id": 7, "q": "lamp"}


def test_an_image_s_folder_runs_as_the_dockerfile_says(small: Path, tmp_path: Path, python: Path) -> None:
    ran = built(small, "--python", MINOR, "--arch", HERE, "--output", tmp_path, "--image")
    folder = tmp_path / "small-image"
    assert f"docker build --provenance=false -t small {folder}" in ran.out
    lines = dict(line.split(" ", 1) for line in (folder / "Dockerfile").read_text().splitlines() if line)
    assert lines["COPY"] == "task/ /var/task/"
    assert lines["ENV"] == "AWS_LAMBDA_EXEC_WRAPPER=/var/task/lambent/exec/wrapper"
    (handler,) = json.loads(lines["CMD"])
    assert managed(folder / "task", python, handler, "/items/7") == {"item_id": 7, "q": "lamp"}


def test_an_os_only_runtime_has_all_it_needs(small: Path, tmp_path: Path, python: Path) -> None:
    """The Python that goes in is a stand-in for one that can run from any folder: it starts the bare one."""
    given = tmp_path / "given"
    (given / "bin").mkdir(parents=True)
    (given / "lib" / f"python{MINOR}").mkdir(parents=True)
    shutil.copy(os.__file__, given / "lib" / f"python{MINOR}" / "os.py")
    (given / "bin" / f"python{MINOR}").write_text(f'#!/bin/sh\nexec "{python}" "$@"\n')
    (given / "bin" / f"python{MINOR}").chmod(0o755)
    ran = built(
        *(small, "--python", MINOR, "--arch", HERE, "--output", tmp_path),
        *("--provided", "--interpreter", given, "--report", tmp_path / "large.svg"),
    )
    assert "--runtime provided.al2023" in ran.out
    assert "EXEC_WRAPPER" not in ran.out
    assert "<svg" in (tmp_path / "large.svg").read_text()
    task = unpacked(tmp_path / "small.zip", tmp_path / "task")
    library = task / "python" / "lib" / f"python{MINOR}"
    assert (library / "__pycache__" / f"os.{sys.implementation.cache_tag}.pyc").exists()
    found = replied(task, "app.app", "/items/7", task / "bootstrap")
    assert found == {"item_id": 7, "q": "lamp"}


def test_the_api_example(tmp_path: Path, python: Path) -> None:
    """It is laid out with `src`."""
    folder = tmp_path / "items"
    shutil.copytree(ROOT / "examples" / "api", folder, ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "requirements.txt").write_text("msgspec\n")
    built(folder, "--python", MINOR, "--arch", HERE, "--output", tmp_path / "dist")
    task = unpacked(tmp_path / "dist" / "items.zip", tmp_path / "task")
    assert (task / "items" / "app.py").exists()
    wrapper = task / "lambent" / "exec" / "wrapper"
    variables = {"API_TOKEN": "token", "ITEMS_FILE": str(tmp_path / "items.sqlite3")}
    with RuntimeAPI(invocation(asked("/openapi.json"))) as api:
        seen = {**variables, "AWS_LAMBDA_RUNTIME_API": api.address, "_HANDLER": "items.app.handler"}
        seen |= {"LAMBDA_TASK_ROOT": str(task), "LAMBDA_RUNTIME_DIR": str(tmp_path)}
        with Process(["env", "-u", "PYTHONPATH", str(wrapper), str(python), "bootstrap.py"], task, seen) as process:
            api.wait_until_idle()
            assert process.stop().status == 0
    (post,) = api.posts
    assert post.json["statusCode"] == 200


def test_another_processor_and_another_python(project: Path, tmp_path: Path) -> None:
    python = find_python("3.13", print)
    if python is None:
        missing("Python 3.13", "none is installed")
    ran = built(project, "--python", "3.13", "--arch", ELSEWHERE, "--output", tmp_path)
    assert "Note: " not in ran.out
    archive = ZipFile(tmp_path / "web.zip")
    natives = [name for name in archive.namelist() if name.endswith(".so")]
    assert any(name.startswith("pydantic_core/") and "cpython-313" in name for name in natives)
    for name in natives:
        assert int.from_bytes(archive.read(name)[18:20], "little") == MACHINES[ELSEWHERE], name
    command = [str(python), "-c", "import importlib.util as u; print(u.MAGIC_NUMBER.hex())"]
    magic = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    for name in archive.namelist():
        if name.endswith(".pyc"):
            assert archive.read(name)[:8].hex() == f"{magic}01000000", name


def test_without_boto_it_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import boto3\n\ndef handler(event, context): ...\n")
    (tmp_path / "requirements.txt").write_text("boto3\n")
    ran = built(tmp_path, "--handler", "app:handler", "--without-boto", "--output", tmp_path / "dist")
    tops = {name.split("/")[0] for name in ZipFile(tmp_path / "dist" / f"{tmp_path_name(tmp_path)}.zip").namelist()}
    assert not {"boto3", "botocore"} & tops
    assert "Note: " not in ran.out, "the runtime has it: the handler is all right"


def tmp_path_name(path: Path) -> str:
    return re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-")


# What goes wrong


def fill(folder: Path, requirements: str = "", source: str = "def handler(event, context): ...\n") -> None:
    (folder / "app.py").write_text(source)
    (folder / "requirements.txt").write_text(requirements)


def link_outside(folder: Path) -> None:
    fill(folder)
    (folder / "linked.py").symlink_to("/etc/passwd")


def odd_name(folder: Path) -> None:
    fill(folder)
    (folder / "a\nb.py").write_text("")


def source_only(folder: Path) -> None:
    """Of which there is the source alone on the index, and no wheel."""
    fill(folder, "pyspark==3.5.1\n")


def unconnected(folder: Path) -> None:
    """Without Lambent, of which a wheel may have to be built first, and nothing can be fetched for that."""
    fill(folder, "fastapi\n")
    (folder / "pyproject.toml").write_text("[tool.lambent.build]\nlambent = false\n")


def too_large(folder: Path) -> None:
    fill(folder)
    (folder / "models").mkdir()
    with (folder / "models" / "weights.bin").open("wb") as file:
        file.truncate(300 * 1024 * 1024)
    (folder / "pyproject.toml").write_text('[tool.lambent.build]\ninclude = ["models/**"]\n')


BAD: dict[str, tuple[Callable[[Path], None], dict[str, str], str]] = {
    "a link that points outside": (link_outside, {}, r"linked\.py"),
    "an odd name": (odd_name, {}, r"a\\nb\.py"),
    "a dependency with no wheel": (source_only, {}, r"pyspark"),
    "300 MB": (too_large, {}, r"Expected 250\.0 MB at most.*weights|Expected 250\.0 MB at most.*models \(300\.0 MB\)"),
    "an unknown dependency": (lambda folder: fill(folder, "lambent-has-no-such-package\n"), {}, "no-such-package"),
    "no network": (
        unconnected,
        {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_CACHE_DIR": "cache", "UV_HTTP_RETRIES": "0"},
        r"The package index could not be reached",
    ),
    "no network, and none wanted": (
        unconnected,
        {"UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple", "UV_CACHE_DIR": "cache", "UV_OFFLINE": "1"},
        r"offline, and fastapi",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_built_is_explained(tmp_path: Path, name: str) -> None:
    prepare, variables, words = BAD[name]
    folder = tmp_path / "project"
    folder.mkdir()
    prepare(folder)
    if "UV_CACHE_DIR" in variables:
        variables = {**variables, "UV_CACHE_DIR": str(tmp_path / "cache")}
    ran = lambent(folder, "--handler", "app:handler", "--output", tmp_path / "dist", **variables)
    assert (ran.status, ran.out) == (1, ""), ran
    assert "Traceback" not in ran.err
    message = ran.err[ran.err.index("lambent: ") :]
    assert re.search(words, message), message
    assert not (tmp_path / "dist").exists()


def test_a_handler_that_fails_is_a_note(tmp_path: Path) -> None:
    """What it wants may be on Lambda only."""
    fill(tmp_path, source="import os\n\nTABLE = os.environ['TABLE_OF_ORDERS']\n")
    ran = built(tmp_path, "--handler", "app:handler", "--output", tmp_path / "dist")
    assert "Note: The handler app:handler cannot be imported here: KeyError: 'TABLE_OF_ORDERS'" in ran.out


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_nothing_behind(project: Path, tmp_path: Path, sent: signal.Signals) -> None:
    """While it compiles, and uv or other Pythons may be running."""
    command = [sys.executable, "-m", "lambent", "build", str(project), "--output", str(tmp_path / "dist")]
    seen = environment(UV_CACHE_DIR=str(CACHE / "uv"))
    with subprocess.Popen(
        command, env=seen, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stderr is not None
        assert any("Compiling" in line for line in process.stderr)
        os.killpg(process.pid, sent)
        _, err = process.communicate(timeout=60)
    assert process.returncode not in {0, 2}
    assert "Traceback" not in err
    assert not (tmp_path / "dist").exists()


def test_what_is_not_understood_is_told(tmp_path: Path) -> None:
    fill(tmp_path)
    ran = lambent(tmp_path, "--layer", "--image")
    assert (ran.status, ran.out) == (2, "")
    assert "--layer goes without --image" in ran.err
    ran = lambent(tmp_path, "--python", "2.7")
    assert ran.status == 1
    assert ran.err.startswith("lambent: Expected a version of Python such as 3.13")


def test_the_wrapper_can_be_executed(web: tuple[Path, Run]) -> None:
    mode = ZipFile(web[0]).getinfo("lambent/exec/wrapper").external_attr >> 16
    assert stat.S_ISREG(mode)
    assert mode & 0o111 == 0o111
