"""cargo-lambda: a second Lambda service, made by others, whose Function URLs stream.

`cargo lambda watch --only-lambda-apis` has a Runtime API below `/.rt` and a Function URL below `/lambda-url/_/`. It
wants a Rust project to be in, and asks `cargo` about it: both are made up here. Its deadlines lie in 1970, and the
domain name in its events is `localhost`.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support import wheels
from tests.support.counterparts import missing

WHEEL = "cargo-lambda==1.9.2"
"""It depends on a compiler of 400 MB, which nothing here needs."""

MEMBER = "cargo_lambda-1.9.2.data/scripts/cargo-lambda"
MEMBERS = {
    ("Linux", "x86_64"): (MEMBER, "1e1ec19ded407865a1491db3f5e7ef8a1f3b0ac9a78b199e743384ca8916b53b"),
    ("Linux", "aarch64"): (MEMBER, "16b8efd094492ba24dd2b4777cb28937ec946cc6fb63d644aa8bd168102f79b8"),
}

MANIFEST = '[package]\nname = "made-up"\nversion = "0.1.0"\nedition = "2021"\n'


def binary() -> str:
    """The command. Ends the test, or the module that is imported, if there is none."""
    if os.name != "posix":
        missing("cargo-lambda", "it is given a `cargo` that is a shell script")
    return str(wheels.program("cargo-lambda", WHEEL, MEMBERS))


class CargoLambda:
    """The service, running. Whoever tests starts a function, with `address` for its Runtime API; `port` has the URL."""

    def __init__(self, directory: Path) -> None:
        command = binary()
        directory.mkdir()
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}/.rt"
        self._log = directory / "log"
        arguments = [command, "lambda", "watch", "--only-lambda-apis", "-A", "127.0.0.1", "-P", str(self.port)]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                arguments, cwd=directory, env=_project(directory), stdout=log, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> Self:
        while True:
            with contextlib.suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", self.port)):
                return self
            with contextlib.suppress(subprocess.TimeoutExpired):  # the pause between two attempts
                status = self._process.wait(0.005)
                raise AssertionError(f"cargo-lambda ended with {status}:\n{self.log}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()

    @property
    def log(self) -> str:
        return self._log.read_text("utf-8")


def _project(directory: Path) -> dict[str, str]:
    """Make the project up. Returns the environment in which `cargo` says what it wants to hear."""
    manifest = directory / "Cargo.toml"
    manifest.write_text(MANIFEST, "utf-8")
    (directory / "metadata.json").write_text(json.dumps(_metadata(manifest)), "utf-8")
    cargo = directory / "cargo"
    cargo.write_text(f"#!/bin/sh\ncat '{directory}/metadata.json'\n", "utf-8")
    cargo.chmod(0o755)
    return {"PATH": f"{directory}:{os.defpath}", "HOME": str(directory)}


def _metadata(manifest: Path) -> dict[str, object]:
    """What `cargo metadata` says of a project with one program."""
    target = {"name": "made-up", "kind": ["bin"], "crate_types": ["bin"], "src_path": str(manifest.parent / "main.rs")}
    package = {
        "name": "made-up",
        "version": "0.1.0",
        "id": "made-up",
        "dependencies": [],
        "features": {},
        "targets": [{**target, "edition": "2021", "doc": True, "doctest": False, "test": True}],
        "manifest_path": str(manifest),
    }
    return {
        "version": 1,
        "packages": [package],
        "workspace_members": ["made-up"],
        "workspace_root": str(manifest.parent),
        "target_directory": str(manifest.parent / "target"),
        "resolve": None,
        "metadata": None,
    }
