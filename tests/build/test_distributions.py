"""Distributions in a folder."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lambent.build import distributions
from lambent.build.requirements import parsed
from tests.support import packages


def unpack(folder: Path, *wheels: Path) -> Path:
    for each in wheels:
        zipfile.ZipFile(each).extractall(folder)
    return folder


def test_what_is_needless(tmp_path: Path) -> None:
    wheels = [
        packages.wheel(tmp_path, "boto3", needs=["botocore<2", "s3transfer[crt]>=1"]),
        packages.wheel(tmp_path, "botocore", needs=["urllib3", "Jmes.Path", 'crt; extra == "crt"']),
        packages.wheel(tmp_path, "s3transfer", needs=["botocore"]),
        packages.wheel(tmp_path, "urllib3"),
        packages.wheel(tmp_path, "jmes_path", needs=["deep"]),
        packages.wheel(tmp_path, "deep"),
        packages.wheel(tmp_path, "crt"),
        packages.wheel(tmp_path, "requests", needs=["urllib3"]),
    ]
    found = distributions.found(unpack(tmp_path / "all", *wheels))
    gone = [each.name for each in distributions.needless(found, {"boto3", "other"}, set())]
    assert gone == ["boto3", "botocore", "crt", "deep", "jmes-path", "s3transfer"]
    asked = [each.name for each in distributions.needless(found, {"boto3", "botocore"}, {"jmes-path"})]
    assert asked == ["boto3", "botocore", "crt", "s3transfer"]


def test_what_an_extra_may_need_is_kept(tmp_path: Path) -> None:
    """Which extras were asked for is written nowhere."""
    wheels = [
        packages.wheel(tmp_path, "boto3", needs=["urllib3"]),
        packages.wheel(tmp_path, "urllib3"),
        packages.wheel(tmp_path, "search", needs=['urllib3; extra == "http"']),
    ]
    found = distributions.found(unpack(tmp_path / "all", *wheels))
    assert [each.name for each in distributions.needless(found, {"boto3"}, set())] == ["boto3"]


def test_what_is_needed_by_what_stays_is_held(tmp_path: Path) -> None:
    """With the extras that are asked for, and no others."""
    wheels = [
        packages.wheel(tmp_path, "boto3", needs=["botocore"]),
        packages.wheel(tmp_path, "botocore", needs=["jmespath"]),
        packages.wheel(tmp_path, "jmespath"),
        packages.wheel(tmp_path, "tools", needs=["jmespath", 'boto3; extra == "sdk" or extra == "all"']),
        packages.wheel(tmp_path, "user", needs=['tools[all]; extra == "more"']),
    ]
    found = distributions.found(unpack(tmp_path / "all", *wheels))
    names, together = ("boto3", "botocore", "jmespath", "other"), ("boto3", "botocore")

    def held(*asked: str) -> dict[str, str]:
        return distributions.held(found, names, [each for each in map(parsed, asked) if each], together)

    assert held("boto3", "tools", "user") == {"jmespath": "tools"}
    expected = {"boto3": "tools", "botocore": "boto3", "jmespath": "tools"}
    assert held("tools[SDK, x]") == held("user[more]>=1") == expected
    assert distributions.held(found, ["boto3", "jmespath"], [], together) == {"jmespath": "botocore"}


def test_what_other_systems_need_is_not_held(tmp_path: Path) -> None:
    wheels = [
        packages.wheel(tmp_path, "boto3"),
        packages.wheel(tmp_path, "old", needs=['boto3; sys_platform == "win32"']),
        packages.wheel(tmp_path, "new", needs=['boto3; sys_platform == "linux"']),
    ]
    found = distributions.found(unpack(tmp_path / "all", *wheels))
    assert distributions.held(found, ["boto3"], [], ()) == {"boto3": "new"}
    del found["new"]
    assert distributions.held(found, ["boto3"], [], ()) == {}


def test_removal_leaves_what_others_have(tmp_path: Path) -> None:
    one = packages.wheel(tmp_path, "one", files={"space/one/a.py": b"", "one.py": b""})
    two = packages.wheel(tmp_path, "two", files={"space/two/a.py": b""})
    folder = unpack(tmp_path / "all", one, two)
    record = folder / "one-1.0.dist-info/RECORD"
    outside = tmp_path / "kept.txt"
    outside.touch()
    record.write_text(f"{record.read_text()}../kept.txt,,\n{outside},,\ngone.py,,\n")
    distributions.remove(folder, distributions.found(folder)["one"])
    assert outside.exists()
    assert sorted(each.name for each in folder.iterdir()) == ["space", "two-1.0.dist-info"]
    assert [each.name for each in (folder / "space").iterdir()] == ["two"]
