"""Which files of code are told of, and what the telling does not do to the process."""

from __future__ import annotations

import importlib.machinery
import os
import shutil
import sys
import time
from pathlib import Path

import pytest

from lambent.dev.inside import recorder
from lambent.dev.inside.recorder import Recorder
from tests.dev.inside.told import Ended, Listener, Post, start


def program(directory: Path, text: str, **modules: str) -> None:
    for name, code in {**modules, "program": text}.items():
        path = directory / f"{name.replace('__in__', '/')}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(code, "utf-8")


def told(directory: Path, text: str, until: str = "last.py", **modules: str) -> tuple[Ended, list[str]]:
    """What a program printed, and the names of the files that it told of up to one of them."""
    program(directory, text, last="", **modules)
    with Listener() as listener:
        ended = start(listener.address, "program", directory)
        return ended, listener.names(until)


def test_the_application_s_files_are_told_of_once_and_in_order(tmp_path: Path) -> None:
    text = """
import json, pip, namespace.inner, package, importlib
importlib.reload(package)
import last
"""
    modules = {"namespace__in__inner": "", "package__in____init__": "from package import part", "package__in__part": ""}
    ended, names = told(tmp_path, text, **modules)
    assert ended == (0, "", "")
    assert names == ["program.py", "inner.py", "__init__.py", "part.py", "last.py"]


def test_paths_are_absolute_and_as_the_file_system_has_them(tmp_path: Path) -> None:
    folder = tmp_path / "späte Früchte"
    folder.mkdir()
    (folder / "last.py").write_text("", "utf-8")
    program(tmp_path, "import sys; sys.path.insert(0, 'späte Früchte'); import last")
    with Listener() as listener:
        assert start(listener.address, "program", tmp_path).status == 0
        listener.names("last.py")
        assert listener.paths[-1] == str(folder / "last.py")
        assert {post.path for post in listener.posts} == {"/_lambent/imported"}
        assert len({post.connection for post in listener.posts}) == 1


def test_files_that_fail_are_told_of_and_their_tracebacks_are_the_same(tmp_path: Path) -> None:
    text = """
import traceback
for name in ("half", "wrong", "nowhere", "through"):
    try:
        __import__(name)
    except BaseException:
        traceback.print_exc()
import last
"""
    modules = {"half": "def", "wrong": "1 / 0", "through": "import deeper", "deeper": "import half"}
    ended, names = told(tmp_path, text, **modules)
    assert names == ["program.py", "half.py", "wrong.py", "through.py", "deeper.py", "last.py"]
    assert "recorder" not in ended.stderr
    assert "importlib" not in ended.stderr
    assert ended.stderr.count("SyntaxError") == 2


def test_whoever_finds_a_file_it_is_told_of(tmp_path: Path) -> None:
    """As the finders of editable installs do, and programs that load their plug-ins by path."""
    text = """
import importlib.abc, importlib.util, os, pkgutil, runpy, sys

class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == "mapped":
            return importlib.util.spec_from_file_location(name, os.path.abspath("elsewhere/mapped.py"))

sys.meta_path.insert(0, Finder())
import mapped
spec = importlib.util.spec_from_file_location("plug-in", "elsewhere/plug_in.py")
spec.loader.exec_module(importlib.util.module_from_spec(spec))
runpy.run_module("run")
importlib.util.find_spec("only_found")
list(pkgutil.iter_modules(["."]))
import last
"""
    modules = {"elsewhere__in__mapped": "", "elsewhere__in__plug_in": "", "run": "", "only_found": ""}
    _, names = told(tmp_path, text, **modules)
    assert names == ["program.py", "mapped.py", "plug_in.py", "run.py", "last.py"]


def extension() -> Path:
    """An extension module of the library that nothing has imported."""
    suffix = importlib.machinery.EXTENSION_SUFFIXES[0]
    folders = [Path(path) for path in sys.path if path.endswith("lib-dynload")]
    for path in sorted(each for folder in folders for each in folder.glob(f"_test*{suffix}")):
        return path
    pytest.skip("the library has its extensions built in")


def test_extension_modules_are_told_of_too(tmp_path: Path) -> None:
    path = extension()
    name = path.name.partition(".")[0]
    shutil.copy(path, tmp_path)
    (tmp_path / f"broken{importlib.machinery.EXTENSION_SUFFIXES[0]}").write_text("no library", "utf-8")
    text = f"""
import traceback
import {name}
try:
    import broken
except ImportError:
    traceback.print_exc()
import last
"""
    ended, names = told(tmp_path, text)
    assert names == ["program.py", path.name, f"broken{importlib.machinery.EXTENSION_SUFFIXES[0]}", "last.py"]
    assert ended.status == 0
    assert ended.stderr.count("  File ") == 1


def test_the_import_system_looks_as_it_did(tmp_path: Path) -> None:
    text = """
import importlib, importlib.metadata, inspect, sys
from importlib.machinery import ExtensionFileLoader, PathFinder, SourceFileLoader
assert PathFinder in sys.meta_path
assert SourceFileLoader.path_stats.__qualname__ == "SourceFileLoader.path_stats"
assert SourceFileLoader.path_stats.__doc__ == "Return the metadata for the path."
assert ExtensionFileLoader.create_module.__qualname__ == "ExtensionFileLoader.create_module"
assert importlib.metadata.version("pip")
importlib.invalidate_caches()
assert not [name for name in sys.modules if name.startswith("lambent")]
import last
"""
    assert told(tmp_path, text)[0] == (0, "", "")


# The connection


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is none")
def test_a_fork_tells_by_itself(tmp_path: Path) -> None:
    text = """
import os
import first
if os.fork() == 0:
    import of_the_child
    os._exit(0)
os.wait()
import last
"""
    program(tmp_path, text, first="", of_the_child="", last="")
    with Listener() as listener:
        assert start(listener.address, "program", tmp_path) == (0, "", "")
        listener.names("last.py")
        listener.names("of_the_child.py")
        connections = {Path(post.body.decode()).name: post.connection for post in listener.posts}
    assert connections["first.py"] == connections["last.py"] != connections["of_the_child.py"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is none")
def test_a_fork_in_the_middle_of_telling_does_not_wait_for_ever(tmp_path: Path) -> None:
    """Threads import all the time, so that some fork finds the lock taken."""
    modules = {f"of_threads__in__m{number}": "" for number in range(400)}
    modules |= {f"of_forks__in__m{number}": "" for number in range(40)}
    text = """
import importlib, os, threading
def load():
    for number in range(400):
        importlib.import_module(f"of_threads.m{number}")
threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
for number in range(40):
    pid = os.fork()
    if pid == 0:
        importlib.import_module(f"of_forks.m{number}")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
for thread in threads:
    thread.join()
import last
"""
    program(tmp_path, text, **modules, last="")
    with Listener() as listener:
        ended = start(listener.address, "program", tmp_path, "-W", "ignore::DeprecationWarning")
        assert ended == (0, "", "")
        names = listener.names("last.py")
        for number in range(40):
            listener.names(f"of_forks{os.sep}m{number}.py")
    assert sum("of_threads" in path for path in listener.paths) == 400
    assert len(names) == len(set(listener.paths))


@pytest.mark.skipif(sys.platform == "win32", reason="sockets have no descriptors there")
def test_descriptors_that_are_closed_and_given_to_others_are_left_alone(tmp_path: Path) -> None:
    text = """
import os, socket
import first
os.closerange(3, 256)
files = [os.open(f"file{number}", os.O_CREAT | os.O_RDWR) for number in range(8)]
import second
os.closerange(3, 256)
ours, theirs = socket.socketpair()
pairs = [ours, theirs, *socket.socketpair(), *socket.socketpair()]
import third
for each in pairs:
    each.setblocking(False)
    try:
        assert False, each.recv(100)
    except BlockingIOError:
        pass
for each in pairs:
    each.send(b"x")
for each in pairs:
    each.close()
assert [os.path.getsize(f"file{number}") for number in range(8)] == [0] * 8
import last
"""
    program(tmp_path, text, first="", second="", third="", last="")
    with Listener() as listener:
        assert start(listener.address, "program", tmp_path) == (0, "", "")
        for name in ("program", "first", "second", "third", "last"):  # over three connections
            listener.names(f"{name}.py")
        assert len(listener.paths) == 5


def test_answers_do_not_pile_up(tmp_path: Path) -> None:
    """16 MB of them, more than sockets hold: then the local Lambda would wait for somebody to read them."""
    modules = {f"m__in__m{number}": "" for number in range(2000)}
    text = """
import importlib, os, time
for number in range(2000):
    importlib.import_module(f"m.m{number}")
import last
while not os.path.exists("heard"):
    time.sleep(0.01)
"""
    program(tmp_path, text, **modules, last="")

    def answer(post: Post) -> tuple[int, bytes]:
        if post.body.endswith(b"last.py"):
            (tmp_path / "heard").touch()
        return 202, bytes(1 << 13)

    with Listener(answer) as listener:
        assert start(listener.address, "program", tmp_path) == (0, "", "")
        assert len(listener.names("last.py")) == 2002


def test_a_connection_that_is_hung_up_is_opened_again(tmp_path: Path) -> None:
    text = """
import first, time
time.sleep(0.3)  # the end of the connection comes while nothing is told
import last
"""
    program(tmp_path, text, first="", last="")
    with Listener(lambda _: None) as listener:
        assert start(listener.address, "program", tmp_path) == (0, "", "")
        listener.names("last.py")


@pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")
def test_a_local_lambda_that_is_gone_is_nothing_to_the_program(tmp_path: Path) -> None:
    text = """
import os, signal
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
import first
import last
print("done")
"""
    program(tmp_path, text, first="", last="")
    assert start("127.0.0.1:1", "program", tmp_path) == (0, "done\n", "")


# Whose files they are


def test_bytecode_of_what_was_just_changed_is_not_trusted(tmp_path: Path) -> None:
    """It says `second 1700000000, 10 bytes` of both."""
    module, text = tmp_path / "module.py", "import module; print(module.text)"
    (tmp_path / "last.py").write_text("", "utf-8")

    def printed(source: str, text: str, modified: float) -> str:
        module.write_text(source, "utf-8")
        os.utime(module, (modified, modified))
        program(tmp_path, f"{text}; import last")
        with Listener() as listener:
            ended = start(listener.address, "program", tmp_path, PYTHONDONTWRITEBYTECODE="")
            listener.names("last.py")
        return ended.stdout.strip()

    now = int(time.time()) + 60.0  # so that it is recent for as long as this takes
    assert [printed(f"text = '{each}'", text, now) for each in "abc"] == ["a", "b", "c"]
    assert not list(tmp_path.rglob("module*.pyc"))
    assert printed("text = 'd'", text, now - 120) == "d"
    assert list(tmp_path.rglob("module*.pyc"))
    (cached,) = tmp_path.rglob("module*.pyc")
    before = cached.stat().st_mtime_ns
    assert printed("text = 'd'", text, now - 120) == "d"
    assert cached.stat().st_mtime_ns == before


def files(*paths: str, own: str = "/lambent/dev/inside") -> list[str]:
    lines: list[bytes] = []
    noting = Recorder(lines.append, own)
    for path in paths:
        noting.note(path)
    return [line.decode() for line in lines]


@pytest.mark.skipif(sys.platform == "win32", reason="paths of Unix")
def test_what_is_installed_is_not_the_application_s() -> None:
    (library,) = recorder.library()
    theirs = [
        f"{library}/json/__init__.py",
        "/project/.venv/lib/python3.11/site-packages/fastapi/__init__.py",
        "/usr/lib/python3/dist-packages/yaml/__init__.py",
        "/lambent/dev/inside/prompts.py",
        "/project/new\nline.py",
    ]
    ours = ["/project/app.py", f"{sys.prefix}/src/app.py", f"{library}-mine/app.py", "/site-packages.py"]
    assert files(*theirs, *ours, *ours) == ours
