"""`python -m lambent.runtime app:app`: where the runtime and the adapter, which do not know each other, are joined.

The same command serves HTTP where there is an endpoint for it: on Lambda Web Functions, which set
AWS_LAMBDA_HTTP_ENDPOINT, and off Lambda, where only PORT is set.
"""

from __future__ import annotations

import os
import sys

from lambent.errors import ConfigurationError, PlatformError
from lambent.runtime import collector

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.types import ASGIApp, Handler


def adapt(app: ASGIApp) -> Handler:
    """A bare ASGI application, as `Lambent` runs it by default."""
    from lambent import Lambent

    return Lambent(app)


def main() -> None:
    """Run what the argument names, as the environment wants it, and exit."""
    environ = os.environ
    collector.pause()
    if "LAMBENT_PROCESSES" in environ and "AWS_LAMBDA_MAX_CONCURRENCY" in environ:
        from lambent.runtime import processes

        processes.run(environ)  # if this is their parent it exits, before anything is loaded or taken from `environ`
    if "LAMBENT_EXEC_LIBRARY" in environ:  # started by lambent/exec/wrapper
        from lambent.runtime import search_path

        search_path.restore(environ)
    if environ.get("AWS_LAMBDA_HTTP_ENDPOINT") or (environ.get("PORT") and not environ.get("AWS_LAMBDA_RUNTIME_API")):
        from lambent.runtime.server import serve as run
    else:
        from lambent.runtime.lifecycle import live as run
    if len(sys.argv) > 2:
        sys.exit("Expected at most one argument: python -m lambent.runtime app:app")
    try:
        status = run(sys.argv[1] if len(sys.argv) == 2 else None, environ, adapt)
    except (ConfigurationError, PlatformError) as error:
        sys.exit(str(error))
    sys.exit(status)


main()
