"""Every command in README and docs does what is shown.

A document is one session in a folder of its own. Its example files are written first, then its commands are run one
after the other, word for word but for SUBSTITUTIONS. What comes has to be what is shown:

- a line `...` stands for any number of lines, `...` within a line for anything, STAND_INS for what varies;
- where nothing is shown, anything may come;
- standard output is compared, and the exit status is 0, but for FAILING;
- what keeps running has to show its output, and then goes on; Ctrl-C ends it at the end of the document;
- what MAKES lists is run in the first document that has it, and what it has made and said is taken over by the others.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from lambent.build import pip_settings
from lambent.build.init import machine
from tests.integration.document import Document, Shown, StandIns, read
from tests.integration.newcomer import CACHE, ROOT, free_port, need, tool, variables
from tests.integration.terminal import LIMIT, SHORT_LIMIT, Job, Ran, Terminal
from tests.stores.ministack import end_workers

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the documents are written for bash and make")

PAGES = {
    path.relative_to(ROOT).as_posix(): read(path)
    for where in ("*.md", "docs/**/*.md", "examples/**/*.md", "bench/**/*.md")
    for path in sorted(ROOT.glob(where))
}
DOCUMENTS = [name for name, document in PAGES.items() if document.commands]
TUTORIAL = "docs/tutorial.md"
DEPLOYED = "docs/tutorial-deploy.md"
NEWCOMERS = (TUTORIAL, DEPLOYED)
HOW_TO = "docs/how-to/deploy-function-url.md"
WRAPPER = "docs/how-to/run-on-the-managed-runtime.md"
OS_ONLY = "docs/how-to/run-os-only.md"
SAM = "docs/how-to/deploy-with-sam.md"
CLOUD = (HOW_TO, WRAPPER, OS_ONLY, DEPLOYED, SAM)

# What is written -> what is run.
SUBSTITUTIONS = {
    "127.0.0.1:3000": "127.0.0.1:{port}",
    "127.0.0.1:8000": "127.0.0.1:{another_port}",
    "127.0.0.1:9000": "127.0.0.1:{third_port}",
    "--port 8000": "--port {another_port}",
    "local.py 9000": "local.py {third_port}",
    "0.0.0.0:3000": "0.0.0.0:{port}",
    "PORT=3000": "PORT={port}",
    "lambent dev app:app": "lambent dev app:app --port {port}",
    "lambent dev app:handler": "lambent dev app:handler --port {port}",
    "make demo": "make -C {clone} demo PORT={port}",
    "make test": "make -C {clone} --dry-run test",  # which is what runs this
    # the emulator has no other Python, and no other processor
    "cp -r /path/to/the/clone/examples/deploy .": "cp -r {clone}/examples/deploy . && "
    "sed -i.bak 's/3[.]13/{version}/; s/arm64/{architecture}/' deploy/app/pyproject.toml deploy/sam/*.yaml",
    "/path/to/the/clone": "{clone}",
    "python3 -m venv": "{python} -m venv",
    "--python-version 3.13": "--python-version {version}",  # the emulator has no other
    "manylinux2014_x86_64": "manylinux2014_{machine}",
    "cpython-3.13-install_only_stripped.tar.gz": "{archive}",  # no package index has it
    "ROLE_ARN": "arn:aws:iam::000000000000:role/hello",
    'pip install "lambent[dev]"': 'pip install "{wheel}[dev]"',  # no package index has it
    "YOUR-BUCKET": "hello-zips",
    "curl https://": "curl --connect-to ::{cloud} http://",
    "curl --silent 'https://": "curl --silent --connect-to ::{cloud} 'http://",
    "https://YOUR-API-ID.execute-api.eu-central-1.amazonaws.com": "http://YOUR-API-ID.execute-api.localhost:{cloud_port}",
    "YOUR-API-ID.execute-api.eu-central-1.amazonaws.com": "YOUR-API-ID.execute-api.localhost:{cloud_port}",
}

# Words in an output that stand for others: each for one, and two of them for two.
STAND_INS = {
    "4711": r"\d+",  # a process
    "4712": r"\d+",
    "YOUR-URL-ID": r"[a-z0-9]+",
    "YOUR-API-ID": r"[a-z0-9]+",
}

# Commands whose failure is what is shown, on the standard error, and its exit status.
FAILING = {"python -m lambent.runtime app:app": 1, "lambent build --python 3.19": 1}

# Commands that keep running, and how many seconds they may take until they show what is shown.
KEEP_RUNNING = {
    "lambent dev ": SHORT_LIMIT,
    "make demo": LIMIT,  # it sets itself up first
    "python local.py ": SHORT_LIMIT,
    "PORT=": SHORT_LIMIT,
    "AWS_LAMBDA_HTTP_ENDPOINT=": SHORT_LIMIT,
}
# Commands that make a folder, and which one: the same command, word for word, makes the same one in the next document.
MAKES = {"pip wheel ": "wheels", "pip install --target ": "package"}
LAST_WORDS = ("Stopping.\n", "Finished server process")

# What a reader has who is not at home in Python only.
PROGRAMS = {
    "README.md": ("make", "curl"),
    "CONTRIBUTING.md": ("make",),
    TUTORIAL: ("curl",),
    DEPLOYED: ("curl",),
    HOW_TO: ("curl", "zip"),
    WRAPPER: ("curl", "zip", "unzip"),
    OS_ONLY: ("tar", "unzip", "zip"),
    "docs/how-to/run-as-a-web-server.md": ("curl",),
    SAM: ("curl", "make", "unzip"),
    "docs/how-to/develop-locally.md": ("curl",),
    "docs/how-to/frameworks.md": ("curl",),
    "docs/how-to/stream-responses.md": ("curl",),
    "docs/how-to/snapstart.md": ("curl",),
    "docs/how-to/routes-and-doors.md": ("curl",),
    "docs/how-to/use-other-tools-files.md": ("curl",),
    "docs/how-to/write-an-api.md": ("curl",),
    "examples/api/README.md": ("curl",),
    "examples/chat/README.md": ("curl",),
}


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[str]:
    """The host and port of ministack, an emulator of AWS that runs a function's zip on the running Python."""
    home = tmp_path / "ministack"
    home.mkdir()
    port = str(free_port())
    seen = variables(home, BIND_HOST="127.0.0.1", GATEWAY_PORT=port, TMPDIR=str(home))
    with Terminal(home, seen) as terminal:
        job = terminal.start(f"'{tool('ministack')}'")
        assert job.wait_for(re.compile(f"Running on http://127.0.0.1:{port}")), job.output
        yield f"127.0.0.1:{port}"
        end_workers(job.pid)
        assert job.press_ctrl_c() == 0, job.output


@pytest.fixture
def wheel(tmp_path: Path) -> str:
    """The wheel of this checkout."""
    pip = (sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir")
    subprocess.run([*pip, tmp_path / "wheel", ROOT], check=True)
    (made,) = (tmp_path / "wheel").glob("*.whl")
    return str(made)


def python_archive(folder: Path) -> str:
    """A Python for any folder, packed: this one, by its name."""
    with tempfile.TemporaryDirectory() as where, tarfile.open(folder / "python.tar.gz", "w:gz") as archive:
        python = Path(where, "python3")
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n', "utf-8")
        python.chmod(0o755)
        archive.add(python, "python/bin/python3")
    return str(folder / "python.tar.gz")


def surroundings(name: str, folder: Path, cloud: str) -> dict[str, str]:
    """The variables of a session. But for the tutorials, which install it, Lambent is installed."""
    home = folder / "home"
    bin_ = folder / "bin"
    home.mkdir()
    bin_.mkdir()
    path = [str(bin_)] if name in NEWCOMERS else [str(bin_), str(Path(sys.executable).parent)]
    more = {"PIP_CACHE_DIR": str(CACHE / "pip"), "UV_CACHE_DIR": str(CACHE / "uv")}
    if name == DEPLOYED:
        more |= pip_settings.read(os.environ).variables()  # for uv
    if cloud:
        (bin_ / "aws").symlink_to(tool("aws"))
        more |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "eu-central-1"}
        more |= {"AWS_ENDPOINT_URL": f"http://{cloud}"}
    if name == SAM:
        (bin_ / "sam").symlink_to(tool("sam"))
        more |= {"SAM_CLI_TELEMETRY": "0"}
    return variables(home, path=":".join(path), **more)


class Workshop:
    """Runs commands; of MAKES, each only the first time. From then on what it has made is copied."""

    def __init__(self, shelf: Path) -> None:
        self._shelf = shelf
        self._made: dict[str, tuple[Path, Ran]] = {}

    def run(self, command: str, terminal: Terminal, folder: Path) -> Ran:
        name = next((name for start, name in MAKES.items() if command.startswith(start)), None)
        if name is None or (folder / name).exists():  # what a command adds to, another one may have made
            return terminal.run(command)
        if command in self._made:
            kept, ran = self._made[command]
            shutil.copytree(kept, folder / name, symlinks=True)
            return ran
        ran = terminal.run(command)
        if ran.status == 0:
            kept = self._shelf / str(len(self._made))
            self._made[command] = Path(shutil.copytree(folder / name, kept, symlinks=True)), ran
        return ran


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    return Workshop(tmp_path_factory.mktemp("made"))


class Session:
    """A reader who follows one document."""

    def __init__(self, name: str, run: Callable[[str], Ran], terminal: Terminal, **places: str) -> None:
        self.name = name
        self._ran = run
        self._terminal = terminal
        self._stand_ins = StandIns(STAND_INS)
        self._jobs: list[Job] = []
        self._values = {
            "port": str(free_port()),
            "another_port": str(free_port()),
            "third_port": str(free_port()),
            "clone": str(ROOT),
            "python": sys.executable,
            "version": "{}.{}".format(*sys.version_info),
            "machine": platform.machine(),
            "architecture": machine(),
            **places,
        }

    def follow(self, shown: Shown) -> None:
        command = self._stand_ins.fill_in(self._substitute(shown.command))
        if shown.command.startswith(tuple(KEEP_RUNNING)):
            self._start(shown, command)
        else:
            self._run(shown, command)

    def stop(self) -> None:
        """Ctrl-C in every terminal where something still runs."""
        for job in self._jobs:
            status = job.press_ctrl_c()
            # make dies of the signal that it got as well, and says *** if its command did not end with 0.
            assert status in (0, 130), job.output
            assert "***" not in job.output
            assert any(words in job.output for words in LAST_WORDS)

    def _start(self, shown: Shown, command: str) -> None:
        job = self._terminal.start(command)
        self._jobs.append(job)
        limit = next(limit for start, limit in KEEP_RUNNING.items() if shown.command.startswith(start))
        match = job.wait_for(self._pattern(shown), limit)
        if match is None:
            self._fail(shown, command, job.output)
        self._stand_ins.learn(match)

    def _run(self, shown: Shown, command: str) -> None:
        ran = self._ran(command)
        status = FAILING.get(shown.command, 0)
        if ran.status != status:
            self._fail(shown, command, f"{ran.out}{ran.err}(exit status {ran.status})")
        if not shown.output:
            return
        text = ran.err if status else ran.out
        match = self._pattern(shown, whole=True).search(text.replace("\r\n", "\n").removesuffix("\n") + "\n")
        if match is None:
            self._fail(shown, command, text)
        self._stand_ins.learn(match)

    def _substitute(self, text: str) -> str:
        for written, meant in SUBSTITUTIONS.items():
            text = text.replace(written, meant.format_map(self._values))
        return text

    def _pattern(self, shown: Shown, *, whole: bool = False) -> re.Pattern[str]:
        pattern = self._stand_ins.pattern(self._substitute(shown.output))
        return re.compile(rf"{pattern.pattern}\Z") if whole else pattern

    def _fail(self, shown: Shown, command: str, came: str) -> NoReturn:
        expected = f"expected:\n{shown.output}" if shown.output else ""
        pytest.fail(f"{self.name}:{shown.line}: $ {command}\n{expected}came:\n{came}", pytrace=False)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_what_a_document_shows_is_what_comes(
    name: str, tmp_path: Path, workshop: Workshop, request: pytest.FixtureRequest
) -> None:
    document = PAGES[name]
    need("bash", *PROGRAMS.get(name, ()))
    cloud = request.getfixturevalue("cloud") if name in CLOUD else ""
    folder = tmp_path / "session"
    folder.mkdir()
    for title, text in {**PAGES["docs/index.md"].files, **document.files}.items():
        (folder / title).write_text(text, "utf-8")

    with Terminal(folder, surroundings(name, tmp_path, cloud)) as terminal:
        places = {"cloud": cloud, "cloud_port": cloud.rpartition(":")[2]}
        places["archive"] = python_archive(tmp_path) if name == OS_ONLY else ""
        places["wheel"] = request.getfixturevalue("wheel") if name == DEPLOYED else ""
        session = Session(name, lambda command: workshop.run(command, terminal, folder), terminal, **places)
        for shown in document.commands:
            session.follow(shown)
        session.stop()

    if name in AFTERWARDS:
        AFTERWARDS[name](folder)


def the_zip_starts_by_itself(folder: Path) -> None:
    """As Lambda starts it; there is no Runtime API, and that is what it says."""
    subprocess.run(["unzip", "-q", "function.zip", "-d", "task"], cwd=folder, check=True)
    ran = subprocess.run(
        [folder / "task" / "bootstrap"],
        env={"LAMBDA_TASK_ROOT": f"{folder}/task", "_HANDLER": "app.handler"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.stderr.startswith("Expected AWS_LAMBDA_RUNTIME_API, ")


def the_zip_holds_all_that_its_handler_needs(folder: Path) -> None:
    """It runs on a Python that has nothing but the standard library."""
    zipfile.ZipFile(folder / "function.zip").extractall(folder / "task")
    script = "import json, sys; sys.path.insert(0, 'task'); from app import handler; "
    event = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/",
        "rawQueryString": "",
        "headers": {"host": "abc.lambda-url.eu-central-1.on.aws"},
        "requestContext": {
            "domainName": "abc.lambda-url.eu-central-1.on.aws",
            "http": {"method": "GET", "path": "/", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
        },
        "isBase64Encoded": False,
    }
    ran = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{script} print(json.dumps(handler({event}, None)))"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    reply = json.loads(ran.stdout)
    assert (reply["statusCode"], json.loads(reply["body"])) == (200, {"hello": "world"})


# What else has to be true of the folder that a document leaves.
AFTERWARDS: dict[str, Callable[[Path], None]] = {
    HOW_TO: the_zip_holds_all_that_its_handler_needs,
    OS_ONLY: the_zip_starts_by_itself,
}


@pytest.mark.parametrize("name", PAGES)
def test_no_command_is_left_unrun(name: str) -> None:
    text = (ROOT / name).read_text("utf-8")
    assert len(re.findall(r"^[ \t]*\$ ", text, re.MULTILINE)) == len(PAGES[name].commands)
    fences = re.findall(r"^[ \t]*(?:```|~~~).*?\b(?:console|bash|sh|shell|zsh)\b", text, re.MULTILINE)
    assert set(fences) <= {"```console"}


def test_every_rule_is_for_something() -> None:
    commands = [shown.command for document in PAGES.values() for shown in document.commands]
    text = "\n".join(f"{shown.command}\n{shown.output}" for document in PAGES.values() for shown in document.commands)
    assert [word for word in [*SUBSTITUTIONS, *STAND_INS] if word not in text] == []
    assert [command for command in FAILING if command not in commands] == []
    assert [start for start in MAKES if not any(command.startswith(start) for command in commands)] == []


def test_every_target_that_a_document_names_is_there() -> None:
    named = {
        target
        for name in PAGES
        for target in re.findall(r"(?:(?<!`)`|^\$ )make ([a-z]+)", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    }
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert named <= targets


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("a\n", "a\n"),
        ("...\nb\n...\n", "a\nb\nc\nd\n"),
        ("...\nb\n...\n", "b\n"),
        ("a ... c\n", "a b c\n"),
        ("4711 4711 4712\n", "1 1 2\n"),
        ("(.*)\n", "(.*)\n"),
    ],
)
def test_what_is_shown_fits_what_came(shown: str, came: str) -> None:
    words = StandIns(STAND_INS)
    match = words.pattern(shown).fullmatch(came)
    assert match
    words.learn(match)


@pytest.mark.parametrize(
    ("shown", "came"),
    [
        ("a\n", "a\nb\n"),
        ("a\nb\n", "a\n"),
        ("...\nb\n", "a\nb\nc\n"),
        ("a ... c\n", "a b\nb c\n"),
        ("4711 4711\n", "1 2\n"),
        ("4711\n", "x\n"),
        ("(.*)\n", "a\n"),
    ],
)
def test_what_is_not_shown_is_noticed(shown: str, came: str) -> None:
    assert not StandIns(STAND_INS).pattern(shown).fullmatch(came)


def test_a_stand_in_holds_from_its_first_output_on() -> None:
    words = StandIns(STAND_INS)
    first = words.pattern("4711\n").fullmatch("17\n")
    assert first
    words.learn(first)
    assert words.fill_in("kill 4711") == "kill 17"
    assert not words.pattern("4711\n").fullmatch("18\n")
    same = words.pattern("4712\n").fullmatch("17\n")
    assert same
    with pytest.raises(AssertionError, match="so does another"):
        words.learn(same)


def test_what_one_command_makes_is_copied_for_the_same_one_only(tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    pip = tmp_path / "pip"
    pip.write_text(
        f'#!/bin/sh\necho "$*" >>{ran}\nmkdir -p wheels && echo "$*" >wheels/it && echo "made $2"\n', "utf-8"
    )
    pip.chmod(0o755)
    (tmp_path / "shelf").mkdir()
    workshop = Workshop(tmp_path / "shelf")
    for number, command in enumerate(("pip wheel a", "pip wheel a", "pip wheel b", "pip wheel a", "pip list")):
        folder = tmp_path / str(number)
        folder.mkdir()
        with Terminal(folder, variables(tmp_path, path=str(tmp_path))) as terminal:
            assert workshop.run(command, terminal, folder) == Ran(0, f"made {command[10:]}\n", "")
            assert (folder / "wheels" / "it").read_text("utf-8") == f"{command[4:]}\n"
            if number == 4:
                workshop.run("pip wheel a", terminal, folder)  # there is a folder that it adds to
    assert ran.read_text("utf-8").splitlines() == ["wheel a", "wheel b", "list", "wheel a"]


def test_a_document_is_read(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    example = '```python title="app.py"\nimport app\n```\n'
    page.write_text(example + "\n```console\n$ a \\\n  b\none\n\ntwo\n$ c\n```\n\n```text\n$ d\n```\n", "utf-8")
    assert read(page) == Document(
        {"app.py": "import app\n"}, [Shown(6, "a \\\n  b", "one\n\ntwo\n"), Shown(11, "c", "")]
    )
