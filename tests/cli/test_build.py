"""`lambent build`: what is typed, and what is told. tests/integration/test_build.py has what is built."""

from __future__ import annotations

import signal
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from lambent.build import building
from lambent.build.model import Artefact, Dependencies, Project, Target
from lambent.cli import build
from tests.cli.terminal import Terminal

MB = 1024 * 1024
TARGET = Target("3.13", "arm64", "python3.13")
OS_ONLY = Target("3.13", "arm64", "provided.al2023")
ROLE = "--role ROLE_ARN --memory-size 512 --timeout 30"


def project(folder: Path, handler: str = "app:handler") -> Project:
    return Project(folder, "hello", handler, Dependencies("", None), {})


def artefact(path: Path, size: int = MB) -> Artefact:
    return Artefact(path, size, 2 * size, (("fastapi", 2 * size - 1), ("app.py", 1)), ("Something is odd.",))


@pytest.fixture
def made(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, object]]:
    """What a build is asked for; it makes a file with nothing in it."""
    asked: list[dict[str, object]] = []

    def make(_: Project, target: Target, destination: Path, **options: object) -> Artefact:
        asked.append({"target": target, "destination": destination, **options})
        destination.mkdir()
        (destination / "hello.zip").write_bytes(b"")
        return artefact(destination / "hello.zip")

    (folder / "app.py").write_text("")
    monkeypatch.setattr(building, "build", make)
    return asked


def test_what_is_typed_is_what_is_asked_for(terminal: Terminal, folder: Path, made: list[dict[str, object]]) -> None:
    options = "--python 3.13 --arch arm64 --layer --no-source --without-boto --allow-source a --allow-source b"
    left = terminal.type("build", *options.split(), "--output", "out", "--lambent", "lambent.whl", "--report", "r.svg")
    assert left.code == 0
    ((asked),) = made
    assert callable(asked.pop("progress"))
    assert asked == {
        "target": TARGET,
        "destination": folder / "out",
        "layer": True,
        "image": False,
        "with_source": False,
        "boto": False,
        "lambent": "lambent.whl",
        "allow_source": ("a", "b"),
        "interpreter": None,
    }
    assert (folder / "r.svg").read_text().startswith("<svg")


def test_what_is_made_is_told(terminal: Terminal, made: list[dict[str, object]]) -> None:
    left = terminal.type("build", "--python", "3.13", "--handler", "app:handler")
    lines = left.text.splitlines()
    path = Path("dist", "hello.zip")
    assert f"{path}  1.0 MB (without S3: 50.0 MB), 2.0 MB unzipped (at most 250.0 MB)" in lines
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"  # of no bytes
    assert f"sha256 {empty} (CodeSha256 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=)" in lines
    assert "Note: Something is odd." in lines
    assert any(line.startswith("  fastapi    2.0 MB  ██") for line in lines)
    assert made[0]["target"] == Target("3.13", "x86_64", "python3.13")


def test_sigterm_is_as_it_was_afterwards(terminal: Terminal, made: list[dict[str, object]]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert terminal.type("build").code == 0
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_terminal_that_closes_ends_it_unless_nohup_says_otherwise() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    try:
        with pytest.raises(SystemExit) as raised, build.orderly():
            signal.raise_signal(signal.SIGHUP)
        assert raised.value.code == 129
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with build.orderly():
            signal.raise_signal(signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--layer", "--image"], 2, "--layer goes without --image"),
        (["--interpreter", "."], 2, "--interpreter goes with --provided"),
        (["--arch", "riscv"], 2, "'riscv' is not one of 'arm64', 'x86_64'"),
        (["nowhere"], 2, "'nowhere' does not exist"),
    ],
)
def test_what_is_not_understood(
    terminal: Terminal, folder: Path, arguments: list[str], code: object, said: str
) -> None:
    left = terminal.type("build", *arguments)
    assert left.code == code
    assert said in left.text


def test_what_cannot_be_built_is_told(terminal: Terminal, folder: Path, made: list[dict[str, object]]) -> None:
    assert str(terminal.type("build", "--python", "2.7").code).startswith("lambent: Expected a version of Python")
    left = terminal.type("build", "--report", "app.py/r.svg")
    assert str(left.code).startswith(f"lambent: --report {folder / 'app.py' / 'r.svg'}: it cannot be written")
    assert made[0]["boto"] is True


CREATE = "aws lambda create-function --function-name hello --runtime"
ON = "--architectures arm64 --handler app.handler"
PUBLISH = "aws lambda publish-layer-version --layer-name hello --compatible-runtimes python3.13"
WRAPPER = "--environment Variables={AWS_LAMBDA_EXEC_WRAPPER=/var/task/lambent/exec/wrapper}"
S3 = "S3Bucket=BUCKET,S3Key=hello.zip"
UPLOAD = f"--zip-file fileb://{Path('dist', 'hello.zip')}"


@pytest.mark.parametrize(
    ("target", "size", "layer", "command"),
    [
        (TARGET, MB, False, f"{CREATE} python3.13 {ON} {ROLE} {UPLOAD} {WRAPPER}"),
        (OS_ONLY, 51 * MB, False, f"{CREATE} provided.al2023 {ON} {ROLE} --code {S3}"),
        (TARGET, 51 * MB, True, f"{PUBLISH} --compatible-architectures arm64 --content {S3}"),
    ],
)
def test_the_command_that_comes_next(folder: Path, target: Target, size: int, layer: bool, command: str) -> None:
    path = folder / "dist" / "hello.zip"
    assert build.following(artefact(path, size), project(folder), target, layer=layer) == command


def test_a_nested_handler_keeps_its_colon(folder: Path) -> None:
    """By which Lambent's runtime finds it: AWS's has nothing to do with it."""
    made = replace(project(folder), handler="app:Shop.handler")
    assert "--handler app:Shop.handler " in build.following(artefact(folder / "dist/x.zip"), made, TARGET, layer=False)


def test_the_command_for_an_image(folder: Path) -> None:
    path = folder / "dist" / "hello-image"
    path.mkdir(parents=True)
    command = build.following(artefact(path), project(folder), TARGET, layer=False)
    assert command == f"docker build --provenance=false -t hello {Path('dist', 'hello-image')}"
    assert build.sized(artefact(path)) == [
        f"{Path('dist', 'hello-image')}  1.0 MB beside its base (an image may have 10 GB)"
    ]
