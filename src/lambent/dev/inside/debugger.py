"""Waiting for the client of debugpy, in the function's process."""

from __future__ import annotations

import json
import os
import sys
from _socket import AF_INET, SOCK_STREAM, socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

PATH = "/2018-06-01/runtime/init/error"
INSTALL = "Run: {python} -m pip install debugpy"


def wait(address: str, api: str | None) -> None:
    """Have debugpy listen at `address`, HOST:PORT, and wait until a debugger is there and has set its breakpoints."""
    name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "The function")
    host, _, port = address.rpartition(":")
    try:
        import debugpy  # noqa: T100 - it is what this is for
    except ImportError as error:
        advice = INSTALL.format(python=sys.executable)
        fail(api, f"{name} cannot be debugged: {error}, in its interpreter. {advice}", "Runtime.DebuggerMissing")
    try:
        debugpy.listen((host, int(port)))  # noqa: T100 - see above
    except (RuntimeError, OSError, ValueError) as error:
        advice = "Choose another port, or end what has it."
        fail(api, f"{name} cannot be debugged at {address}: {error}. {advice}", "Runtime.DebuggerFailed")
    say(f"{name} waits for a debugger at {address}.")
    debugpy.wait_for_client()  # noqa: T100 - see above
    say(f"{name}: a debugger is attached.")


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def fail(api: str | None, message: str, error_type: str) -> NoReturn:
    """Init has failed: say so, to the invoker too."""
    if api:
        host, _, port = api.rpartition(":")
        body = json.dumps({"errorMessage": message, "errorType": error_type, "stackTrace": []}).encode()
        head = f"POST {PATH} HTTP/1.1\r\nHost: {api}\r\nConnection: close\r\nContent-Length: {len(body)}\r\n\r\n"
        connection = socket(AF_INET, SOCK_STREAM)
        try:
            connection.settimeout(5)
            connection.connect((host, int(port)))
            connection.sendall(head.encode("ascii") + body)
            while connection.recv(1 << 16):
                pass
        except OSError as error:
            say(f"The local Lambda could not be told: {error}")
        finally:
            connection.close()
    sys.exit(message)
