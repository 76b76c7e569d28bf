"""`lambent dev`: what it takes, and what it says to what it does not."""

from pathlib import Path

import pytest

from lambent.dev.config import EXAMPLE, Project
from lambent.dev.model import Function
from lambent.errors import ConfigurationError
from tests.cli.terminal import Terminal


def test_the_defaults_are_aws_s_and_safe(terminal: Terminal, folder: Path) -> None:
    function = Function("app-app", "app:app", folder, "/{proxy+}", timeout=3.0, memory=128, environments=10, warm=1)
    assert terminal.serve("app:app") == Project((function,), host="127.0.0.1", port=3000, allowed_hosts=())


def test_every_option_arrives(terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    (tmp_path / "x.env").write_text("A=0\nD=3")
    line = (
        f"pkg.mod.fn --host 0.0.0.0 --port 0 --door http --app-dir {tmp_path} --timeout 0.5 --memory 256 "
        "--environments 2 --runtime awslambdaric --env A=1 --env B=x=y --env C= "
        "--allow-host a.test --allow-host .b.test --concurrency 3 --reserved-concurrency 0 --no-freeze --warm 2 "
        f"--idle-timeout 60 --cold-start 1.5 --chaos --log-level warning --env-file {tmp_path}/x.env"
    )
    function = Function(
        "pkg-mod-fn",
        "pkg.mod.fn",
        tmp_path.resolve(),
        path="/{proxy+}",
        door="http",
        timeout=0.5,
        memory=256,
        environments=2,
        concurrency=3,
        reserved_concurrency=0,
        runtime="awslambdaric",
        env={"A": "1", "B": "x=y", "C": "", "D": "3"},
        freeze=False,
        warm=2,
        idle_timeout=60,
        cold_start=1.5,
        chaos=True,
        region="eu-west-1",
    )
    assert terminal.serve(*line.split()) == Project(
        (function,),
        host="0.0.0.0",
        port=0,
        allowed_hosts=("a.test", ".b.test"),
        log_level="warning",
        env_file=tmp_path.resolve() / "x.env",
    )


@pytest.mark.parametrize("target", ["app:app", "app.handler", "pkg.mod:obj", "pkg.mod.fn", "a:b.c", "_a:_b", "é:ü"])
def test_a_target_is_named_in_both_ways(terminal: Terminal, folder: Path, target: str) -> None:
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
        (["--concurrency", "0"], "--concurrency"),
        (["--reserved-concurrency", "-1"], "--reserved-concurrency"),
        (["--warm", "-1"], "--warm"),
        (["--warm", "2", "--environments", "1"], "--warm: expected 1 at most"),
        (["--snapstart", "--concurrency", "2"], "--concurrency: expected 1 with snapstart"),
        (["--idle-timeout", "0"], "--idle-timeout"),
        (["--cold-start", "901"], "--cold-start"),
        (["--log-level", "loud"], "'debug', 'info'"),
        (["--env-file", "/no/such/file"], "--env-file"),
        (["--config", "/no/such/file"], "--config"),
        (["--debug-port", "0"], "--debug-port"),
        (["--debug", "other"], "--debug: expected the name of a function, app-app, but there is no other"),
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


@pytest.mark.parametrize("door", ["url", "rest"])
def test_two_doors_stream(terminal: Terminal, folder: Path, door: str) -> None:
    assert terminal.serve("app:app", "--stream", "--door", door).functions[0].stream


def test_the_others_say_which_do(terminal: Terminal, folder: Path) -> None:
    left = terminal.type("dev", "app:app", "--stream", "--door", "alb")
    assert (left.code, terminal.served) == (2, [])
    assert "--stream: expected a door that streams, url or rest: on AWS, alb takes replies whole." in left.text


# With a configuration

TWO = """
[tool.lambent]
port = 4000
host = "0.0.0.0"
allowed-hosts = ["a.test"]
log-level = "error"
defaults = { memory = 512, warm = 2 }
[tool.lambent.functions.api]
handler = "app:app"
path = "/{proxy+}"
[tool.lambent.functions.orders]
handler = "orders.handler"
"""


def test_without_a_target_the_configuration_is_run(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    project = terminal.serve()
    assert [function.name for function in project.functions] == ["api", "orders"]
    assert (project.port, project.host, project.log_level) == (4000, "0.0.0.0", "error")
    assert project.file == folder / "pyproject.toml"


def test_options_of_the_whole_go_over_it(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    line = "--port 0 --host 127.0.0.1 --allow-host b.test --log-level debug --chaos"
    project = terminal.serve(*line.split())
    assert (project.port, project.host, project.log_level) == (0, "127.0.0.1", "debug")
    assert project.allowed_hosts == ("a.test", "b.test")
    assert all(function.chaos for function in project.functions)


def test_requests_may_be_somebodys(terminal: Terminal, folder: Path) -> None:
    (folder / "ada.json").write_text("{}", "utf-8")
    assert terminal.serve("app:app", "--as", "ada.json").caller == folder / "ada.json"
    assert terminal.serve("app:app").caller is None
    left = terminal.type("dev", "app:app", "--as", "nobody.json")
    assert (left.code, "'nobody.json' does not exist" in left.text) == (2, True)


def test_another_file_may_be_named(terminal: Terminal, folder: Path) -> None:
    (folder / "other.toml").write_text(EXAMPLE)
    assert terminal.serve("--config", "other.toml").file == folder / "other.toml"


def test_without_either_it_says_what_to_write(terminal: Terminal, folder: Path) -> None:
    left = terminal.type("dev")
    assert left.code == 2
    assert str(folder) in left.text
    assert EXAMPLE in left.text


def test_a_configuration_without_functions_needs_a_target(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.lambent]\nport = 4000")
    left = terminal.type("dev")
    assert left.code == 2
    assert EXAMPLE in left.text
    assert terminal.serve("app:app").port == 4000


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--timeout", "3"], "--timeout goes with a TARGET only."),
        (["--no-freeze"], "set freeze in the function's table"),
        (["--env", "A=1"], "set env in the function's table"),
        (["--app-dir", "."], "set app-dir in [tool.lambent]"),
        (["--reserved-concurrency", "0"], "set reserved-concurrency in"),
    ],
)
def test_options_of_a_function_name_the_key_to_set(
    terminal: Terminal, folder: Path, options: list[str], said: str
) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    left = terminal.type("dev", *options)
    assert (left.code, terminal.served) == (2, [])
    assert said in left.text
    assert str(folder / "pyproject.toml") in left.text


def test_a_target_takes_the_whole_and_the_defaults(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    project = terminal.serve("pkg.mod:fn", "--warm", "0")
    assert project.port == 4000
    assert project.functions == (Function("pkg-mod-fn", "pkg.mod:fn", folder, path="/{proxy+}", memory=512, warm=0),)


def test_a_mistake_in_the_file_is_told_in_one_line(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text("[tool.lambent]\nprot = 1")
    assert terminal.type("dev").code == (
        f"lambent: {folder}/pyproject.toml:2: tool.lambent.prot: there is no such key. Did you mean port?"
    )


@pytest.mark.parametrize(
    "arguments", [["app:app", "--debug"], ["--debug", "app:app"], ["app:app", "--debug", "app-app", "--port", "0"]]
)
def test_a_target_waits_for_a_debugger(terminal: Terminal, folder: Path, arguments: list[str]) -> None:
    (function,) = terminal.serve(*arguments, "--warm", "5").functions
    assert (function.name, function.debug) == ("app-app", "127.0.0.1:5678")
    assert (function.environments, function.warm) == (1, 1)


def test_one_of_several_waits_for_a_debugger(terminal: Terminal, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    api, orders = terminal.serve("--debug", "orders", "--debug-port", "5679").functions
    assert (api.debug, api.environments) == ("", 10)
    assert (orders.debug, orders.environments) == ("127.0.0.1:5679", 1)
    left = terminal.type("dev", "--debug")
    assert left.code == 2
    assert "--debug: expected the name of a function, api, orders, but there are several." in left.text


def test_what_was_read_is_read_again_with_the_same_options(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    (folder / "pyproject.toml").write_text(TWO)
    project = terminal.serve("--port", "1", "--chaos")
    monkeypatch.chdir(tmp_path_factory.mktemp("elsewhere"))
    assert project.again
    assert project.again() == project
    (folder / "pyproject.toml").write_text(TWO.replace("512", "1024"))
    again = project.again()
    assert (again.port, again.functions[0].chaos, again.functions[0].memory) == (1, True, 1024)
    assert again.again
    (folder / "pyproject.toml").write_text("[tool.lambent")
    with pytest.raises(ConfigurationError, match=r"pyproject\.toml:1: expected TOML"):
        again.again()
    (folder / "pyproject.toml").write_text("[tool.lambent]")
    with pytest.raises(ConfigurationError, match="there is neither"):
        again.again()
    (folder / "pyproject.toml").unlink()
    with pytest.raises(ConfigurationError, match="No such file"):
        again.again()
