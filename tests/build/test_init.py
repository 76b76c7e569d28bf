"""`lambent init`: what is made, and what is refused."""

import ast
import errno
import json
import os
import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lambent.build import init, project, target
from lambent.build.errors import BuildError
from lambent.build.init import LONGEST, STARTERS, Plan, files, make
from lambent.build.kinds import KINDS, TOOLS
from lambent.cli import init as command
from lambent.dev import config
from lambent.dev.templates import yaml_tables
from lambent.dev.templates.tables import Notes
from tests.cli.terminal import Terminal

EACH = [(kind, tool) for kind in KINDS for tool in TOOLS]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Terminal:
    return Terminal(monkeypatch, capsys)


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path.resolve()


# What is made


@pytest.mark.parametrize(("kind", "tool"), EACH)
def test_every_file_can_be_read_as_what_it_is(kind: str, tool: str) -> None:
    made = files(Plan("shop", kind, tool, "3.13", "arm64"))
    assert {"pyproject.toml", ".gitignore", "README.md", "app.py", "tests/test_app.py"} <= made.keys()
    for path, text in made.items():
        assert not init.TOKEN.search(text), path
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path
        if path.endswith(".py"):
            ast.parse(text)
        elif path.endswith(".toml"):
            tomllib.loads(text)
        elif path.endswith((".yaml", ".yml")):
            assert yaml_tables.read(text, Notes(path))
        elif path.endswith(".json"):
            json.loads(text)


@pytest.mark.parametrize(("kind", "tool"), EACH)
def test_what_a_tool_deploys_is_what_is_built(kind: str, tool: str, tmp_path: Path) -> None:
    root = make(Plan("My_Shop", kind, tool, "3.12", "arm64"), tmp_path)
    found = project.read(root)
    aim = target.choose(None, None, None, found)
    assert (found.name, found.handler, [*found.sources]) == ("my-shop", "app:handler", ["app.py"])
    assert (aim.python, aim.architecture) == ("3.12", "arm64")
    assert found.dependencies.kind == "pyproject.toml"
    written = "".join((root / path).read_text("utf-8") for path in TOOLS[tool].files)
    if tool != "none":
        assert "dist/my-shop.zip" in written
        assert re.search(r"python3\.12|PYTHON_3_12", written)
        assert re.search(r"\barm64\b|ARM_64", written)
        assert '"app.handler"' in written or "app.handler\n" in written


@pytest.mark.parametrize(("kind", "tool"), EACH)
def test_the_local_lambda_has_its_function(kind: str, tool: str, tmp_path: Path) -> None:
    """As pyproject.toml says, whatever template lies beside it; and as that says for its door and time."""
    root = make(Plan("shop", kind, tool), tmp_path)
    loaded = config.load(root, {})
    assert loaded is not None
    (function,) = loaded.functions
    assert (function.name, function.handler, function.memory) == ("shop", "app:handler", 512)
    doors = {"http": {"http"}, "websocket": {"websocket"}, "sqs": set()}
    assert {route.entrance for route in function.routes} == doors[KINDS[kind].door]
    if tool in {"sam", "cloudformation", "serverless"}:
        described = config.load(root, {}, template=root / next(iter(TOOLS[tool].files)))
        assert described is not None
        (theirs,) = described.functions
        assert (theirs.timeout, theirs.memory) == (function.timeout, function.memory)
        assert theirs.handler.replace(":", ".") == "app.handler"


def test_every_starter_is_used() -> None:
    there = {path.relative_to(STARTERS).as_posix() for path in STARTERS.rglob("*") if path.is_file()}
    common = {f"common/{name}.in" for name in ("pyproject.toml", "gitignore", "README.md")}
    kinds = {f"{kind}/{name}.py.in" for kind in KINDS for name in ("app", "test_app")}
    doors = {kind.door for kind in KINDS.values()}
    tools = {
        f"{origin.replace('@door@', door)}.in"
        for tool in TOOLS.values()
        for origin in tool.files.values()
        for door in doors
    }
    assert there == common | kinds | tools | {f"{tool}/deploy.md.in" for tool in TOOLS}


def test_a_project_says_what_a_tool_leaves_behind() -> None:
    assert files(Plan("shop", tool="terraform"))[".gitignore"].splitlines()[-2:] == [".terraform/", "*.tfstate*"]
    assert files(Plan("shop", tool="none"))[".gitignore"].splitlines()[-1] == "dist/"


def test_its_folder_is_called_as_it_was_typed_and_open_to_others(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.mkdir()
    made = make(Plan("My.Shop"), tmp_path)
    assert made == tmp_path / "My.Shop"
    assert made.stat().st_mode == usual.stat().st_mode
    assert sorted(each.name for each in tmp_path.iterdir()) == ["My.Shop", "usual"]


def test_python_is_one_that_lambda_has(monkeypatch: pytest.MonkeyPatch) -> None:
    assert init.here() == "{}.{}".format(*sys.version_info)
    monkeypatch.setattr(sys, "version_info", (3, 99))
    assert init.here() == target.supported()[-1]


# What is refused


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("", "begins with a letter"),
        ("2fast", "begins with a letter, of letters, digits, dots, hyphens and underscores, but got '2fast'"),
        ("_shop", "begins with a letter"),
        ("-shop", "begins with a letter"),
        ("shop-", "begins with a letter"),
        ("my shop", "begins with a letter"),
        ("shöp", "begins with a letter"),
        ("../shop", "begins with a letter"),
        ("shop/items", "begins with a letter"),
        ("C:\\shop", "begins with a letter"),
        (".", "begins with a letter"),
        ("shop\n", "begins with a letter"),
        ("s" * (LONGEST + 1), "32 characters at most"),
        ("class", "a word of Python's own"),
        ("None", "a word of Python's own"),
        ("none", "a word of Python's own"),
        ("json", "standard library"),
        ("Email", "standard library"),
        ("lambent", "a package that such projects need"),
        ("FastAPI", "a package that such projects need"),
        ("aws.cdk_lib", "a package that such projects need"),
    ],
)
def test_a_name_that_will_not_do(tmp_path: Path, name: str, said: str) -> None:
    with pytest.raises(BuildError, match=said):
        make(Plan(name), tmp_path)
    assert not [*tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["a", "shop2", "my-shop", "my_shop", "my.shop", "s" * LONGEST])
def test_a_name_that_will_do(tmp_path: Path, name: str) -> None:
    assert (make(Plan(name), tmp_path) / "app.py").is_file()


def test_a_folder_that_has_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "app.py").write_text("mine")
    with pytest.raises(BuildError, match=r"not empty: nothing in it has been touched\. Choose another name"):
        make(Plan("shop"), tmp_path)
    assert [(path.name, path.read_text()) for path in (tmp_path / "shop").iterdir()] == [("app.py", "mine")]
    assert [path.name for path in tmp_path.iterdir()] == ["shop"]


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "shop").mkdir()
    assert (make(Plan("shop"), tmp_path) / "app.py").is_file()


@pytest.mark.parametrize("what", ["file", "link", "broken link"])
def test_what_is_no_folder_stays_as_it_is(tmp_path: Path, what: str) -> None:
    taken, elsewhere = tmp_path / "shop", tmp_path / "elsewhere"
    if what == "file":
        taken.touch()
    else:
        taken.symlink_to(elsewhere)
    if what == "link":
        elsewhere.mkdir()
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BuildError, match="is there already, and is no folder"):
        make(Plan("shop"), tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


@contextmanager
def nobody() -> Iterator[None]:
    """Run as somebody who owns nothing, if we are root: whom no rights bind."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.mark.skipif(sys.platform == "win32", reason="it has other rights")
@pytest.mark.parametrize("mode", [0o500, 0o000])
def test_without_rights_nothing_is_made(tmp_path: Path, mode: int) -> None:
    locked = tmp_path / "locked"
    locked.mkdir()
    locked.chmod(mode)
    try:
        with nobody(), pytest.raises(BuildError, match=r"locked/shop cannot be .*: Permission denied\. Choose another"):
            make(Plan("shop"), locked)
        locked.chmod(0o700)
        assert not [*locked.iterdir()]
    finally:
        locked.chmod(0o700)


def test_a_disk_that_is_full_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = init.write

    def full(path: Path, text: str) -> None:
        if path.name == "test_app.py":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write(path, text)

    monkeypatch.setattr(init, "write", full)
    with pytest.raises(BuildError, match="No space left on device"):
        make(Plan("shop"), tmp_path)
    assert not [*tmp_path.iterdir()]


def test_somebody_who_is_faster_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = init.write

    def slow(path: Path, text: str) -> None:
        write(path, text)
        (tmp_path / "shop").mkdir(exist_ok=True)
        (tmp_path / "shop" / "theirs").touch()

    monkeypatch.setattr(init, "write", slow)
    with pytest.raises(BuildError, match="cannot be made"):
        make(Plan("shop"), tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")] == ["shop", "shop/theirs"]


# The command


def test_the_command_says_what_comes_next(terminal: Terminal, folder: Path) -> None:
    left = terminal.type("init", "shop")
    assert left.code == 0
    assert left.text == (
        "Made shop:\n\n  .gitignore\n  README.md\n  app.py\n  pyproject.toml\n  template.yaml\n  tests/test_app.py\n\n"
        "Next:\n\n  cd shop\n  uv pip install -r pyproject.toml --group dev\n  lambent dev\n  python -m pytest\n"
        "  lambent build\n  sam deploy --stack-name shop --resolve-s3 --capabilities CAPABILITY_IAM\n"
    )
    assert (folder / "shop" / "template.yaml").is_file()


def test_the_command_takes_options(terminal: Terminal, folder: Path) -> None:
    (folder / "services").mkdir()
    options = ["--kind", "events", "--tool", "cdk", "--python", "3.12", "--arch", "arm64", "--directory", "services"]
    left = terminal.type("init", "shop", *options)
    assert left.code == 0
    assert f"cd {folder / 'services' / 'shop'}\n" in left.text
    stack = (folder / "services" / "shop" / "infra" / "stack.py").read_text("utf-8")
    assert "class Queue(Stack)" in stack
    assert "PYTHON_3_12" in stack
    assert "ARM_64" in stack


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ([], 2, "Missing argument 'NAME'"),
        (["shop", "--kind", "django"], 2, "'django' is not one of 'fastapi', 'api', 'events', 'websocket'"),
        (["shop", "--tool", "pulumi"], 2, "'pulumi' is not one of 'sam', 'cloudformation'"),
        (["shop", "--directory", "nowhere"], 2, "'nowhere' does not exist"),
        (["shop", "--python", "3.9"], "lambent: Expected a Python that Lambda has, one of 3.11, ", ""),
        (["json"], "lambent: json is a module of Python's standard library.", ""),
    ],
)
def test_what_is_not_understood_is_told(
    terminal: Terminal, folder: Path, arguments: list[str], code: object, said: str
) -> None:
    left = terminal.type("init", *arguments)
    assert str(left.code).startswith(str(code))
    assert said in left.text
    assert not [*folder.iterdir()]


def test_at_a_terminal_it_asks_for_what_is_missing(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import click

    answers = {"Name of the project": "shop", "Kind": "api", "Tool": "none"}

    def prompt(text: str, **_options: object) -> str:
        return answers.pop(text)

    monkeypatch.setattr(command, "interactive", lambda: True)
    monkeypatch.setattr(click, "prompt", prompt)
    assert terminal.type("init").code == 0
    assert not answers
    assert "from lambent.api import Api" in (folder / "shop" / "app.py").read_text("utf-8")
    assert not (folder / "shop" / "template.yaml").exists()
    assert terminal.type("init", "two", "--kind", "events", "--tool", "sam").code == 0  # nothing is left to ask


def test_a_name_is_refused_before_more_is_asked(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "interactive", lambda: True)
    assert str(terminal.type("init", "json").code).startswith("lambent: json is a module")
