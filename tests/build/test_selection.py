"""What goes into an artefact, and what does not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build import selection


def installed(files: Mapping[str, str], own: Mapping[str, str] | None = None) -> dict[str, bytes]:
    """A folder that one distribution has been installed into, and the project's `own` files."""
    lines = "".join(f"{name},,\n" for name in [*files, "d-1.dist-info/RECORD"])
    return {name: text.encode() for name, text in {**files, **(own or {}), "d-1.dist-info/RECORD": lines}.items()}


def left_out(files: Mapping[str, bytes]) -> set[str]:
    return set(files) - selection.select(files.keys(), files.__getitem__)


@pytest.mark.parametrize(
    "name",
    [
        "a/__pycache__/b.cpython-313.pyc",
        "a/b.pyc",
        "a/b.pyi",
        "a/b.pyx",
        "a/__init__.pxd",
        "a/tests/__init__.py",
        "a/lib/test/data/table.csv",
        "tests/test_a.py",
        "d-1.dist-info/INSTALLER",
        "d-1.dist-info/REQUESTED",
        "d-1.dist-info/direct_url.json",
        ".lock",
    ],
)
def test_what_nothing_reads_is_left_out(name: str) -> None:
    files = installed({"a/__init__.py": "", "a/b.py": "", name: ""})
    assert left_out(files) == {name}


@pytest.mark.parametrize(
    "name",
    [
        "a/py.typed",
        "a/testing/__init__.py",
        "a/test.py",
        "a/tests.py",
        "a/include/a.h",
        "a/kernel.c",
        "a/_core.cpython-313-x86_64-linux-gnu.so",
        "a.libs/libz.so.1",
        "d-1.dist-info/METADATA",
        "d-1.dist-info/entry_points.txt",
        "d-1.dist-info/licenses/LICENSE",
        "d.pth",
        "bin/program",
    ],
)
def test_what_may_be_read_stays(name: str) -> None:
    assert left_out(installed({"a/__init__.py": "", name: "\x7fELF"})) == set()


def test_what_the_project_brings_itself_stays() -> None:
    """It was chosen when the project was read; but for bytecode and caches, which are of this machine."""
    files = ("tests/test_app.py", "bin/run.sh", "stubs/a.pyi", "app.py")
    caches = ("__pycache__/app.cpython-312.pyc", ".pytest_cache/README.md")
    assert left_out(installed({"a/b.py": ""}, dict.fromkeys((*files, *caches), "#!/bin/sh\n"))) == set(caches)


def test_scripts_of_distributions_name_this_machine_and_are_left_out() -> None:
    files = installed({"bin/fastapi": "#!/home/me/venv/bin/python\n", "a.py": ""})
    assert left_out(files) == {"bin/fastapi"}


def test_stubs_stay_for_a_loader_that_reads_them() -> None:
    assert left_out(installed({"lazy_loader/__init__.py": "", "skimage/__init__.pyi": ""})) == set()


def test_the_source_of_an_extension_is_left_out_beside_it() -> None:
    files = installed({"a/fast.c": "", "a/fast.cpython-313-x86_64-linux-gnu.so": "", "a/other.c": ""})
    assert left_out(files) == {"a/fast.c"}


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("a/core.py", "from a.test import Client\n"),
        ("a/core.py", "from .test import Client\n"),
        ("a/core.py", "from . import base, test as tests\n"),
        ("a/core.py", "from . import (\n    base,  # first\n    test,\n)\n"),
        ("a/sub/core.py", "def f():\n    from ..test.client import Client\n"),
        ("a/core.py", "import os, a.test.client\n"),
        ("a/core.py", "RUNNER = 'a.test.Runner'\n"),
        ("a/core.py", "from a import test\n"),
        ("app.py", "from a.test import Client\n"),
    ],
)
def test_tests_that_others_import_stay(name: str, source: str) -> None:
    """django.test is one such folder: commands of Django import it."""
    needed = {"a/__init__.py": "", "a/test/__init__.py": "", "a/test/client.py": ""}
    assert left_out(installed({**needed, "a/b/tests/test_b.py": "", name: source})) == {"a/b/tests/test_b.py"}


@pytest.mark.parametrize(
    "source",
    [
        "from .testing import a\n",
        "from a.tested import b\n",
        "import doctest\n",
        "# from a.test import b\n",
        "test = 1\n",
    ],
)
def test_what_only_looks_like_it_keeps_no_tests(source: str) -> None:
    assert left_out(installed({"a/core.py": source, "a/test/client.py": ""})) == {"a/test/client.py"}


def test_tests_that_import_one_another_do_not_keep_themselves() -> None:
    files = {"a/__init__.py": "", "a/tests/__init__.py": "", "a/tests/test_a.py": "from a.tests import b\n"}
    assert left_out(installed(files)) == {"a/tests/__init__.py", "a/tests/test_a.py"}


DEVELOPMENT = {"lambent/dev/server.py": "", "lambent/testing/__init__.py": "", "lambent/__main__.py": ""}


def test_of_lambent_only_what_runs_on_lambda_goes_in() -> None:
    files = installed({"lambent/runtime/__main__.py": "", "lambent/devices.py": "", **DEVELOPMENT})
    assert left_out(files) == set(DEVELOPMENT)


def test_what_an_application_imports_of_it_stays() -> None:
    files = installed(DEVELOPMENT, {"app.py": "from lambent import Lambent, testing\n"})
    assert left_out(files) == set()


def test_a_record_names_what_is_there() -> None:
    record = 'b.py,sha256=x,1\na.py,sha256=y,2\nbin/a,sha256=z,3\n"d,e.py",,\nd-1.dist-info/RECORD,,\n'
    names = {"a.pyc", "b.py", "d,e.py", "d-1.dist-info/RECORD"}
    made = selection.records(names, lambda _: record.encode())
    expected = 'a.pyc,,\nb.py,sha256=x,1\n"d,e.py",,\nd-1.dist-info/RECORD,,\n'
    assert made == {"d-1.dist-info/RECORD": expected.encode()}


def test_sizes_are_of_packages() -> None:
    files = {"a/b.py": 1, "a/__pycache__/b.pyc": 2, "c.py": 9, "__pycache__/c.cpython-313.pyc": 2}
    files |= {"d-1.dist-info/METADATA": 4, "e-2.dist-info/x": 1}
    assert selection.sizes(files) == (("c.py", 11), ("(metadata)", 5), ("a", 3))


PARTS = st.sampled_from(["a", "tests", "test", "__pycache__", "b.py", "c.pyi", "d-1.dist-info", "RECORD", "x.so"])
NAMES = st.lists(PARTS, min_size=1, max_size=4).map("/".join)
SOURCES = st.text(alphabet="from imptes.,() \n#\"'", max_size=40) | st.binary(max_size=20).map(
    lambda b: b.decode("latin-1")
)


@given(st.dictionaries(NAMES, SOURCES, max_size=12))
def test_no_folder_is_too_odd(texts: dict[str, str]) -> None:
    """What is chosen is of what was there, and to choose again changes nothing."""
    files = {name: text.encode() for name, text in texts.items()}
    chosen = selection.select(files.keys(), files.__getitem__)
    assert chosen <= files.keys()
    again = {name: files[name] for name in chosen}
    again |= selection.records(again.keys(), files.__getitem__)
    assert selection.select(chosen, again.__getitem__) == chosen
