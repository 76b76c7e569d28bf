"""The files from which `docker build` alone makes an image: all that is to be in it lies beside them, bytecode too."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lambent.build.model import Target

PLATFORMS = {"x86_64": "linux/amd64", "arm64": "linux/arm64"}
"""As Docker names them."""
TASK = "task"
"""The folder of the context whose content becomes /var/task."""


def dockerfile(target: Target, handler: str, *, lambent: bool) -> str:
    """Of AWS's image for a managed runtime; of python:X-slim for an OS-only one.

    - `handler`: `app.handler`; empty if nobody has said it
    - `lambent`: whether Lambent is in it, whose runtime then runs it
    """
    name = json.dumps([handler or "app.handler"])
    said = "" if handler else "# Nobody has said what the handler is called: name it here.\n"
    platform = f"--platform={PLATFORMS[target.architecture]}"
    if target.runtime.startswith("provided"):
        return (
            f"FROM {platform} python:{target.python}-slim\n\n"
            f"WORKDIR /var/task\nCOPY {TASK}/ ./\n\n"
            f'ENTRYPOINT ["python", "-m", "lambent.runtime"]\n{said}CMD {name}\n'
        )
    wrapper = "ENV AWS_LAMBDA_EXEC_WRAPPER=/var/task/lambent/exec/wrapper\n" if lambent else ""
    return (
        f"FROM {platform} public.ecr.aws/lambda/python:{target.python}\n\n"
        f"COPY {TASK}/ /var/task/\n\n{wrapper}{said}CMD {name}\n"
    )


def ignored() -> str:
    """`.dockerignore`: nothing but what is copied."""
    return f"*\n!{TASK}\n"
