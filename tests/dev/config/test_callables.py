"""Functions of a project, loaded."""

import inspect
import sys
from pathlib import Path

import pytest

from lambent.dev.config import callables
from lambent.dev.config.callables import importing, load

MODULE = """
import helper
class Inner:
    @staticmethod
    def fn(a): return "inner"
def fn(a): return helper.VALUE
def two(a, b): ...
def keyword(a, *, b): ...
value = 3
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "mod.py").write_text(MODULE)
    (tmp_path / "helper.py").write_text("VALUE = 'first'")
    return tmp_path


@pytest.mark.parametrize("name", ["pkg.mod:fn", "pkg.mod.fn", "pkg/mod.fn"])
def test_all_ways_of_writing_it(project: Path, name: str) -> None:
    with importing(project):
        function = load(name, ("a",))
    assert function(0) == "first"


def test_a_function_is_read_without_its_annotations_being_evaluated(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(callables, "signature_of", lambda function: inspect.signature(lambda a: a))
    with importing(project):
        assert callable(load("pkg.mod:two", ("a",)))


def test_an_attribute_within_another(project: Path) -> None:
    with importing(project):
        assert load("pkg.mod:Inner.fn", ("a",))(0) == "inner"


def test_what_is_loaded_again_is_new_and_nothing_stays_behind(project: Path) -> None:
    path, modules = list(sys.path), set(sys.modules)
    with importing(project):
        before = load("pkg.mod:fn", ("a",))
        assert load("pkg.mod:fn", ("a",)) is before
    (project / "helper.py").write_text("VALUE = 'the second'")
    with importing(project):
        after = load("pkg.mod:fn", ("a",))
    assert (before(0), after(0)) == ("first", "the second")
    assert sys.path == path
    assert {"helper", "pkg.mod"}.isdisjoint(sys.modules)
    assert set(sys.modules) - modules <= {"pkg"}


def test_what_is_installed_below_the_project_stays(project: Path) -> None:
    packages = project / ".venv" / "site-packages"
    packages.mkdir(parents=True)
    (packages / "installed_there.py").write_text("def fn(): ...")
    with importing(project):
        sys.path.insert(0, str(packages))
        load("installed_there:fn", ())
    sys.path.remove(str(packages))
    assert sys.modules.pop("installed_there", None)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("none:fn", "none cannot be imported: ModuleNotFoundError: No module named 'none'"),
        ("pkg.mod:none", "pkg.mod has no none"),
        ("pkg.mod:Inner.none", "pkg.mod has no Inner.none"),
        ("pkg.mod:value", r"expected pkg.mod:value to be a function of \(a\), but it is 3"),
        ("pkg.mod:two", r"called with \(a\), but missing a required argument: 'b'"),
        ("pkg.mod:keyword", r"called with \(a\), but missing a required .*argument: 'b'"),
        ("raises:fn", r"raises cannot be imported: KeyError: 'x' \(.*raises.py:2\)"),
        ("broken:fn", r"SyntaxError: .*broken.py:1\)"),
        ("leaves:fn", "leaves cannot be imported: SystemExit: 3"),
    ],
)
def test_what_cannot_be_loaded_is_told_where_and_why(project: Path, name: str, complaint: str) -> None:
    (project / "raises.py").write_text("\n{}['x']")
    (project / "broken.py").write_text("def")
    (project / "leaves.py").write_text("raise SystemExit(3)")
    path = list(sys.path)
    with pytest.raises(ValueError, match=complaint), importing(project):
        load(name, ("a",))
    assert sys.path == path
