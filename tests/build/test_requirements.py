"""Requirements, and the files of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lambent.build.requirements import Requirement, lines, parsed


@pytest.mark.parametrize(
    ("text", "name", "extras", "within"),
    [
        (" Ruamel.Yaml==1  # more", "ruamel-yaml", set(), set()),
        ("web[Http, ws_2] (>=1,<2)", "web", {"http", "ws-2"}, set()),
        ("web [http] @ https://a/b.whl", "web", {"http"}, set()),
        ("x>=1; python_version > '3' and extra == 'All'", "x", set(), {"all"}),
        ('x; extra == "a" or extra=="b"', "x", set(), {"a", "b"}),
        ("web[]", "web", set(), set()),
        ("x; sys_platform != 'win32' and os_name==\"posix\" and platform_system == 'Linux'", "x", set(), set()),
        ("x; sys_platform == 'win32' or python_version > '3'", "x", set(), set()),
        ("x; python_version < '3.12' and python_full_version < '3.11.4'", "x", set(), set()),
        ("x  # not; for sys_platform", "x", set(), set()),
        ("x==1 --hash=sha256:ab --hash=sha256:cd", "x", set(), set()),
        ("x==1 \\", "x", set(), set()),
        ("x; python_version >= '3.15'", "x", set(), set()),
        ("x; platform_machine == 'aarch64'", "x", set(), set()),
        (
            "x; sys_platform == 'linux' and (extra == 'a' or extra == 'b') and python_version < '3.12'",
            "x",
            set(),
            {"a", "b"},
        ),
    ],
)
def test_a_requirement(text: str, name: str, extras: set[str], within: set[str]) -> None:
    assert parsed(text) == Requirement(name, frozenset(extras), frozenset(within))


@pytest.mark.parametrize("text", ["", "-r base.txt", "--require-hashes", "# none", "./a.whl"])
def test_what_names_no_distribution(text: str) -> None:
    assert parsed(text) is None


@pytest.mark.parametrize(
    "marker",
    [
        "python_version<'3.11'",
        'python_version < "3" and extra == "a"',
        "sys_platform == 'win32'",
        "(os_name=='nt') and extra == 'a'",
        'platform_system != "Linux"',
        "sys_platform == 'win32' or python_version <= '3.10'",
        "extra == 'a' and sys_platform in 'win32 darwin'",
        "platform_machine == 'riscv64'",
    ],
)
def test_what_is_not_for_lambda(marker: str) -> None:
    assert parsed(f"x>=1; {marker}") is None


def test_lines_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("-r b.txt\n-r gone.txt\none\n")
    (tmp_path / "b.txt").write_text("--requirement=a.txt\ntwo\n")
    assert lines(tmp_path / "a.txt", set()) == ["-r b.txt", "-r gone.txt", "one", "--requirement=a.txt", "two"]
