"""What a handler is given beside its event, as AWS's own client makes it."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping

from lambent.dev import identifiers
from lambent.runtime.invocation import LambdaContext


def context(
    *,
    function: str = "my-function",
    timeout: float = 30.0,
    memory: int = 128,
    request_id: str = "",
    trace: str = "",
    region: str = "us-east-1",
    account: str = "123456789012",
    version: str = "$LATEST",
    client_context: Mapping[str, object] | None = None,
    identity: Mapping[str, str] | None = None,
    tenant_id: str = "",
) -> LambdaContext:
    """The context of an invocation that begins now and may take `timeout` seconds. Ids are made up where none is given.

    - `trace`: `Root=…;Parent=…;Sampled=…`
    - `client_context`: as an invoker sends it, `{"client": {…}, "custom": {…}, "env": {…}}`
    - `identity`: of Cognito, `{"cognitoIdentityId": "…", "cognitoIdentityPoolId": "…"}`
    """
    now = time.time()
    headers = {
        "lambda-runtime-aws-request-id": request_id or identifiers.request_id(os.urandom),
        "lambda-runtime-deadline-ms": str(int((now + timeout) * 1000)),
        "lambda-runtime-invoked-function-arn": f"arn:aws:lambda:{region}:{account}:function:{function}",
        "lambda-runtime-trace-id": trace or identifiers.trace("", now, os.urandom),
        "lambda-runtime-aws-tenant-id": tenant_id,
        "lambda-runtime-client-context": json.dumps(client_context) if client_context else "",
        "lambda-runtime-cognito-identity": json.dumps(identity) if identity else "",
    }
    variables = {
        "AWS_LAMBDA_FUNCTION_NAME": function,
        "AWS_LAMBDA_FUNCTION_VERSION": version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{function}",
        "AWS_LAMBDA_LOG_STREAM_NAME": f"{time.strftime('%Y/%m/%d', time.gmtime(now))}/[{version}]{'0' * 32}",
    }
    return LambdaContext(headers, variables, time.time)
