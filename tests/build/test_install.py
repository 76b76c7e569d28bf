"""A folder as Lambda is to see it. uv runs here, on distributions made for each test: no network."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from lambent.build import uv
from lambent.build.errors import BuildError
from lambent.build.install import asks, install
from lambent.build.model import Target
from lambent.build.project import read
from lambent.build.trial import PROVIDED
from tests.support import packages
from tests.support.counterparts import missing

if importlib.util.find_spec("uv") is None and shutil.which("uv") is None:
    missing("uv", "it is not installed")

X86 = Target("3.13", "x86_64", "python3.13")
ARM = Target("3.13", "arm64", "python3.13")
PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\n'


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is all that pip, and so uv, has, with a Lambent in it that nothing else is of."""
    folder = tmp_path / "index"
    packages.wheel(folder, "lambent", "9.9", files={"lambent/__init__.py": b""})
    packages.wheel(folder, "plain")
    for name in (*os.environ,):
        if name.startswith(("PIP_", "UV_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return folder


def project(folder: Path, pyproject: str = PROJECT, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "app.py").write_text("value = 1\n")
    (folder / "pyproject.toml").write_text(pyproject)
    for name, text in files.items():
        (folder / name.replace("__", "/").replace("_txt", ".txt")).write_text(text)
    return folder


def built(
    folder: Path, target: Target = X86, *, without: Sequence[str] = (), allow: Sequence[str] = ()
) -> tuple[set[str], list[str]]:
    """The names at the top of what is installed from a project, and what was told meanwhile."""
    told: list[str] = []
    where = Path("out")  # relative: uv runs elsewhere
    shutil.rmtree(where, ignore_errors=True)
    install(read(folder), target, where, told.append, lambent="lambent==9.9", without=without, allow_source=allow)
    return {each.name for each in where.iterdir() if not each.name.endswith(".dist-info")} - {".lock", "bin"}, told


def test_of_pyproject(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "web", needs=["plain"])
    extras = '[project.optional-dependencies]\nsite = ["web"]\n[tool.lambent.build]\nextras = ["site"]\n'
    folder = project(tmp_path / "shop", f"{PROJECT}dependencies = []\n{extras}")
    found, told = built(folder)
    assert found == {"app.py", "web", "plain", "lambent"}
    assert "Installing the dependencies that pyproject.toml names, for Python 3.13 on x86_64 (python3.13)" in told
    assert "Installed 2 packages" in "\n".join(told)
    assert not list(Path("out").rglob("*.pyc"))


def test_wheels_are_those_of_the_target(tmp_path: Path, index: Path) -> None:
    for machine in ("x86_64", "aarch64"):
        for version, glibc in (("1.0", "2_34"), ("2.0", "2_39")):
            tag = f"cp313-cp313-manylinux_{glibc}_{machine}"
            packages.wheel(index, "fast", version, tag=tag, files={f"fast-{machine}-{version}": b""})
    packages.wheel(index, "windows_only")
    needed = "fast\nwindows-only; sys_platform == 'win32'\nplain; platform_machine == 'aarch64'\n"
    folder = project(tmp_path / "shop", requirements_txt=needed)
    assert built(folder)[0] == {"app.py", "lambent", "fast-x86_64-1.0"}
    assert built(folder, ARM)[0] == {"app.py", "lambent", "plain", "fast-aarch64-1.0"}


def test_of_a_lock_file(tmp_path: Path, index: Path) -> None:
    folder = project(
        tmp_path / "shop",
        f'{PROJECT}dependencies = ["plain", "part"]\n[tool.uv.sources]\npart = {{ path = "part" }}\n'
        '[tool.lambent.build]\nexclude = ["part"]\n',
    )
    part(folder / "part")
    lock(folder, index)
    packages.wheel(index, "plain", "2.0", files={"plain-2.0": b""})
    found, told = built(folder)
    assert found == {"app.py", "lambent", "plain", "part"}
    assert "Reading uv.lock" in told


def part(folder: Path, name: str = "part") -> None:
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text(f'{packages.BACKEND}[project]\nname = "{name}"\nversion = "1.0"\n')
    (folder / "backend.py").write_text(packages.backend(name))


def test_of_a_workspace(tmp_path: Path, index: Path) -> None:
    """Its lock file is that of all members; what it says of folders is relative to it."""
    whole = tmp_path / "whole"
    part(whole / "parts/part")
    sources = "dependencies = ['plain', 'part']\n[tool.uv.sources]\npart = { workspace = true }\n"
    folder = project(whole / "parts/shop", f"{PROJECT}{sources}")
    (whole / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["parts/*"]\n')
    lock(folder, index)
    packages.wheel(index, "plain", "2.0", files={"plain-2.0": b""})
    found, told = built(folder)
    assert found == {"app.py", "lambent", "plain", "part"}
    assert "Reading uv.lock" in told


def test_groups_are_for_a_laptop(tmp_path: Path, index: Path) -> None:
    """Also those that uv takes of itself."""
    packages.wheel(index, "linter")
    groups = '[dependency-groups]\nlint = ["linter"]\n[tool.uv]\ndefault-groups = ["lint"]\n'
    folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["plain"]\n{groups}')
    lock(folder, index)
    assert built(folder)[0] == {"app.py", "lambent", "plain"}


EDITABLE = b'{"url": "file:///work/part", "dir_info": {"editable": true}}'


def test_what_is_editable_here_is_not_there(tmp_path: Path, index: Path) -> None:
    part(tmp_path / "part")
    sources = '[tool.uv.sources]\npart = { path = "../part", editable = true }\n'
    folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["part"]\n{sources}')
    assert built(folder, allow=["part"])[0] == {"app.py", "lambent", "part"}
    packages.wheel(index, "part", files={"part-1.0.dist-info/direct_url.json": EDITABLE})
    other = project(tmp_path / "other", requirements_txt="part\n")
    with pytest.raises(BuildError, match="part is a link to a folder of this machine"):  # as by an older uv
        built(other)


def lock(folder: Path, index: Path) -> None:
    command = [str(uv.find()), "lock", "--quiet", "--python", sys.executable, "--no-index", "--find-links", str(index)]
    subprocess.run(command, cwd=folder, check=True)


def test_extras_come_on_top_of_pins(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "web", needs=["plain"])
    packages.wheel(index, "plain", "2.0", files={"plain-2.0": b""})
    extras = '[project.optional-dependencies]\nsite = ["web"]\n[tool.lambent.build]\nextras = ["site"]\n'
    folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["plain"]\n{extras}', requirements_txt="plain==1.0\n")
    assert built(folder)[0] == {"app.py", "lambent", "web", "plain"}
    (folder / "requirements.txt").rename(folder / "prod.txt")
    (folder / "pyproject.toml").write_text(f'{PROJECT}dependencies = ["plain"]\n{extras}requirements = "prod.txt"\n')
    assert built(folder)[0] == {"app.py", "lambent", "web", "plain"}


def digest(wheel: Path) -> str:
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


def test_where_hashes_are_required(tmp_path: Path, index: Path) -> None:
    """Ours has one, too."""
    own = packages.wheel(tmp_path / "o wn", "lambent", "10", files={"lambent/new.py": b""})
    plain = packages.wheel(index, "plain")
    pinned = f"plain==1.0 --hash=sha256:{digest(plain)}\n"
    folder = project(tmp_path / "shop", requirements_txt=f"--require-hashes\n{pinned}")
    install(read(folder), X86, tmp_path / "out", print, lambent=own)
    assert (tmp_path / "out/lambent/new.py").exists()
    project(folder, "[tool.uv.pip]\nrequire-hashes = true\n", requirements_txt=pinned)
    install(read(folder), X86, tmp_path / "other", print, lambent=own)
    assert (tmp_path / "other/lambent/new.py").exists()


@pytest.mark.parametrize("locked", ["plain", "lambent"])
def test_of_a_lock_file_of_pep_751(tmp_path: Path, index: Path, locked: str) -> None:
    """Which has the last word on Lambent."""
    own = packages.wheel(tmp_path / "own", "lambent", "10", files={"lambent/new.py": b""})
    wheel = next(index.glob(f"{locked}-*.whl"))
    folder = project(tmp_path / "shop", f'{PROJECT}[tool.lambent.build]\nrequirements = "pylock.toml"\n')
    (folder / "pylock.toml").write_text(
        f'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "{locked}"\n'
        f'version = "{wheel.name.split("-")[1]}"\n'
        f'wheels = [{{ path = "{wheel.as_posix()}", hashes = {{ sha256 = "{digest(wheel)}" }} }}]\n'
    )
    install(read(folder), X86, tmp_path / "out", print, lambent=own)
    assert (tmp_path / "out" / locked / "__init__.py").exists()
    assert (tmp_path / "out/lambent/new.py").exists() is (locked == "plain")


def test_dependencies_that_only_the_backend_knows(tmp_path: Path, index: Path) -> None:
    folder = project(tmp_path / "shop", f'{packages.BACKEND}{PROJECT}dynamic = ["dependencies"]\n')
    with pytest.raises(BuildError, match=r"only the build backend knows them(?s:.*)uv lock$"):
        built(folder)


def test_a_project_that_needs_nothing(tmp_path: Path, index: Path) -> None:
    assert built(project(tmp_path / "shop"))[0] == {"app.py", "lambent"}
    project(tmp_path / "shop", f"{PROJECT}[tool.lambent.build]\nlambent = false\n")
    assert built(tmp_path / "shop")[0] == {"app.py"}


def test_a_lambent_that_is_named(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "lambent", "9.8", files={"lambent/old.py": b""})
    folder = project(tmp_path / "shop", requirements_txt="lambent==9.8\n")
    built(folder)
    assert Path("out/lambent/old.py").exists()


def test_a_wheel_of_lambent(tmp_path: Path, index: Path) -> None:
    wheel = packages.wheel(tmp_path / "own", "lambent", "10", files={"lambent/new.py": b""})
    folder = project(tmp_path / "shop", requirements_txt="lambent>=9\nplain\n")
    install(read(folder), X86, tmp_path / "out", print, lambent=wheel)
    assert (tmp_path / "out/lambent/new.py").exists()
    with pytest.raises(BuildError, match=r"no file gone\.whl"):
        install(read(folder), X86, tmp_path / "out", print, lambent="gone.whl")


@pytest.mark.parametrize("direct", [True, False])
def test_a_place_of_lambent_s_own_is_seen_wherever_it_is_said(tmp_path: Path, index: Path, direct: bool) -> None:
    own = packages.wheel(tmp_path / "own", "lambent", "10", files={"lambent/new.py": b""})
    said = f"lambent @ {own.as_uri()}"
    if direct:
        folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["{said}"]\n')
    else:
        folder = project(tmp_path / "shop", requirements_txt="-r base.txt\n", base_txt=f"{said}\n")
    other = packages.wheel(tmp_path / "other", "lambent", "11")
    install(read(folder), X86, tmp_path / "out", print, lambent=other)
    assert (tmp_path / "out/lambent/new.py").exists()


def test_a_module_of_the_project_is_not_hidden_by_a_dependency(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "markup")
    packages.wheel(index, "fast", files={"fast.cpython-313-x86_64-linux-gnu.so": b"", "faster.abi3.so": b""})
    packages.wheel(index, "acme", files={"acme/core.py": b"", "acme/data/a.txt": b""})
    folder = project(tmp_path / "shop", requirements_txt="markup\nfast\nacme\nplain\n")
    for name in ("markup.py", "fast.py", "acme/web.py", "acme/data.py", "plain/__init__.py"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("")
    found, told = built(folder)
    assert found == {"app.py", "lambent", "markup.py", "fast.py", "faster.abi3.so", "acme", "plain"}
    assert {each.name for each in Path("out/acme").iterdir()} == {"core.py", "web.py", "data", "data.py"}
    said = "Leaving out markup/, fast.cpython-313-x86_64-linux-gnu.so of the dependencies"
    assert f"{said}: modules of shop have these names" in told


def test_a_module_that_is_called_as_lambent_is_refused(tmp_path: Path, index: Path) -> None:
    folder = project(tmp_path / "shop")
    (folder / "lambent.py").write_text("")
    with pytest.raises(BuildError, match=r"lambent\.py has the name of Lambent(?s:.*)rename it"):
        built(folder)


def test_what_stays_needs_is_not_left_out(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "botocore", needs=["jmespath"])
    packages.wheel(index, "s3transfer", needs=["botocore"])
    packages.wheel(index, "boto3", needs=["botocore", "s3transfer"])
    packages.wheel(index, "jmespath")
    packages.wheel(index, "aio", needs=["botocore<2"])
    folder = project(tmp_path / "shop", requirements_txt="boto3\naio\n")
    found, told = built(folder, without=PROVIDED)
    assert found == {"app.py", "lambent", "aio", "boto3", "botocore", "jmespath", "s3transfer"}
    assert "botocore stays: aio needs it" in told
    assert "boto3 stays: it goes with botocore" in told


def test_what_extras_of_extras_need_is_not_left_out(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "boto3")
    packages.wheel(index, "smart", needs=['boto3; extra == "s3"'])
    optional = 'all = ["Shop[Cloud_All]", "shop[all, gone]"]\ncloud-all = ["smart[s3]"]\nother = ["none"]\n'
    extras = f'[project.optional-dependencies]\n{optional}[tool.lambent.build]\nextras = ["all"]\n'
    folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["boto3"]\n{extras}')
    assert asks(read(folder), ["all"]) == ["boto3", "Shop[Cloud_All]", "shop[all, gone]", "smart[s3]"]
    (folder / "pyproject.toml").write_text((folder / "pyproject.toml").read_text().replace(", gone", ""))
    found, told = built(folder, without=PROVIDED)
    assert found == {"app.py", "lambent", "boto3", "smart"}
    assert "boto3 stays: smart needs it" in told


def test_left_out_on_request(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "boto3", needs=["botocore"])
    packages.wheel(index, "botocore", needs=["plain"])
    packages.wheel(index, "other")
    folder = project(tmp_path / "shop", f'{PROJECT}dependencies = ["boto3", "other"]\n')
    found, told = built(folder, without=["boto3"])
    assert found == {"app.py", "lambent", "other"}
    assert "Leaving out boto3, botocore, plain: the runtime has them" in told


def test_what_is_asked_for_is_not_left_out(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "boto3", needs=["plain"])
    folder = project(tmp_path / "shop", requirements_txt="boto3\nplain\n")
    assert built(folder, without=["boto3"])[0] == {"app.py", "lambent", "plain"}
    extras = '[project.optional-dependencies]\nsite = ["plain"]\n[tool.lambent.build]\nextras = ["site"]\n'
    folder = project(tmp_path / "other", f'{PROJECT}dependencies = ["boto3"]\n{extras}')
    assert built(folder, without=["boto3"])[0] == {"app.py", "lambent", "plain"}


def test_what_a_file_takes_along_is_asked_for_too(tmp_path: Path, index: Path) -> None:
    packages.wheel(index, "boto3", needs=["plain", "other", "third"])
    packages.wheel(index, "other")
    packages.wheel(index, "third")
    (tmp_path / "shop" / "parts").mkdir(parents=True)
    (tmp_path / "shop" / "parts" / "more.txt").write_text("other\n")
    base = "  plain\n--requirement=parts/more.txt\n"
    folder = project(tmp_path / "shop", requirements_txt="-r base.txt  # ours\nboto3\n", base_txt=base)
    assert built(folder, without=["boto3"])[0] == {"app.py", "lambent", "plain", "other"}


def test_files_that_take_each_other_along_are_read_once(tmp_path: Path) -> None:
    folder = project(tmp_path, requirements_txt="-r base.txt\n-r gone.txt\n", base_txt="-r requirements.txt\nplain\n")
    assert asks(read(folder), ()) == ["-r base.txt", "-r gone.txt", "-r requirements.txt", "plain"]


def test_a_project_that_is_built(tmp_path: Path, index: Path) -> None:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "pyproject.toml").write_text(f"{packages.BACKEND}{PROJECT}[tool.lambent.build]\nwheel = true\n")
    (folder / "backend.py").write_text(packages.backend("shop", "1"))
    assert built(folder)[0] == {"shop", "lambent"}
    assert Path("out/shop-1.dist-info/METADATA").exists()
    (folder / "backend.py").write_text("import not_there_at_build_time\n")
    with pytest.raises(BuildError, match="No module named 'not_there_at_build_time'"):
        built(folder)


def test_source_is_built_only_if_it_is_allowed(tmp_path: Path, index: Path) -> None:
    packages.source(index, "srconly", "1.5", backend=packages.backend("srconly", "1.5"))
    folder = project(tmp_path / "shop", requirements_txt="srconly\n")
    with pytest.raises(
        BuildError, match=r"srconly==1.5: its authors offer the source only\n.*(?s:.*)--allow-source srconly"
    ):
        built(folder)
    assert built(folder, allow=["srconly"])[0] == {"app.py", "lambent", "srconly"}
    project(folder, f'{PROJECT}[tool.lambent.build]\nallow-source = ["srconly"]\n')
    assert built(folder)[0] == {"app.py", "lambent", "srconly"}
    packages.source(index, "srconly", "1.6", backend="raise RuntimeError('no compiler here')")
    with pytest.raises(BuildError, match=r"srconly==1.6 could not be built(?s:.*)RuntimeError: no compiler here"):
        built(folder)


@pytest.mark.parametrize(
    ("needed", "words"),
    [
        ("top", "mac==2.0, which top needs: there are wheels of 2.0 for macosx_11_0_arm64"),
        ("nowhere-at-all", "does not have:\n  nowhere-at-all"),
        ("plain>=2", "only plain==1.0 is available and you require plain>=2."),
        ("newer", "newer==1.0 needs Python >=3.14"),
        ("plain=>1", "no such comparison operator"),
        ("-e .", "requirements.txt:1: -e . is a link"),
        (f"plain==1.0 --hash=sha256:{'0' * 64}", "plain==1.0 is not what was locked"),
        ("-r gone.txt", "gone.txt"),
    ],
)
def test_what_is_in_the_way(tmp_path: Path, index: Path, needed: str, words: str) -> None:
    packages.wheel(index, "mac", "2.0", tag="cp313-cp313-macosx_11_0_arm64")
    packages.wheel(index, "top", needs=["mac"])
    packages.wheel(index, "newer", python=">=3.14")
    with pytest.raises(BuildError) as raised:
        built(project(tmp_path / "shop", requirements_txt=f"{needed}\n"))
    assert words in str(raised.value)


def test_no_network(tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = project(tmp_path / "shop", requirements_txt="plain\n")
    monkeypatch.delenv("PIP_NO_INDEX")
    monkeypatch.delenv("PIP_FIND_LINKS")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    with pytest.raises(BuildError, match=r"could not be reached: http://127.0.0.1:9/simple/plain/"):
        built(folder)
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(BuildError, match="uv works offline, and plain is not in its cache"):
        built(folder)
