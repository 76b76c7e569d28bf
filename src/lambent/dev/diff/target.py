"""The results that a target gives, in this process: an application behind Lambent's adapter, a function as it is.

It runs once for each door, in one environment, as Lambda runs a warm one.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lambent.dev import identifiers
from lambent.dev.diff.outcomes import Answer, FunctionFailed
from lambent.dev.doors.model import Fields
from lambent.types import Context

SECONDS = 30
"""That an invocation has, as its context says."""


@contextmanager
def target(name: str, app_dir: Path) -> Iterator[Answer]:
    """`app:app`, imported and started; its lifespan ends with the block. TargetError if it cannot be imported."""
    from lambent.adapter import Lambent
    from lambent.managed import ManagedEnvironment
    from lambent.runtime.target import load

    sys.path.insert(0, str(app_dir))
    try:
        environment = ManagedEnvironment(load(name, Lambent))

        def answer(_door: str, event: Fields) -> bytes | FunctionFailed:
            try:
                result = environment.call(event, context())
                return result if isinstance(result, bytes) else json.dumps(result, ensure_ascii=False).encode()
            except (Exception, SystemExit, asyncio.CancelledError) as error:
                return FunctionFailed(f"the function raised {type(error).__name__}: {error}")

        try:
            yield answer
        finally:
            environment.close()
    finally:
        sys.path.remove(str(app_dir))


def context() -> Context:
    """Of a function called `diff`."""
    from lambent.runtime.invocation import LambdaContext

    headers = {
        "lambda-runtime-aws-request-id": identifiers.request_id(os.urandom),
        "lambda-runtime-deadline-ms": str(int((time.time() + SECONDS) * 1000)),
        "lambda-runtime-invoked-function-arn": "arn:aws:lambda:us-east-1:123456789012:function:diff",
    }
    environ = {"AWS_LAMBDA_FUNCTION_NAME": "diff", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128"}
    return LambdaContext(headers, environ, time.time)
