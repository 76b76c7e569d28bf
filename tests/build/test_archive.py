"""A folder into a zip."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build import archive
from lambent.build.errors import BuildError

EARLIEST = (1980, 1, 1, 0, 0, 0)

posix = pytest.mark.skipif(sys.platform == "win32", reason="it is about links, permissions and names of POSIX")


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name, "utf-8")
    return folder


def zipped(folder: Path, path: Path, prefix: str = "") -> bytes:
    archive.write(archive.members(archive.walk(folder), prefix), path, EARLIEST)
    return path.read_bytes()


def test_the_same_content_makes_the_same_bytes(tmp_path: Path) -> None:
    """In whatever order it was written, whenever, by whomever."""
    names = ("b.py", "a/x.py", "a.py", "é.py", "a/data.bin")
    one, other = fill(tmp_path / "one", *names), fill(tmp_path / "other", *reversed(names))
    os.utime(one / "b.py", (0, 0))
    (one / "a.py").chmod(0o600)
    assert zipped(one, tmp_path / "1.zip") == zipped(other, tmp_path / "2.zip")


def test_what_each_member_is(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", "b.py", "a/x.py", "bootstrap", "lambent/exec/wrapper", "é")
    zipped(folder, tmp_path / "a.zip")
    with ZipFile(tmp_path / "a.zip") as opened:
        found = opened.infolist()
        assert opened.read("a/x.py") == b"a/x.py"
    assert [member.filename for member in found] == ["a/x.py", "b.py", "bootstrap", "lambent/exec/wrapper", "é"]
    assert [oct(member.external_attr >> 16) for member in found] == [
        *("0o100644", "0o100644"),
        *("0o100755", "0o100755"),
        "0o100644",
    ]
    assert {(m.date_time, m.extra, m.compress_type, m.create_system) for m in found} == {
        (EARLIEST, b"", ZIP_DEFLATED, 3)
    }


def test_a_layer_lies_below_a_folder(tmp_path: Path) -> None:
    zipped(fill(tmp_path / "in", "lambent/exec/wrapper"), tmp_path / "a.zip", "python/")
    (member,) = ZipFile(tmp_path / "a.zip").infolist()
    assert member.filename == "python/lambent/exec/wrapper"
    assert member.external_attr >> 16 & 0o111


@posix
def test_what_is_executable_stays_so(tmp_path: Path) -> None:
    (fill(tmp_path / "in", "run.sh") / "run.sh").chmod(0o700)
    (member,) = archive.members(archive.walk(tmp_path / "in"))
    assert member.executable


@posix
def test_unzip_takes_it(tmp_path: Path) -> None:
    """Python's zipfile is not the only reader; this one restores permissions."""
    zipped(fill(tmp_path / "in", "bootstrap", "a/é.py"), tmp_path / "a.zip")
    code = "import sys, zipfile; sys.exit(zipfile.ZipFile(sys.argv[1]).testzip() is not None)"
    subprocess.run([sys.executable, "-c", code, tmp_path / "a.zip"], check=True)


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_text("there")
    with pytest.raises(FileExistsError):
        zipped(fill(tmp_path / "in", "a.py"), tmp_path / "a.zip")


# Links


@posix
def test_links_inside_are_followed(tmp_path: Path) -> None:
    folder = fill(tmp_path / "in", "lib/real.so.1", "pkg/a.py")
    (folder / "lib" / "real.so").symlink_to("real.so.1")
    (folder / "other").symlink_to("pkg")
    found = archive.walk(folder)
    assert set(found) == {"lib/real.so", "lib/real.so.1", "other/a.py", "pkg/a.py"}
    assert found["lib/real.so"].read_text("utf-8") == "lib/real.so.1"


@posix
@pytest.mark.parametrize(
    ("aim", "words"),
    [
        ("../secret", "leads out of it, to '../secret'"),
        ("/etc/hostname", "leads out of it, to '/etc/hostname'"),
        ("..", "leads out of it, to '..'"),
        ("missing", "leads nowhere: to 'missing'"),
        ("link", "leads nowhere: to 'link'"),
        (".", "is a link to a folder that it lies in"),
    ],
)
def test_other_links_are_refused(tmp_path: Path, aim: str, words: str) -> None:
    fill(tmp_path, "secret")
    folder = fill(tmp_path / "in", "a.py")
    (folder / "link").symlink_to(aim)
    with pytest.raises(BuildError) as raised:
        archive.walk(folder)
    assert words in str(raised.value)


@posix
def test_a_link_to_a_folder_beside_with_the_same_beginning_is_outside(tmp_path: Path) -> None:
    fill(tmp_path / "in-other", "a.py")
    folder = fill(tmp_path / "in", "a.py")
    (folder / "link").symlink_to("../in-other/a.py")
    with pytest.raises(BuildError, match="leads out of it"):
        archive.walk(folder)


# Names


@posix
@pytest.mark.parametrize(
    ("name", "words"),
    [
        (b"a\nb.py", "has a control character"),
        (b"a\x1b[31m.py", "has a control character"),
        (b"a\\b.py", "backslash"),
        (b"caf\xe9.py", "not UTF-8"),
        ("a\u202eyp.py".encode(), "has a control character"),
    ],
)
def test_odd_names_are_refused(tmp_path: Path, name: bytes, words: str) -> None:
    try:
        Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name)).write_text("")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(BuildError) as raised:
        archive.walk(tmp_path)
    assert words in str(raised.value)
    assert str(raised.value).isprintable()


@pytest.mark.parametrize("name", ["ü é.txt", "at 10.00\u202fAM.png", "\N{MAN}\u200d\N{WOMAN}.png", "\xad\xa0\u3000"])
def test_other_names_are_kept(tmp_path: Path, name: str) -> None:
    """Spaces of any width, and what joins characters: laptops make such names by themselves."""
    (tmp_path / name).write_text("")
    assert list(archive.walk(tmp_path)) == [name]


@posix
def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(BuildError, match="'pipe' is neither"):
        archive.walk(tmp_path)


@given(st.text(max_size=300))
def test_a_name_that_is_not_odd_can_be_kept_in_a_zip(name: str) -> None:
    if not archive.odd(name):
        assert name.encode("utf-8").decode("utf-8") == name
        assert not set(name) & set("\\\0\n\r")


# Times


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [
        (None, EARLIEST),
        ("", EARLIEST),
        ("0", EARLIEST),
        ("1735689600", (2025, 1, 1, 0, 0, 0)),
        ("99999999999", (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_the_time_is_fixed(epoch: str | None, expected: tuple[int, ...]) -> None:
    assert archive.moment({} if epoch is None else {"SOURCE_DATE_EPOCH": epoch}) == expected


@pytest.mark.parametrize("epoch", ["tomorrow", "-1", "1.5", "٣", "9" * 40])
def test_an_epoch_that_is_none_is_told(epoch: str) -> None:
    with pytest.raises(BuildError, match="SOURCE_DATE_EPOCH"):
        archive.moment({"SOURCE_DATE_EPOCH": epoch})


def test_a_mode_is_of_a_file(tmp_path: Path) -> None:
    zipped(fill(tmp_path / "in", "a.py"), tmp_path / "a.zip")
    (member,) = ZipFile(tmp_path / "a.zip").infolist()
    assert stat.S_ISREG(member.external_attr >> 16)
