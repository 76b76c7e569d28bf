"""A project as it lies in a folder."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambent.build import image
from lambent.build.errors import BuildError
from lambent.build.model import Dependencies
from lambent.build.project import deployed, read


def lay(folder: Path, *names: str, pyproject: str = "") -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("value = 1\n")
    if pyproject:
        (folder / "pyproject.toml").write_text(pyproject)
    return folder


def sources(folder: Path, handler: str | None = None) -> set[str]:
    found = read(folder, handler).sources
    assert all(path.is_file() for path in found.values())
    return set(found)


# Sources


def test_modules_and_packages_beside_each_other(tmp_path: Path) -> None:
    taken = ["app.py", "shop/__init__.py", "shop/page.html", "shop/deep/data.json", "loose/part.py", "static/a.css"]
    beside = [
        "README.md",
        "setup.py",
        "conftest.py",
        "test_app.py",
        "tests/test_a.py",
        "shop/tests/test_b.py",
        "docs/conf.py",
        "examples/e.py",
        "infra/app.py",
        "images/a.png",
        "dist/old.zip",
        "build/lib/app.py",
        "node_modules/n/a.py",
        "venv/lib/x.py",
        "shop/__pycache__/a.pyc",
        "shop/a.pyc",
        "shop/old.zip",
        "shop/prod.env",
        "shop/.env",
        ".env",
        ".venv/lib/y.py",
        "shop.egg-info/top_level.txt",
        "vendored/x.py",
        "vendored/x-1.dist-info/METADATA",
    ]
    assert sources(lay(tmp_path, *taken, *beside)) == set(taken)
    assert read(tmp_path).passed_over == ("images", "vendored")


def test_a_src_layout(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "src/shop/__init__.py",
        "src/shop/a.html",
        "src/main.py",
        "src/table.csv",
        "noise/a.py",
        "src/tests/t.py",
    )
    assert sources(tmp_path) == {"shop/__init__.py", "shop/a.html", "main.py", "table.csv"}
    assert read(tmp_path).passed_over == ("noise",)


def test_a_package_called_src(tmp_path: Path) -> None:
    assert sources(lay(tmp_path, "src/__init__.py", "src/a.py")) == {"src/__init__.py", "src/a.py"}
    (tmp_path / "src/__init__.py").unlink()
    assert sources(tmp_path, "src.a.handler") == {"src/a.py"}


def test_a_handler_outside_of_src(tmp_path: Path) -> None:
    lay(tmp_path, "src/shop/__init__.py", "app.py")
    assert "app.py" in sources(tmp_path, "app:app")


def test_app_dir(tmp_path: Path) -> None:
    lay(tmp_path, "fn/app.py", "fn/data.json", "other.py", pyproject='[tool.lambent]\napp-dir = "fn"')
    assert sources(tmp_path) == {"app.py", "data.json"}
    (tmp_path / "pyproject.toml").write_text('[tool.lambent]\napp-dir = "gone"')
    with pytest.raises(BuildError, match=r"app-dir of \[tool.lambent\] is gone"):
        read(tmp_path)


def test_the_handlers_folder_is_taken_whatever_it_is_called(tmp_path: Path) -> None:
    lay(tmp_path, "scripts/job.py", "app.py")
    assert sources(tmp_path) == {"app.py"}
    assert sources(tmp_path, "scripts.job.handler") == {"app.py", "scripts/job.py"}


def test_a_virtual_environment_by_its_file(tmp_path: Path) -> None:
    assert sources(lay(tmp_path, "app.py", "py/pyvenv.cfg", "py/lib/a.py")) == {"app.py"}


def test_more_by_include_and_less_by_exclude(tmp_path: Path) -> None:
    lay(
        tmp_path,
        "app.py",
        "pages/a.html",
        "pages/.secret",
        "pages/x/b.psd",
        "shop/__init__.py",
        "shop/big.py",
        "tests/t.py",
    )
    told = '[tool.lambent.build]\ninclude = ["pages/**", "tests/t.py"]\nexclude = ["*.psd", "shop/big.py"]\n'
    (tmp_path / "pyproject.toml").write_text(told)
    assert sources(tmp_path) == {"app.py", "pages/a.html", "shop/__init__.py", "tests/t.py"}


def test_what_a_build_has_made_is_not_taken(tmp_path: Path) -> None:
    """An image's folder holds modules: the next build would hold them twice."""
    for where in ("out/a-image/task/x.py", "a-image/task/x.py"):
        lay(tmp_path, "app.py", where, pyproject=f'{PROJECT}[tool.lambent.build]\ninclude = ["*/**"]\n')
    assert set(read(tmp_path, destination=tmp_path / "out").sources) == {"app.py", "a-image/task/x.py"}
    found = read(tmp_path, destination=tmp_path)
    assert set(found.sources) == {"app.py", "out/a-image/task/x.py"}
    assert found.passed_over == ()


def test_a_project_s_own_folder_may_be_where_builds_are_put(tmp_path: Path) -> None:
    """And a virtual environment, too: what is included is taken all the same."""
    lay(tmp_path, "app.py", "pages/a.html", "pyvenv.cfg", pyproject='[tool.lambent.build]\ninclude = ["pages/**"]')
    assert set(read(tmp_path, destination=tmp_path).sources) == {"app.py", "pages/a.html"}


def locked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it one that only another user may look into. Permissions alone would not stop root."""
    stat, iterdir = os.stat, Path.iterdir

    def stat_outside(path: str | Path, **options: bool) -> os.stat_result:
        if folder in Path(path).parents:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return stat(path, **options)

    def iterdir_outside(path: Path) -> Iterator[Path]:
        if path == folder:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(os, "stat", stat_outside)
    monkeypatch.setattr(Path, "iterdir", iterdir_outside)


def test_a_folder_of_another_user_may_lie_beside_the_modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (lay(tmp_path, "app.py") / "pgdata").mkdir()
    locked(tmp_path / "pgdata", monkeypatch)
    assert sources(tmp_path) == {"app.py"}
    assert read(tmp_path).passed_over == ("pgdata",)


def test_a_folder_that_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (lay(tmp_path, "app.py", pyproject='[tool.lambent.build]\ninclude = ["pgdata"]') / "pgdata").mkdir()
    locked(tmp_path / "pgdata", monkeypatch)
    with pytest.raises(BuildError, match=r"^pgdata cannot be read: Permission denied"):
        read(tmp_path)


def test_a_hidden_file_must_be_named(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", ".keys/a", pyproject='[tool.lambent.build]\ninclude = ["**"]')
    assert sources(tmp_path) == {"app.py", "pyproject.toml"}
    (tmp_path / "pyproject.toml").write_text('[tool.lambent.build]\ninclude = [".keys/*"]')
    assert sources(tmp_path) == {"app.py", ".keys/a"}


def test_what_is_well_known_is_not_hidden(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", "static/.well-known/security.txt", "static/.git/config", "pages/.well-known/a")
    assert sources(tmp_path) == {"app.py", "static/.well-known/security.txt"}
    (tmp_path / "pyproject.toml").write_text('[tool.lambent.build]\ninclude = ["pages/**"]')
    assert sources(tmp_path) == {"app.py", "static/.well-known/security.txt", "pages/.well-known/a"}
    lay(tmp_path, ".well-known/b", ".git/config", pyproject=PROJECT)
    assert sources(tmp_path) == {"app.py", "static/.well-known/security.txt", ".well-known/b"}


def test_what_is_well_known_beside_src_is_named(tmp_path: Path) -> None:
    lay(tmp_path, "src/app.py", ".well-known/a")
    assert sources(tmp_path) == {"app.py"}
    assert read(tmp_path).passed_over == (".well-known",)
    lay(tmp_path, pyproject='[tool.lambent.build]\ninclude = [".well-known"]')
    assert sources(tmp_path) == {"app.py", ".well-known/a"}


def test_a_pattern_that_nothing_matches_is_told(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", "a.txt", pyproject='[tool.lambent.build]\ninclude = ["a.*", "*.csv"]')
    assert read(tmp_path).unmatched == ("*.csv",)


@pytest.mark.parametrize("folder", ["", "src/"])
def test_what_an_earlier_build_made_for_docker_stays_out(tmp_path: Path, folder: str) -> None:
    """Wherever it was put."""
    lay(tmp_path, f"{folder}app.py", f"{folder}shop-image/Dockerfile", f"{folder}shop-image/task/app.py")
    (tmp_path / folder / "shop-image/.dockerignore").write_text(image.ignored())
    assert sources(tmp_path) == {"app.py"}
    (tmp_path / "pyproject.toml").write_text(f'[tool.lambent.build]\ninclude = ["{folder}shop-image/**"]')
    assert sources(tmp_path) == {"app.py"}


def test_what_stays_out_though_it_is_included_is_told_once(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", "out/image/Dockerfile", "out/image/task/app.py")
    (tmp_path / "out/image/.dockerignore").write_text(image.ignored())
    for pattern, unmatched in (("out", ()), ("*", ()), ("out/image", ("out/image",))):
        lay(tmp_path, pyproject=f'[tool.lambent.build]\ninclude = ["{pattern}", "app.*"]')
        found = read(tmp_path)
        assert (found.passed_over, found.unmatched) == ((), unmatched)


def test_what_is_included_from_src_stands_where_src_does(tmp_path: Path) -> None:
    lay(tmp_path, "src/app.py", "pages/a.html", "src/tests/data.json")
    (tmp_path / "pyproject.toml").write_text('[tool.lambent.build]\ninclude = ["pages", "src/tests/*.json"]')
    assert sources(tmp_path) == {"app.py", "pages/a.html", "tests/data.json"}


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../*", "a/../../b", ""])
def test_patterns_do_not_lead_outside(tmp_path: Path, pattern: str) -> None:
    lay(tmp_path, "app.py", pyproject=f'[tool.lambent.build]\ninclude = ["{pattern}"]')
    with pytest.raises(BuildError, match="within the project"):
        read(tmp_path)


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="such patterns are understood")
def test_a_pattern_that_python_does_not_understand_is_told(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", pyproject='[tool.lambent.build]\ninclude = ["config/**.json"]')
    with pytest.raises(BuildError, match=r"^tool\.lambent\.build\.include: 'config/\*\*\.json': .*component\.$"):
        read(tmp_path)


# Links and names


@pytest.mark.parametrize("where", ["app.py", "shop/secret.json", "shop/folder"])
def test_links_that_lead_outside_are_refused(tmp_path: Path, where: str) -> None:
    outside = tmp_path / "outside"
    lay(outside, "inner/secret.json")
    root = lay(tmp_path / "root", "main.py", "shop/__init__.py")
    (root / where).symlink_to(outside if where.endswith("folder") else outside / "inner/secret.json")
    with pytest.raises(BuildError, match=rf"{where} leads out of the project, to {outside}"):
        read(root)


def test_a_link_that_leads_outside_may_lie_where_nothing_is_taken(tmp_path: Path) -> None:
    root = lay(
        tmp_path / "root", "main.py", "shop/__init__.py", pyproject='[tool.lambent.build]\nexclude = ["shop/out"]'
    )
    (root / "shop/out").symlink_to(tmp_path)
    (root / "data").symlink_to(lay(tmp_path / "elsewhere", "table.csv"))
    assert sources(root) == {"main.py", "shop/__init__.py"}


def test_links_within_the_project_are_followed(tmp_path: Path) -> None:
    lay(tmp_path, "shop/__init__.py", "common/a.py")
    (tmp_path / "shop/common").symlink_to("../common")
    (tmp_path / "main.py").symlink_to("common/a.py")
    assert sources(tmp_path) == {"main.py", "common/a.py", "shop/__init__.py", "shop/common/a.py"}


def test_links_to_nothing_and_in_circles(tmp_path: Path) -> None:
    lay(tmp_path, "shop/__init__.py")
    (tmp_path / "shop/gone").symlink_to("nowhere")
    with pytest.raises(BuildError, match="shop/gone is a link to nothing"):
        read(tmp_path)
    (tmp_path / "shop/gone").unlink()
    (tmp_path / "shop/self").symlink_to(".")
    with pytest.raises(BuildError, match="shop/self is a link to a folder that it is in"):
        read(tmp_path)
    (tmp_path / "shop/self").unlink()
    (tmp_path / "shop/loop").symlink_to("loop")
    with pytest.raises(BuildError, match="shop/loop is a link to nothing"):
        read(tmp_path)


@pytest.mark.parametrize("name", [b"a\nb.py", b"a\\b.py", b"a\xff.py", b"a\x7f.py", b"a\x01.py"])
def test_odd_names_are_refused(tmp_path: Path, name: bytes) -> None:
    lay(tmp_path, "app.py", "shop/__init__.py")
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/shop/" + name)).touch()
    except OSError:
        pytest.skip("this file system refuses it, too")
    with pytest.raises(BuildError, match="rename it") as raised:
        read(tmp_path)
    str(raised.value).encode("ascii")


def test_other_names_are_not_odd(tmp_path: Path) -> None:
    assert sources(lay(tmp_path, "app.py", "shop/__init__.py", "shop/größe 1.html")) >= {"shop/größe 1.html"}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    lay(tmp_path, "shop/__init__.py")
    os.mkfifo(tmp_path / "shop/pipe")
    with pytest.raises(BuildError, match="neither a file nor a folder"):
        read(tmp_path)


# Name, handler, dependencies


def test_names(tmp_path: Path) -> None:
    root = lay(tmp_path / "My App!", "app.py")
    assert read(root).name == "my-app"
    lay(root, pyproject='[project]\nname = "Shop_Front.API"')
    assert read(root).name == "shop-front-api"
    lay(root, pyproject='[project]\nname = "../x"')
    with pytest.raises(BuildError, match=r"project\.name"):
        read(root)


def test_the_handler(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", pyproject='[tool.lambent.functions.web]\nhandler = "app:web"')
    assert read(tmp_path).handler == "app:web"
    assert read(tmp_path, "app.other").handler == "app.other"
    with (tmp_path / "pyproject.toml").open("a") as file:
        file.write('\n[tool.lambent.functions.job]\nhandler = "app:job"\n')
    assert not read(tmp_path).handler
    with (tmp_path / "pyproject.toml").open("a") as file:
        file.write('\n[tool.lambent.build]\nhandler = "app:job"\n')
    assert read(tmp_path).handler == "app:job"
    with pytest.raises(BuildError, match="Expected a handler"):
        read(tmp_path, "no handler")


@pytest.mark.parametrize("handler", ["my-app.handler", "get-user/app.handler", "get-user.my-app:N.inner", "a.b.c"])
def test_modules_of_handlers_may_have_hyphens(tmp_path: Path, handler: str) -> None:
    assert read(lay(tmp_path, "app.py"), handler).handler == handler


@pytest.mark.parametrize("handler", ["app:my-handler", "app.my-handler", "-app.handler", "app/handler"])
def test_names_in_a_module_have_none(tmp_path: Path, handler: str) -> None:
    with pytest.raises(BuildError, match="Expected a handler"):
        read(lay(tmp_path, "app.py"), handler)


@pytest.mark.parametrize(
    ("handler", "expected"),
    [("app:app", "app.app"), ("a.b.c", "a.b.c"), ("app:Shop.handler", "app:Shop.handler"), ("", "")],
)
def test_a_handler_as_lambda_is_told_it(handler: str, expected: str) -> None:
    assert deployed(handler) == expected


PROJECT = '[project]\nname = "a"\nversion = "1"\n'


def test_where_dependencies_are_said(tmp_path: Path) -> None:
    lay(tmp_path, "app.py", pyproject=PROJECT)
    assert not read(tmp_path).dependencies.kind
    lay(tmp_path, pyproject=f'{PROJECT}dependencies = ["x"]\n')
    assert read(tmp_path).dependencies.kind == "pyproject.toml"
    lay(tmp_path, "requirements.txt")
    assert read(tmp_path).dependencies.kind == "requirements.txt"
    lay(tmp_path, "uv.lock")
    assert read(tmp_path).dependencies.kind == "uv.lock"
    lay(tmp_path, "more/prod.txt", pyproject=f'{PROJECT}[tool.lambent.build]\nrequirements = "more/prod.txt"')
    assert read(tmp_path).dependencies.path == tmp_path / "more/prod.txt"
    lay(tmp_path, "pylock.prod.toml", pyproject=f'{PROJECT}[tool.lambent.build]\nrequirements = "pylock.prod.toml"')
    assert read(tmp_path).dependencies == Dependencies("pylock.toml", tmp_path / "pylock.prod.toml")


@pytest.mark.parametrize("line", [".", "./", "-e .", "-e.", " --editable=.[dev]  # here", ".[a, b]"])
def test_extras_beside_requirements_that_name_the_project(tmp_path: Path, line: str) -> None:
    told = f'{PROJECT}[project.optional-dependencies]\nsite = ["x"]\n'
    lay(tmp_path, "app.py", pyproject=f'{told}[tool.lambent.build]\nextras = ["site"]')
    (tmp_path / "requirements.txt").write_text(f"y==1\n{line}\n")
    assert read(tmp_path).dependencies == Dependencies("pyproject.toml", tmp_path / "pyproject.toml")
    (tmp_path / "requirements.txt").write_text("y==1\n./parts\n-e ../other\n# .\n")
    assert read(tmp_path).dependencies.kind == "requirements.txt"
    (tmp_path / "requirements.txt").write_text(line)
    lay(tmp_path, pyproject=told)
    assert read(tmp_path).dependencies.kind == "requirements.txt"


def test_the_lock_file_of_a_workspace(tmp_path: Path) -> None:
    """It names its members. A project that it knows as a folder only is none of them."""
    member = lay(tmp_path / "parts/shop", "app.py", pyproject=PROJECT.replace('"a"', '"shop"'))
    other = lay(tmp_path / "lib", "lib.py", pyproject=PROJECT.replace('"a"', '"lib"'))
    (tmp_path / "uv.lock").write_text(
        '[manifest]\nmembers = ["shop"]\n'
        '[[package]]\nname = "shop"\nsource = { virtual = "parts/shop" }\n'
        '[[package]]\nname = "lib"\nsource = { directory = "lib" }\n'
    )
    assert read(member).dependencies == Dependencies("uv.lock", tmp_path / "uv.lock")
    assert not read(other).dependencies.kind
    (tmp_path / "uv.lock").write_text("manifest = 1\npackage = 2\n")
    assert not read(member).dependencies.kind


def test_extras_are_those_of_the_project(tmp_path: Path) -> None:
    told = f'{PROJECT}[project.optional-dependencies]\nWeb_Site = ["x"]\n[tool.lambent.build]\nextras = '
    lay(tmp_path, "app.py", "requirements.txt", pyproject=f'{told}["web-site"]')
    assert read(tmp_path).dependencies.kind == "requirements.txt"
    for more in ("", 'requirements = "requirements.txt"\n'):
        lay(tmp_path, pyproject=f'{told}["none"]\n{more}')
        with pytest.raises(BuildError, match="expected one of Web_Site, but got 'none'"):
            read(tmp_path)
    lay(tmp_path, "pylock.toml", pyproject=f'{told}["web-site"]\nrequirements = "pylock.toml"\n')
    with pytest.raises(BuildError, match=r"expected extras or a lock file, pylock\.toml, but got both"):
        read(tmp_path)


@pytest.mark.parametrize(
    ("names", "pyproject", "words"),
    [
        ([], "", "nothing to build"),
        (["app.py"], "[project", "expected TOML"),
        (["app.py"], '[project]\ndependencies = "x"', "project.dependencies: expected a list of texts"),
        (["app.py"], "tool.lambent.build = 1", r"tool.lambent.build: expected a table"),
        (["app.py"], "[tool.lambent.build]\nexcludes = []", "no key 'excludes'. Expected one of handler, extras"),
        (["app.py"], "[tool.lambent.build]\nwheel = 1", "expected true or false"),
        (["app.py"], "[tool.lambent.build]\narch = 1", "expected a text"),
        (["app.py"], "[tool.lambent.build]\nextras = [1]", "expected a list of texts"),
        (["app.py"], '[tool.lambent.build]\nrequirements = "../r.txt"', "a file within the project"),
        (["app.py", "uv.lock"], "", r"no \[project\]"),
        (["app.py", "Pipfile"], "", "pipenv requirements"),
        (["app.py", "pylock.toml"], "", 'unless it is named: requirements = "pylock.toml" in .tool.lambent.build.'),
        (["app.py"], '[tool.poetry.dependencies]\npython = "3"\nx = "1"', "poetry export"),
    ],
)
def test_nonsense(tmp_path: Path, names: list[str], pyproject: str, words: str) -> None:
    with pytest.raises(BuildError, match=words):
        read(lay(tmp_path, *names, pyproject=pyproject))


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BuildError, match="Expected the folder of a project"):
        read(tmp_path / "gone")
    (tmp_path / "pyproject.toml").write_bytes(b"\xff")
    with pytest.raises(BuildError, match="expected UTF-8"):
        read(tmp_path)
