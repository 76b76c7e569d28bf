"""The starter: what is the same as with `python -m`, and what is not."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

from lambent.dev import child
from tests.dev.inside.told import Ended, Listener, run

PROBE = """
import json, os, sys, traceback
main = sys.modules["__main__"]
told = {
    "main": {name: repr(value) for name, value in vars(main).items()},
    "annotations": repr(globals().get("__annotations__")),
    "is main": globals() is vars(main),
    "spec": repr(__spec__),
    "argv": sys.argv,
    "path": sys.path,
    "cache": sorted(sys.path_importer_cache),
    "flags": repr(sys.flags),
    "warnings": sys.warnoptions,
    "options": sorted(sys._xoptions),
    "finders": repr(sys.meta_path),
    "hooks": repr([sys.breakpointhook, sys.excepthook, sys.gettrace(), sys.getprofile()]),
    "modules": sorted(sys.modules),
    "descriptors": [number for number in range(256) if os.path.exists(f"/dev/fd/{number}")],
    "stack": [(frame.filename, frame.name) for frame in traceback.extract_stack()],
}
print(json.dumps(told, indent=1))
"""
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")
OURS = {"__future__", "_socket"}
"""Modules that are there before there was need for them."""


def both(directory: Path, *arguments: str, options: tuple[str, ...] = (), **variables: str) -> tuple[Ended, Ended]:
    """What `-m` makes of a module and what the starter does."""
    with Listener() as listener:
        return (
            run([*options, "-m", *arguments], directory, **variables),
            run(
                [*options, child.__file__, *arguments], directory, AWS_LAMBDA_RUNTIME_API=listener.address, **variables
            ),
        )


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("-X", "dev", "-W", "error::UserWarning"),
        ("-P",),
        ("-O", "-u", "-X", "utf8"),
    ],
    ids=" ".join,
)
def test_a_module_sees_what_it_sees_with_m(tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text("import sys\nbefore = sys.argv[:]\n", "utf-8")
    probe = "import package\nassert package.before[0] == '-m', package.before\n" + PROBE
    (tmp_path / "package" / "__main__.py").write_text(probe, "utf-8")
    theirs, ours = both(tmp_path, "package", "a", "--b", options=options, PYTHONPATH=str(tmp_path))
    assert (ours.status, ours.stderr) == (theirs.status, theirs.stderr) == (0, "")
    told, expected = (json.loads(ADDRESS.sub("", each.stdout)) for each in (ours, theirs))
    assert [frame for frame in told["stack"] if frame[0] == child.__file__] == [[child.__file__, "<module>"]]
    told["stack"].remove([child.__file__, "<module>"])
    descriptor = set(told["descriptors"]) - set(expected["descriptors"])
    assert len(descriptor) == 1, "the connection to the local Lambda"
    told["descriptors"] = sorted(set(told["descriptors"]) - descriptor)
    told["modules"] = sorted(set(told["modules"]) - (OURS - set(expected["modules"])))
    assert told == expected


def test_an_isolated_interpreter_does_not_search_the_directory(tmp_path: Path) -> None:
    (tmp_path / "this.py").write_text("print('here')", "utf-8")
    theirs, ours = both(tmp_path, "this", options=("-I",))
    assert ours == theirs
    assert ours.stdout.startswith("The Zen of Python")


def test_it_ends_as_with_m(tmp_path: Path) -> None:
    programs = {
        "fine": "print('done')",
        "three": "import sys; sys.exit(3)",
        "said": "import sys; sys.exit('said')",
        "wrong": "1 / 0",
        "half": "def",
        "missing": "import there_is_no_such_module",
        "killed": "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "silent": "import os; os._exit(5)",
    }
    for name, text in programs.items():
        (tmp_path / f"{name}.py").write_text(text + "\n", "utf-8")
    (tmp_path / "folder").mkdir()
    frame = re.compile(rf'  File "{re.escape(child.__file__)}", line \d+, in <module>\n    run\(name\)\n(    [~^]+\n)?')
    for name in [*programs, "folder", "nowhere"]:
        theirs, ours = both(tmp_path, name)
        stderr = frame.sub("", ours.stderr)
        assert (ours.status, ours.stdout, stderr) == theirs, name
        assert len(ours.stderr.splitlines()) <= len(theirs.stderr.splitlines()) + 3, name


MULTIPROCESSING = """
import multiprocessing, os, sys

class Thing:
    pass

def work(thing):
    return type(thing).__module__, sys.argv[1:], os.getpid() != main

main = os.getpid()
if __name__ == "__main__":
    with multiprocessing.get_context(sys.argv[1]).Pool(1) as pool:
        print(pool.apply(work, [Thing()]))
"""


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_processes_of_multiprocessing_find_the_main_module(tmp_path: Path, method: str) -> None:
    if sys.platform == "win32" and method != "spawn":
        pytest.skip("not there")
    (tmp_path / "program.py").write_text(MULTIPROCESSING, "utf-8")
    theirs, ours = both(tmp_path, "program", method)
    assert ours == theirs
    assert ours.status == 0


def test_it_needs_no_local_lambda_and_none_that_answers(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("", "utf-8")
    (tmp_path / "program.py").write_text("import other; print('done')", "utf-8")
    for variables in ({}, {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:1"}):
        assert run([child.__file__, "program"], tmp_path, **variables) == (0, "done\n", "")


@pytest.mark.parametrize("arguments", [(), ("--debug", "127.0.0.1:1"), ("--help",), ("--debug",)])
def test_without_a_module_it_says_what_it_expects(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert run([child.__file__, *arguments], tmp_path) == (1, "", f"{child.USAGE}\n")


def test_a_folder_that_is_gone_is_not_searched(tmp_path: Path) -> None:
    """As with `-m`, which finds the library all the same."""
    gone = tmp_path / "gone"
    gone.mkdir()
    script = (
        "import os, subprocess, sys; os.rmdir(os.getcwd()); sys.exit(subprocess.call([sys.executable, *sys.argv[1:]]))"
    )
    if sys.platform == "win32":
        pytest.skip("there it cannot be removed")
    ended = run(["-c", script, child.__file__, "this"], gone)
    assert (ended.status, ended.stdout[:15]) == (0, "The Zen of Pyth")
