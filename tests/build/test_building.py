"""Builds of a folder that stands for what is installed: tests/integration/test_build.py has real ones."""

from __future__ import annotations

import re
import stat
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from zipfile import ZipFile

import pytest

from lambent.build import building, bytecode, trial
from lambent.build.errors import BuildError
from lambent.build.model import Artefact, Dependencies, Project, Target

MINOR = "{}.{}".format(*sys.version_info)
TAG = MINOR.replace(".", "")
TARGET = Target(MINOR, "x86_64", f"python{MINOR}")
OS_ONLY = Target(MINOR, "x86_64", "provided.al2023")

FILES = {
    "app.py": "import fast\n\ndef handler(event, context):\n    return fast.NAME\n",
    "fast/__init__.py": "NAME = 'fast'\n",
    "fast/tests/test_fast.py": "import fast\n",
    "fast-1.dist-info/METADATA": "Name: fast\n",
    "fast-1.dist-info/RECORD": (
        "fast/__init__.py,,\nfast/tests/test_fast.py,,\nfast-1.dist-info/METADATA,,\nfast-1.dist-info/RECORD,,\n"
    ),
    "lambent/exec/wrapper": "#!/bin/sh\n",
}

Fill = Callable[[Path], None]
Build = Callable[..., Artefact]


def written(files: Mapping[str, str]) -> Fill:
    def fill(folder: Path) -> None:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text, "utf-8")

    return fill


whole = written(FILES)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return Project(tmp_path, "hello", "app:handler", Dependencies("", None), {})


@pytest.fixture
def build(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Build:
    """Build what is written into the folder where uv would install."""

    def build(fill: Fill = whole, target: Target = TARGET, **options: object) -> Artefact:
        def install(_project: Project, _target: Target, folder: Path, _progress: object, **_: object) -> None:
            folder.mkdir()
            fill(folder)

        monkeypatch.setattr("lambent.build.install.install", install)
        where = tmp_path / "out" / "dist"
        return building.build(project, target, where, progress=said.append, **options)  # type: ignore[arg-type]  # as typed

    said: list[str] = []
    return build


def names(path: Path) -> list[str]:
    return ZipFile(path).namelist()


def test_a_zip_holds_what_runs(build: Build, tmp_path: Path) -> None:
    made = build()
    assert made.path == tmp_path / "out" / "dist" / "hello.zip"
    assert names(made.path) == [
        f"__pycache__/app.cpython-{TAG}.pyc",
        "app.py",
        "fast-1.dist-info/METADATA",
        "fast-1.dist-info/RECORD",
        "fast/__init__.py",
        f"fast/__pycache__/__init__.cpython-{TAG}.pyc",
        "lambent/exec/wrapper",
    ]
    assert made.size == made.path.stat().st_size
    assert made.unzipped == sum(member.file_size for member in ZipFile(made.path).infolist())
    assert [name for name, _ in made.parts] == ["app.py", "fast", "(metadata)", "lambent"]
    assert made.notes == ()
    assert b"test_fast" not in ZipFile(made.path).read("fast-1.dist-info/RECORD")


def test_two_builds_are_equal(build: Build) -> None:
    first = build().path.read_bytes()
    assert build().path.read_bytes() == first


def test_without_source_there_is_bytecode_in_its_place(build: Build) -> None:
    made = build(with_source=False)
    assert {"app.pyc", "fast/__init__.pyc"} <= set(names(made.path))
    assert not [name for name in names(made.path) if name.endswith(".py")]
    assert ZipFile(made.path).read("fast-1.dist-info/RECORD").startswith(b"fast-1.dist-info/METADATA,,\n")
    assert made.notes == (), "the handler was imported from the bytecode"


def test_what_cannot_be_compiled_stays_as_source(build: Build) -> None:
    made = build(written({**FILES, "template.py": "{{ a }} = b\n"}), with_source=False)
    assert "template.py" in names(made.path)
    (note,) = made.notes
    assert note.startswith("Not compiled: template.py: ")


def test_a_layer_lies_under_python(build: Build) -> None:
    made = build(layer=True)
    assert made.path.name == "hello-layer.zip"
    assert all(name.startswith("python/") for name in names(made.path))


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
def test_an_image_s_folder_has_all_that_docker_needs(build: Build) -> None:
    made = build(image=True)
    assert made.path.name == "hello-image"
    assert sorted(entry.name for entry in made.path.iterdir()) == [".dockerignore", "Dockerfile", "task"]
    dockerfile = (made.path / "Dockerfile").read_text()
    assert 'CMD ["app.handler"]' in dockerfile
    assert (made.path / "task" / f"__pycache__/app.cpython-{TAG}.pyc").exists()
    for path in [made.path, *made.path.rglob("*")]:
        expected = 0o755 if path.is_dir() or path.name == "wrapper" else 0o644
        if path.parent != made.path or path.is_dir():
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_an_older_image_s_folder_is_replaced(build: Build) -> None:
    build(written({**FILES, "older.py": ""}), image=True)
    made = build(image=True)
    assert not (made.path / "task" / "older.py").exists()
    assert [entry.name for entry in made.path.parent.iterdir()] == ["hello-image"]


def test_an_os_only_image_needs_lambent(build: Build) -> None:
    assert "-m" in (build(target=OS_ONLY, image=True).path / "Dockerfile").read_text()
    with pytest.raises(BuildError, match="Expected lambent among the dependencies"):
        build(written({"app.py": ""}), target=OS_ONLY, image=True)


def test_an_image_runs_a_nested_handler_by_lambent(build: Build, project: Project) -> None:
    nested = written({**FILES, "app.py": "class Shop:\n    def handler(event, context): ...\n"})
    object.__setattr__(project, "handler", "app:Shop.handler")
    made = build(nested, image=True)
    assert 'CMD ["app:Shop.handler"]' in (made.path / "Dockerfile").read_text()
    with pytest.raises(BuildError, match=r"but got app:Shop\.handler, and lambent is not(?s:.*)Give it a name"):
        build(written({"app.py": ""}), image=True)


def test_a_handler_that_cannot_be_imported_is_noted(build: Build) -> None:
    made = build(written({"app.py": "import nowhere\n"}))
    (note,) = made.notes
    expected = "The handler app:handler cannot be imported here: ModuleNotFoundError: No module named 'nowhere'"
    assert note == f'{expected}, File "app.py", line 1, in <module>.'


def test_without_an_interpreter_there_is_a_note(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bytecode, "find_python", lambda *_: None)
    made = build()
    assert "app.py" in names(made.path)
    (note,) = made.notes
    assert f"(uv python install {MINOR})" in note
    with pytest.raises(BuildError, match="without bytecode the source cannot go"):
        build(with_source=False)


def test_a_module_for_another_processor_ends_it(build: Build) -> None:
    def fill(folder: Path) -> None:
        header = bytearray(64)
        header[:6], header[18:20] = b"\x7fELF\x02\x01", (183).to_bytes(2, "little")
        (folder / "fast.so").write_bytes(header)

    with pytest.raises(BuildError, match=r"fast\.so: is for arm64"):
        build(fill)


def test_a_library_for_another_processor_is_noted(build: Build) -> None:
    """A debugger brings those of every system. What Python would import itself ends the build as before."""
    header = bytearray(64)
    header[:6], header[18:20] = b"\x7fELF\x02\x01", (183).to_bytes(2, "little")

    def fill(folder: Path, data: bytes = bytes(header)) -> None:
        whole(folder)
        (folder / "fast" / "attach_arm64.so").write_bytes(data)
        with (folder / "fast-1.dist-info/RECORD").open("a") as record:
            record.write("fast/attach_arm64.so,,\n")

    (note,) = build(fill).notes
    assert "fast/attach_arm64.so: is for arm64" in note
    with pytest.raises(BuildError, match=r"attach_arm64\.so: is for arm64"):
        build(lambda folder: fill(folder, bytes(header) + b"\0PyInit_attach_arm64\0"))


@pytest.mark.skipif(not trial.runs_here(TARGET), reason="handlers are not imported here")
@pytest.mark.parametrize("image", [False, True])
def test_what_a_handler_writes_when_it_is_imported_is_not_in_it(build: Build, image: bool) -> None:
    writing = written({**FILES, "app.py": "open('junk.log', 'w').close()\ndef handler(event, context): ...\n"})
    made = build(writing, image=image)
    found = [path.name for path in made.path.rglob("*")] if image else names(made.path)
    assert not [name for name in found if "junk" in name]
    (note,) = made.notes
    assert note.startswith("To import app:handler made junk.log")


@pytest.mark.skipif(not trial.runs_here(TARGET), reason="handlers are not imported here")
@pytest.mark.parametrize("image", [False, True])
def test_what_a_handler_changes_when_it_is_imported_is_as_it_was(build: Build, image: bool) -> None:
    source = "import os\nopen('a.txt', 'a').write('more')\nos.mkdir('junk')\ndef handler(event, context): ...\n"
    made = build(written({**FILES, "app.py": source, "a.txt": "as it was"}), image=image)
    assert made.notes == ()
    if image:
        assert (made.path / "task" / "a.txt").read_text() == "as it was"
        assert not (made.path / "task" / "junk").exists()
    else:
        assert ZipFile(made.path).read("a.txt") == b"as it was"


# What cannot be built


def link_outside(folder: Path) -> None:
    (folder / "link").symlink_to("/etc")


def name_with_line_end(folder: Path) -> None:
    (folder / "a\nb.py").write_text("")


def three_hundred_megabytes(folder: Path) -> None:
    with (folder / "model.bin").open("wb") as file:
        file.truncate(300 * 1024 * 1024)


def interrupted(folder: Path) -> None:
    (folder / "app.py").write_text("")
    raise KeyboardInterrupt


BAD: Sequence[tuple[Fill, type[BaseException], str]] = [
    (link_outside, BuildError, "leads out of it, to '/etc'"),
    (name_with_line_end, BuildError, "has a control character"),
    (three_hundred_megabytes, BuildError, "it is 300.0 MB. The largest parts: model.bin (300.0 MB)"),
    (interrupted, KeyboardInterrupt, ""),
]


@pytest.mark.skipif(sys.platform == "win32", reason="links and names of POSIX")
@pytest.mark.parametrize(("fill", "error", "words"), BAD)
def test_nothing_is_left_behind(
    build: Build, tmp_path: Path, fill: Fill, error: type[BaseException], words: str
) -> None:
    with pytest.raises(error, match=re.escape(words) or "^$"):
        build(fill)
    assert not (tmp_path / "out").exists()

    older = build().path.read_bytes()
    with pytest.raises(error):
        build(fill)
    (left,) = (tmp_path / "out" / "dist").iterdir()
    assert left.read_bytes() == older


def test_what_is_too_large_for_a_zip_may_be_an_image(build: Build) -> None:
    assert build(three_hundred_megabytes, image=True).unzipped == 300 * 1024 * 1024


def test_a_place_that_is_a_file_is_told(build: Build, tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file")
    with pytest.raises(BuildError, match=r"out.*: Not a directory|out.*: File exists"):
        build()
    assert (tmp_path / "out").read_text() == "a file"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"layer": True, "image": True}, "a layer or an image, but got both"),
        ({"target": OS_ONLY, "boto": False}, r"provided\.al2023 does not"),
    ],
)
def test_contradictions_are_told(build: Build, options: dict[str, object], words: str) -> None:
    with pytest.raises(BuildError, match=words):
        build(**options)
