"""The command line: what it takes, and what it says to what it does not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lambent import cli
from lambent.dev import server
from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site, StreamingDoor
from lambent.dev.model import Function
from lambent.dev.server import Address
from lambent.errors import ConfigurationError

SOURCE = Path(__file__).parents[1] / "src"


class Exit(Exception):
    """How the program ended, and what it said."""

    def __init__(self, code: object, text: str) -> None:
        super().__init__(code, text)
        self.code = code
        self.text = text


class Terminal:
    """Runs the program in this process; remembers what it would have served."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self.served: list[tuple[Function, Address]] = []
        self._capsys = capsys
        monkeypatch.setattr(server, "run", lambda function, address: self.served.append((function, address)))
        for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
            monkeypatch.delenv(name, raising=False)

    def type(self, *arguments: str) -> Exit:
        with pytest.raises(SystemExit) as left:
            cli.main(arguments)
        output = self._capsys.readouterr()
        return Exit(left.value.code, output.out + output.err)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


def test_the_defaults_are_aws_s_and_safe(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert terminal.type("dev", "app:app").code == 0
    assert terminal.served == [
        (
            Function("app-app", "app:app", tmp_path.resolve(), timeout=3.0, memory=128, environments=10),
            Address("127.0.0.1", 3000, "url", ()),
        )
    ]


def test_every_option_arrives(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    line = (
        f"dev pkg.mod.fn --host 0.0.0.0 --port 0 --door http --app-dir {tmp_path} --timeout 0.5 --memory 256 "
        "--environments 2 --runtime awslambdaric --env A=1 --env B=x=y --env C= "
        "--allow-host a.test --allow-host .b.test"
    )
    assert terminal.type(*line.split()).code == 0
    assert terminal.served == [
        (
            Function(
                "pkg-mod-fn",
                "pkg.mod.fn",
                tmp_path.resolve(),
                timeout=0.5,
                memory=256,
                environments=2,
                runtime="awslambdaric",
                env={"A": "1", "B": "x=y", "C": ""},
                region="eu-west-1",
            ),
            Address("0.0.0.0", 0, "http", ("a.test", ".b.test")),
        )
    ]


@pytest.mark.parametrize("target", ["app:app", "app.handler", "pkg.mod:obj", "pkg.mod.fn", "a:b.c", "_a:_b", "é:ü"])
def test_a_target_is_named_in_both_ways(terminal: Terminal, target: str) -> None:
    assert terminal.type("dev", target).code == 0


@pytest.mark.parametrize("target", ["app", "app:", ":app", "a b:c", "a::b", "a:b:c", "./app:app", "1a:b", ""])
def test_a_malformed_target_is_told_both_forms(terminal: Terminal, target: str) -> None:
    exit_ = terminal.type("dev", target)
    assert exit_.code == 2
    assert "app:app" in exit_.text
    assert "app.handler" in exit_.text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        (["--port", "70000"], "--port"),
        (["--timeout", "0"], "--timeout"),
        (["--timeout", "901"], "--timeout"),
        (["--memory", "64"], "--memory"),
        (["--environments", "0"], "--environments"),
        (["--door", "window"], "'url', 'http'"),
        (["--runtime", "node"], "'lambent', 'awslambdaric'"),
        (["--app-dir", "/no/such/place"], "--app-dir"),
        (["--env", "A"], "KEY=VALUE"),
        (["--env", "=1"], "KEY=VALUE"),
    ],
)
def test_a_bad_option_is_named(terminal: Terminal, options: list[str], complaint: str) -> None:
    exit_ = terminal.type("dev", "app:app", *options)
    assert exit_.code == 2
    assert complaint in exit_.text


def test_without_a_command_it_helps(terminal: Terminal) -> None:
    assert "dev" in terminal.type("--help").text


def test_what_cannot_be_done_is_said_in_one_line(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def taken(_function: Function, _address: Address) -> None:
        raise ConfigurationError("Port 3000 is taken.")

    monkeypatch.setattr(server, "run", taken)
    assert terminal.type("dev", "app:app").code == "lambent: Port 3000 is taken."


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    return subprocess.run(
        [sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False, timeout=20
    )


def test_python_m_lambent_tells_its_version() -> None:
    done = run("-m", "lambent", "--version")
    assert done.returncode == 0
    assert done.stdout.startswith("lambent, version ")


@pytest.mark.parametrize("missing", ["click", "h11", "uvicorn", "psutil"])
def test_without_the_extra_it_says_what_to_install(missing: str) -> None:
    script = f"import sys; sys.modules['{missing}'] = None; from lambent.cli import main; main(['dev', 'app:app'])"
    done = run("-c", script)
    assert done.returncode == 1
    assert done.stderr.strip() == (
        f'lambent: this command needs {missing}, which is not installed. Run: pip install "lambent[dev]"'
    )


@pytest.mark.parametrize("door", ["url", "rest"])
def test_two_doors_stream(terminal: Terminal, door: str) -> None:
    assert terminal.type("dev", "app:app", "--stream", "--door", door).code == 0
    assert terminal.served[0][0].stream


def test_the_others_say_which_do(terminal: Terminal) -> None:
    left = terminal.type("dev", "app:app", "--stream", "--door", "alb")
    assert (left.code, terminal.served) == (2, [])
    assert "--stream goes with --door url or rest" in left.text


def test_the_doors_that_stream_are_those_that_can() -> None:
    can = [name for name, door in DOORS.items() if isinstance(door(Site("f")), StreamingDoor)]
    assert can == list(cli.STREAMING)
