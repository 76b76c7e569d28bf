"""`lambent dev` while its files are edited: nothing fails, nothing is missed, nothing restarts that need not."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dev.fakes import Gate
from tests.dev.load import Load
from tests.dev.local import LocalLambda, gone

# As a project of a user's: with bytecode, which knows its source by size and seconds.
BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}

RUNTIMES = [
    "lambent",
    pytest.param(
        "awslambdaric",
        marks=pytest.mark.skipif(not importlib.util.find_spec("awslambdaric"), reason="it has wheels for Linux only"),
    ),
]

VERSION = """
import json

def handler(event, context):
    n = event.get("queryStringParameters", {}).get("n")
    return {"statusCode": 200, "body": json.dumps({"version": "%s", "n": n})}
"""

HELPED = """
import helper

def handler(event, context):
    if event["rawPath"] == "/lazy":
        import lazy
        return lazy.TEXT
    return helper.TEXT
"""


@dataclass
class Project:
    """A folder with code, as an editor writes to it."""

    folder: Path

    def write(self, **files: str) -> None:
        for name, text in files.items():
            (self.folder / f"{name}.py").write_text(text, "utf-8")

    def configure(self, text: str) -> None:
        (self.folder / "pyproject.toml").write_text(text, "utf-8")

    def run(self, target: str | None = None, *options: str, **variables: str) -> LocalLambda:
        return LocalLambda(self.folder, target, *options, variables={**BYTECODE, **variables})


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path)


def answers(local: LocalLambda, body: str, path: str = "/") -> bool:
    answer = local.get(path)
    assert answer.status == 200, local.output
    return answer.body.decode() == body


def wait_for_answer(local: LocalLambda, body: str) -> None:
    local.until(lambda: answers(local, body))


def wait_for_generation(local: LocalLambda, number: int) -> None:
    local.until(lambda: local.status()["generation"] == number)


def generations(local: LocalLambda) -> dict[str, int]:
    functions = json.loads(local.get("/_lambent/status").body)["functions"]
    return {name: each["generation"] for name, each in functions.items()}


def processes(local: LocalLambda, function: str | None = None) -> list[int]:
    """Of the generation that serves."""
    return [each["pid"] for each in local.status(function)["environments"]]


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_under_constant_load_ten_reloads_lose_no_request(project: Project, runtime: str) -> None:
    project.write(app=VERSION % 0)
    with project.run("app:handler", "--runtime", runtime) as local:
        with Load(local.port, connections=4) as load:
            load.wait_for("0")
            for version in range(1, 11):
                project.write(app=VERSION % (version % 10))
                load.wait_for(str(version % 10))
                wait_for_generation(local, version + 1)
            before = load.answered
            local.until(lambda: load.failures or load.answered > before + 20)
        assert load.failures == []
        assert local.output.count("app-handler: reloaded.") == 10
        local.until(lambda: {each.pid for each in local.environments()} <= set(processes(local)))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_syntax_error_under_load_fails_no_request_and_is_shown_and_mended(project: Project, runtime: str) -> None:
    project.write(app=VERSION % "one")
    with project.run("app:handler", "--runtime", runtime) as local:
        with Load(local.port, connections=1) as load:
            load.wait_for("one")
        with Load(local.port, connections=4) as load:  # for which it had to start environments of the broken code
            project.write(app="def handler(:\n")
            local.wait_for(r"app\.py\D*1(?s:.*)app-handler: the new code does not start; the old goes on serving\.")
            before = load.answered
            local.until(lambda: load.failures or load.answered > before + 20)
            project.write(app=VERSION % "two")
            load.wait_for("two")
        assert load.failures == []


def test_a_module_that_is_imported_is_looked_after_and_others_are_not(project: Project) -> None:
    project.write(app=HELPED, helper="TEXT = 'one'", lazy="TEXT = 'one'", other="TEXT = 'one'")
    with project.run("app:handler") as local:
        assert answers(local, "one")
        project.write(other="TEXT = 'two'", lazy="TEXT = 'two'")
        project.write(helper="TEXT = 'two'")  # what was written before it has been looked at with it
        local.until(lambda: answers(local, "two"))
        # Which an environment may, too, that was being started when the code was saved.
        local.until(lambda: generations(local) == {"app-handler": 2})


def test_a_module_that_is_imported_late_is_looked_after_from_then_on(project: Project) -> None:
    project.write(app=HELPED, helper="TEXT = ''", lazy="TEXT = 'one'")
    with project.run("app:handler") as local:
        assert answers(local, "one", "/lazy")
        project.write(lazy="TEXT = 'two'")
        local.until(lambda: answers(local, "two", "/lazy"))
        project.write(lazy="TEXT = 'three'")
        local.until(lambda: answers(local, "three", "/lazy"))


def test_a_change_right_after_the_file_was_read_is_not_missed(project: Project) -> None:
    """The helper writes itself anew while it is imported: before anybody can have looked at it."""
    once = "from pathlib import Path\nPath(__file__).write_text(\"TEXT = 'two'\\n\")\nTEXT = 'one'\n"
    project.write(app=HELPED, helper=once)
    with project.run("app:handler") as local:
        local.until(lambda: answers(local, "two"))
        assert generations(local) == {"app-handler": 2}


def test_a_file_that_is_replaced_as_editors_do_it(project: Project) -> None:
    project.write(app=HELPED, helper="TEXT = 'one'")
    helper, copy, backup = (project.folder / name for name in ("helper.py", ".helper.py.swp", "helper.py~"))
    with project.run("app:handler") as local:
        assert answers(local, "one")
        copy.write_text("TEXT = 'two'", "utf-8")
        copy.replace(helper)
        local.until(lambda: answers(local, "two"))
        helper.replace(backup)
        helper.write_text("TEXT = 'three'", "utf-8")
        backup.unlink()
        local.until(lambda: answers(local, "three"))
        text = helper.read_bytes()
        helper.unlink()
        copy.write_bytes(text.replace(b"three", b"four"))
        copy.replace(helper)
        local.until(lambda: answers(local, "four"))
        assert "does not start" not in local.output


def test_a_folder_that_is_replaced_as_version_control_does_it(project: Project) -> None:
    package, copy = project.folder / "package", project.folder / "copy"
    package.mkdir()
    (package / "part.py").write_text("TEXT = 'one'", "utf-8")
    project.write(app="def handler(event, context):\n    from package import part\n    return part.TEXT\n")
    with project.run("app:handler") as local:
        assert answers(local, "one")
        copy.mkdir()
        (copy / "part.py").write_text("TEXT = 'two'", "utf-8")
        package.rename(project.folder / "before")
        copy.rename(package)
        local.until(lambda: answers(local, "two"))
        (package / "part.py").write_text("TEXT = 'three'", "utf-8")
        local.until(lambda: answers(local, "three"))


def test_a_module_that_was_missing_is_found_once_it_is_there(project: Project) -> None:
    project.write(app="def handler(event, context):\n    return 'one'\n")
    with project.run("app:handler") as local:
        assert answers(local, "one")
        project.write(app="import missing\n\ndef handler(event, context):\n    return missing.TEXT\n")
        local.wait_for("No module named 'missing'(?s:.*)the old goes on serving")
        assert answers(local, "one")
        project.write(missing="TEXT = 'two'")
        local.until(lambda: answers(local, "two"))


def test_listed_files_are_looked_after(project: Project) -> None:
    project.configure(
        """
[tool.lambent]
watch = ["page.html", "templates/**/*.txt", "folder"]

[tool.lambent.functions.page]
handler = "app.handler"
path = "/{proxy+}"
"""
    )
    project.write(
        app="""
from pathlib import Path
TEXT = "".join(sorted(each.read_text() for kind in ("*.html", "*.txt", "*.md") for each in Path().rglob(kind)))

def handler(event, context):
    return TEXT
"""
    )
    (project.folder / "page.html").write_text("a1")
    for folder, name in (("templates/deep", "one.txt"), ("folder", "one.md")):
        (project.folder / folder).mkdir(parents=True)
        (project.folder / folder / name).write_text("b1" if "templates" in folder else "c1")
    with project.run() as local:
        assert answers(local, "a1b1c1")
        (project.folder / "page.html").write_text("a2")
        local.until(lambda: answers(local, "a2b1c1"))
        (project.folder / "templates/deep/one.txt").write_text("b2")
        local.until(lambda: answers(local, "a2b2c1"))
        (project.folder / "folder/one.md").write_text("c2")
        local.until(lambda: answers(local, "a2b2c2"))
        (project.folder / "folder/two.md").write_text("d1")
        local.until(lambda: answers(local, "a2b2c2d1"))


TWO = """
[tool.lambent.functions.left]
handler = "left:handler"
path = "/left"

[tool.lambent.functions.right]
handler = "right:handler"
path = "/right"
"""

SIDE = """
import {} as own
import shared

def handler(event, context):
    return own.TEXT + shared.TEXT
"""


def test_only_the_functions_concerned_restart(project: Project) -> None:
    project.configure(TWO)
    project.write(left=SIDE.format("lefts"), right=SIDE.format("rights"), lefts="TEXT = 'l1'", rights="TEXT = 'r1'")
    project.write(shared="TEXT = 's1'")
    with project.run() as local:
        assert answers(local, "l1s1", "/left")
        assert answers(local, "r1s1", "/right")
        right = processes(local, "right")
        project.write(lefts="TEXT = 'l2'")
        local.until(lambda: answers(local, "l2s1", "/left"))
        assert generations(local) == {"left": 2, "right": 1}
        assert processes(local, "right") == right
        project.write(shared="TEXT = 's2'")
        local.until(lambda: answers(local, "l2s2", "/left"))
        local.until(lambda: answers(local, "r1s2", "/right"))
        assert generations(local) == {"left": 3, "right": 2}
        local.wait_for(r"left  \| left: reloaded\.|left: reloaded\.")


def test_functions_come_and_go_with_the_configuration(project: Project) -> None:
    project.configure(TWO)
    project.write(left=SIDE.format("lefts"), right=SIDE.format("rights"), lefts="TEXT = 'l'", rights="TEXT = 'r'")
    project.write(shared="TEXT = 's'", third="def handler(event, context):\n    return 'third'\n")
    with project.run() as local:
        assert answers(local, "ls", "/left")
        assert answers(local, "rs", "/right")
        left, right = processes(local, "left"), local.environments()
        third = '\n[tool.lambent.functions.third]\nhandler = "third:handler"\npath = "/third"\n'
        project.configure(TWO.partition("[tool.lambent.functions.right]")[0] + third)
        local.until(lambda: local.get("/third").status == 200)
        assert local.get("/right").status == 404
        assert generations(local) == {"left": 1, "third": 1}
        assert processes(local, "left") == left
        assert gone([each for each in right if each.pid not in left])


def test_a_configuration_that_is_nonsense_changes_nothing_until_it_is_mended(project: Project) -> None:
    project.configure(TWO)
    project.write(left=SIDE.format("lefts"), right=SIDE.format("rights"), lefts="TEXT = 'l'", rights="TEXT = 'r'")
    project.write(shared="TEXT = 's'")
    file = re.escape(str(project.folder / "pyproject.toml"))
    remains = r"(?s:.*)The configuration before that remains in force\."
    mistakes = [
        ("[tool.lambent\n", rf"{file}:1: expected TOML.*{remains}"),
        (TWO.replace("handler =", "handle ="), rf"{file}:3: tool\.lambent\.functions\.left\.handle: .*{remains}"),
        (TWO + "timeout = 'long'\n", rf"{file}:\d+: .*timeout: expected seconds.*{remains}"),
        ("", rf"{file}: expected \[tool\.lambent\] .*{remains}"),
    ]
    with project.run() as local:
        assert answers(local, "ls", "/left")
        before = processes(local, "left")
        for text, message in mistakes:
            project.configure(text)
            local.wait_for(message)
            assert answers(local, "ls", "/left")
        (project.folder / "pyproject.toml").write_bytes(b"\xff\xfe")
        local.wait_for("expected UTF-8")
        (project.folder / "pyproject.toml").unlink()
        assert answers(local, "ls", "/left")
        assert processes(local, "left") == before
        assert generations(local) == {"left": 1, "right": 1}
        project.configure(TWO.replace('"/left"', '"/elsewhere"'))
        local.until(lambda: local.get("/elsewhere").status == 200)
        assert local.get("/left").status == 404
        project.write(lefts="TEXT = 'm'")
        local.until(lambda: answers(local, "ms", "/elsewhere"))


def test_what_takes_effect_with_the_next_start_is_said(project: Project) -> None:
    project.configure(TWO)
    project.write(left="def handler(event, context):\n    return 'one'\n")
    with project.run() as local:
        assert answers(local, "one", "/left")
        project.configure('[tool.lambent]\nallowed-hosts = ["example.test"]\n' + TWO)
        local.wait_for("take effect with the next start")
        assert answers(local, "one", "/left")
        assert generations(local)["left"] == 1


def test_dot_env_is_read_again(project: Project) -> None:
    project.configure(TWO)
    project.write(left="import os\n\ndef handler(event, context):\n    return os.environ.get('STAGE', 'none')\n")
    with project.run() as local:
        assert answers(local, "none", "/left")
        (project.folder / ".env").write_text("STAGE=one\n")
        local.until(lambda: answers(local, "one", "/left"))
        (project.folder / ".env").write_text("STAGE=two\n")
        local.until(lambda: answers(local, "two", "/left"))
        (project.folder / ".env").write_text("STAGE='\n")
        local.wait_for(r"\.env(?s:.*)remains in force")
        assert answers(local, "two", "/left")
        (project.folder / ".env").write_text("STAGE=three\n")
        local.until(lambda: answers(local, "three", "/left"))


HELD = """
import os, socket

def handler(event, context):
    if event["rawPath"] == "/hold":
        gate = socket.create_connection(("127.0.0.1", int(os.environ["GATE"])))
        gate.sendall(b"here\\n")
        gate.recv(1)
    return "%s"
"""


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_a_long_invocation_ends_in_the_old_generation(project: Project, runtime: str) -> None:
    project.write(app=HELD % "one")
    with (
        Gate() as gate,
        ThreadPoolExecutor() as pool,
        project.run("app:handler", "--runtime", runtime, "--timeout", "60", GATE=gate.port) as local,
    ):
        held = pool.submit(local.get, "/hold")
        gate.arrive()
        old = local.environments()
        for version in ("two", "three"):
            project.write(app=HELD % version)
            wait_for_answer(local, version)
        assert not held.done()
        gate.release()
        assert held.result().body == b"one"
        assert gone(old)


def test_what_waits_when_the_generation_changes_is_done_by_the_new_one(project: Project) -> None:
    project.write(app=HELD % "one")
    with (
        Gate() as gate,
        ThreadPoolExecutor() as pool,
        project.run("app:handler", "--environments", "1", "--timeout", "60", GATE=gate.port) as local,
    ):
        held = pool.submit(local.get, "/hold")
        gate.arrive()
        waiting = [pool.submit(local.get) for _ in range(3)]
        local.until(lambda: local.status()["waiting"] == 3)
        project.write(app=HELD % "two")
        assert [each.result().body for each in waiting] == [b"two"] * 3
        gate.release()
        assert held.result().body == b"one"


def test_of_a_wrapped_runtime_every_python_file_below_is_looked_after(project: Project) -> None:
    """Who wraps a runtime starts it as it likes: nothing in it says what it reads."""
    pytest.importorskip("awslambdaric", reason="AWS's runtime has wheels for Linux only")
    wrapper = project.folder / "wrapper"
    wrapper.write_text('#!/bin/sh\nexec "$@"\n')
    wrapper.chmod(0o755)
    project.write(app=HELPED, helper="TEXT = 'one'", lazy="TEXT = ''")
    (project.folder / "notes.txt").write_text("one")
    options = ("--runtime", "awslambdaric", "--env", f"AWS_LAMBDA_EXEC_WRAPPER={wrapper}")
    with project.run("app.handler", *options) as local:
        assert answers(local, "one")
        local.until(lambda: local.get("/").status == 200)
        (project.folder / "notes.txt").write_text("two")
        project.write(helper="TEXT = 'second'")
        local.until(lambda: answers(local, "second"))
        project.write(lazy="TEXT = 'changed, though not imported'")
        local.until(lambda: local.status()["generation"] == 3)
        project.write(new="")
        local.until(lambda: local.status()["generation"] == 4)
        assert answers(local, "second")


def test_a_link_to_a_file_elsewhere_is_looked_after(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    if sys.platform == "win32":
        pytest.skip("links take rights there")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "helper.py"
    elsewhere.write_text("TEXT = 'one'", "utf-8")
    (project.folder / "helper.py").symlink_to(elsewhere)
    project.write(app=HELPED)
    with project.run("app:handler") as local:
        assert answers(local, "one")
        elsewhere.write_text("TEXT = 'two'", "utf-8")
        local.until(lambda: answers(local, "two"))


def test_a_file_that_is_only_touched_counts_as_saved(project: Project) -> None:
    project.write(app="import os\n\ndef handler(event, context):\n    return str(os.getpid())\n")
    with project.run("app:handler") as local:
        before = local.get().body
        os.utime(project.folder / "app.py")
        local.until(lambda: local.get().body != before)
