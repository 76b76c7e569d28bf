"""ministack, an emulator of AWS from the package index, and the environment of a program that uses it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from tests.dev.local import gone
from tests.integration.newcomer import free_port, tool, variables
from tests.integration.terminal import Terminal

LOCAL = "127.0.0.1"
REGION = "eu-west-1"


@contextmanager
def ministack(folder: Path, secret_key: str) -> Iterator[str]:
    """Its host and port. Meanwhile the environment has credentials and nothing else of AWS."""
    port = free_port()
    seen = variables(folder, BIND_HOST=LOCAL, GATEWAY_PORT=str(port), TMPDIR=str(folder))
    with Terminal(folder, seen) as terminal, pytest.MonkeyPatch.context() as patch:
        environ(patch, secret_key)
        job = terminal.start(f"'{tool('ministack')}'")
        assert job.wait_for(re.compile(f"Running on http://{LOCAL}:{port}")), job.output
        yield f"{LOCAL}:{port}"
        end_workers(job.pid)
        job.press_ctrl_c()


def end_workers(emulator: int) -> None:
    """The processes that run functions: it does not wait for them when it ends."""
    workers = psutil.Process(emulator).children(recursive=True)
    for worker in workers:
        with suppress(psutil.NoSuchProcess):
            worker.kill()
    assert gone(workers)


def environ(patch: pytest.MonkeyPatch, secret_key: str) -> None:
    """Credentials of nobody, and no settings of whoever runs the tests."""
    for name in ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_REGION"):
        patch.delenv(name, raising=False)
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL_DYNAMODB"):
        patch.delenv(name, raising=False)
    patch.setenv("AWS_ACCESS_KEY_ID", "test")
    patch.setenv("AWS_SECRET_ACCESS_KEY", secret_key)
