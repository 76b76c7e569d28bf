"""What uv says, in our words. The texts are those of uv 0.13, which test_install.py has it say."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build.explanation import explained
from lambent.build.model import Target

TARGET = Target("3.13", "x86_64", "python3.13")

OTHER_PLATFORM = """\
Using CPython 3.11.7 interpreter at: /usr/bin/python3
error: No solution found when resolving dependencies
  cause: Because mac==2.0 has no wheels with a matching platform tag (e.g., `manylinux_2_34_x86_64`) and only mac==2.0 \
is available, we can conclude that all versions of mac cannot be used.
         And because all versions of top depend on mac and you require top, we can conclude that your requirements are \
unsatisfiable.

hint: Wheels are available for `mac` (v2.0) on the following platform: `macosx_11_0_arm64`
"""
OTHER_PYTHON = """\
error: No solution found when resolving dependencies
  cause: Because oldpy==1.1 has no wheels with a matching Python ABI tag (e.g., `cp313`) and only oldpy==1.1 is \
available, we can conclude that all versions of oldpy cannot be used.

hint: You require CPython 3.13 (`cp313`), but we only found wheels for `oldpy` (v1.1) with the following Python ABI \
tag: `cp39`
"""
SOURCE_ONLY = """\
error: No solution found when resolving dependencies
  cause: Because all versions of pycrypto have no usable wheels and you require pycrypto, we can conclude that your \
requirements are unsatisfiable.

hint: Wheels are required for `pycrypto` because building from source is disabled for all packages \
(i.e., with `--no-build`)
"""
OLDER_SOURCE = """\
error: No solution found when resolving dependencies
  cause: Because pandas<=1.1.5 has no usable wheels and only the following versions of pandas are available:
             pandas<=1.1.5
             pandas>=1.2
         we can conclude that pandas<1.2 cannot be used.
"""
NEWER_PYTHON = """\
error: No solution found when resolving dependencies
  cause: Because the requested Python version (>=3.13) does not satisfy Python>=3.14 and needsnew==1.0 depends on \
Python>=3.14, we can conclude that needsnew==1.0 cannot be used.
"""
NEWER_PYTHON_OF_LINKS = """\
error: No solution found when resolving dependencies
  cause: Because needsnew==1.0 requires Python >=3.14 and only needsnew==1.0 is available, we can conclude that all \
versions of needsnew cannot be used.
"""
UNKNOWN = """\
error: No solution found when resolving dependencies
  cause: Because no-such-thing was not found in the package registry and all versions of wants depend on \
no-such-thing, we can conclude that all versions of wants cannot be used.
"""
CONFLICT = """\
error: No solution found when resolving dependencies
  cause: Because fastapi==0.115.0 depends on starlette>=0.37.2,<0.39.0 and you require fastapi==0.115.0, we can \
conclude that you require starlette>=0.37.2,<0.39.0.
         And because you require starlette>=0.45, we can conclude that your requirements are unsatisfiable.
"""
NO_NETWORK = """\
error: Request failed after 3 retries in 10.0s
  cause: Failed to fetch: https://user:secret@no.such.host.invalid/simple/six/
  cause: error sending request for url (https://user:secret@no.such.host.invalid/simple/six/)
  cause: client error (Connect)
  cause: dns error
  cause: failed to lookup address information: Name or service not known
"""
OFFLINE = """\
error: No solution found when resolving dependencies
  cause: Because six was not found in the cache and you require six, we can conclude that your requirements are \
unsatisfiable.

hint: Packages were unavailable because the network was disabled. When the network is disabled, registry packages may \
only be read from the cache.
"""
FAILED_BUILD = """\
Resolved 1 package in 2ms
   Building srconly==1.5
error: Failed to build `srconly==1.5`
  cause: The build backend returned an error
  cause: Call to `be.get_requires_for_build_wheel` failed (exit status: 1)

         [stderr]
         Traceback (most recent call last):
           File "<string>", line 8, in <module>
             raise RuntimeError("needs a compiler: gcc not found")
         RuntimeError: needs a compiler: gcc not found

hint: Build failures usually indicate a problem with the package or the build environment
"""
FAILED_PROJECT = """\
Building wheel...
Traceback (most recent call last):
  File "/work/bad/be.py", line 1, in <module>
    import missing
ModuleNotFoundError: No module named 'missing'
error: Failed to build `/work/bad`
  cause: The build backend returned an error
"""
HASHES = """\
error: Failed to download `plain==1.0`
  cause: Hash mismatch for `plain==1.0`

         Expected:
           sha256:00
"""
LOCK = "error: Failed to parse `uv.lock`\n  cause: TOML parse error at line 1, column 8\n"
SYNTAX = "error: Failed to parse: `plain=>1`\n  cause: no such comparison operator\n         plain=>1\n"
GIT = """\
error: Failed to download and build `idna @ git+https://git.example/idna@v3.7`
  cause: Git operation failed
  cause: failed to clone into: /root/.cache/uv/git-v2/db/1c03be1e8e246764
  cause: process didn't exit successfully: `/usr/bin/git fetch` (exit status: 128)
         --- stderr
         fatal: unable to access 'https://git.example/idna/': Could not resolve host: git.example
"""
FORBIDDEN = """\
error: Failed to fetch: `https://index.example/simple/six/`
  cause: HTTP status client error (401 Unauthorized) for url (https://index.example/simple/six/)
"""


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (OTHER_PLATFORM, ["mac==2.0, which top needs: there are wheels of 2.0 for macosx_11_0_arm64", "--arch arm64"]),
        (OTHER_PYTHON, ["oldpy==1.1: there are wheels of 1.1 for cp39", "Python 3.13 on x86_64 (python3.13)"]),
        (SOURCE_ONLY, ["pycrypto (any version): its authors offer the source only", "--allow-source pycrypto"]),
        (OLDER_SOURCE, ["pandas<=1.1.5: ", "ask for another version"]),
        (NEWER_PYTHON, ["needsnew==1.0 needs Python >=3.14", "--python (3.11, 3.12, 3.13, 3.14)"]),
        (NEWER_PYTHON_OF_LINKS, ["needsnew==1.0 needs Python >=3.14"]),
        (UNKNOWN, ["does not have:\n  no-such-thing, which wants needs\n", "UV_INDEX"]),
        (CONFLICT, ["contradict each other", "fastapi==0.115.0 depends on starlette", "you require starlette>=0.45."]),
        (NO_NETWORK, ["https://***@no.such.host.invalid/simple/six/", "Name or service not known", "UV_OFFLINE=1"]),
        (OFFLINE, ["uv works offline, and six is not in its cache"]),
        (FAILED_BUILD, ["srconly==1.5 could not be built", "  RuntimeError: needs a compiler: gcc not found\n"]),
        (FAILED_PROJECT, ["/work/bad could not be built", "  ModuleNotFoundError: No module named 'missing'\n"]),
        (HASHES, ["plain==1.0 is not what was locked"]),
        (LOCK, ["uv lock\n", "TOML parse error at line 1"]),
        (SYNTAX, ["cannot be read", "`plain=>1`", "no such comparison operator"]),
        (FORBIDDEN, ["credentials of https://index.example/simple/six/: 401 Unauthorized"]),
        ("error: Distribution not found at: file:///work/part\n", ["file:///work/part would have to be built"]),
        ("error: Building source distributions is disabled\n", ["The project would", "--allow-source NAME"]),
        (
            "error: Building source distributions is disabled, but attempted to build `part`\n",
            ["part would have to be built", "--allow-source part,"],
        ),
        (GIT, ["git could not bring what is asked for: Failed to download and build `idna @ git+https", "\n  fatal: "]),
        ("warning: a\nerror: \x1b[31mquite\x1b[0m new\n", ["quite new"]),
        ("", ["did not say why"]),
    ],
)
def test_what_is_said_is_explained(said: str, words: list[str]) -> None:
    found = explained(said, TARGET)
    for each in words:
        assert each in found
    assert "secret" not in found
    assert "cause:" not in found or "TOML" in found
    assert "unsatisfiable" not in found


def test_another_target_is_no_help_where_there_is_the_source_only() -> None:
    assert "--arch" in explained(OTHER_PLATFORM, TARGET)
    assert "--arch" not in explained(SOURCE_ONLY, TARGET)


def test_the_end_of_a_long_build_is_shown() -> None:
    lines = "".join(f"         line {number}\n" for number in range(100))
    found = explained(f"error: Failed to build `x==1`\n  cause: y\n\n         [stderr]\n{lines}", TARGET)
    assert "line 99" in found
    assert "line 80" not in found


@given(
    st.lists(
        st.sampled_from([*OTHER_PLATFORM.split(), "cause:", "\n", "`", "==", "[stderr]", "hint:", "Failed to build"])
    )
)
def test_any_text_is_explained(words: list[str]) -> None:
    assert explained(" ".join(words), TARGET)
