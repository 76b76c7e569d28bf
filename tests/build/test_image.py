"""Dockerfiles."""

from __future__ import annotations

import pytest

from lambent.build.image import dockerfile, ignored
from lambent.build.model import Target

MANAGED = Target("3.13", "arm64", "python3.13")
OS_ONLY = Target("3.12", "x86_64", "provided.al2023")


def instructions(text: str) -> list[str]:
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def test_aws_s_image_starts_lambent_s_runtime() -> None:
    assert instructions(dockerfile(MANAGED, "app.handler", lambent=True)) == [
        "FROM --platform=linux/arm64 public.ecr.aws/lambda/python:3.13",
        "COPY task/ /var/task/",
        "ENV AWS_LAMBDA_EXEC_WRAPPER=/var/task/lambent/exec/wrapper",
        'CMD ["app.handler"]',
    ]


def test_without_lambent_aws_s_runtime_runs_it() -> None:
    assert "WRAPPER" not in dockerfile(MANAGED, "app.handler", lambent=False)


def test_an_os_only_target_is_any_image_with_that_python() -> None:
    assert instructions(dockerfile(OS_ONLY, "app.handler", lambent=True)) == [
        "FROM --platform=linux/amd64 python:3.12-slim",
        "WORKDIR /var/task",
        "COPY task/ ./",
        'ENTRYPOINT ["python", "-m", "lambent.runtime"]',
        'CMD ["app.handler"]',
    ]


@pytest.mark.parametrize("target", [MANAGED, OS_ONLY])
def test_a_handler_that_nobody_named_is_asked_for(target: Target) -> None:
    lines = dockerfile(target, "", lambent=True).splitlines()
    assert lines[-2:] == ["# Nobody has said what the handler is called: name it here.", 'CMD ["app.handler"]']


@pytest.mark.parametrize("target", [MANAGED, OS_ONLY])
def test_nothing_is_run_while_it_is_built(target: Target) -> None:
    """So it can be built for another processor without emulation, and with no network but for the base."""
    assert not any(line.startswith("RUN") for line in dockerfile(target, "app.handler", lambent=True).splitlines())
    assert ignored() == "*\n!task\n"
