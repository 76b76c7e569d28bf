"""Where modules are found under AWS_LAMBDA_EXEC_WRAPPER: as AWS's own bootstrap arranges it.

`lambent/exec/wrapper` starts Python with two variables: LAMBENT_EXEC_LIBRARY, the folder that Lambent lies in, which it
has put at the end of PYTHONPATH; and LAMBENT_EXEC_PYTHONPATH, what PYTHONPATH was, if it was set.

Source: /var/runtime/bootstrap.py of AWS's base image for Python 3.11; Lambda Developer Guide, "Working with .zip file
archives for Python Lambda functions", "Runtime search path".
"""

from __future__ import annotations

import os
import site
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import MutableMapping

LIBRARY = "LAMBENT_EXEC_LIBRARY"
_PYTHONPATH = "LAMBENT_EXEC_PYTHONPATH"


def restore(environ: MutableMapping[str, str], layers: str = "/opt/python") -> None:
    """Arrange `sys.path` and PYTHONPATH, and run the .pth files, as if AWS's bootstrap had. Call it once.

    The task root comes first; then, unless the function sets PYTHONPATH, its layers and the runtime's site-packages;
    then AWS's own modules, and what PYTHONPATH names. The folder of Lambent itself is the last one, if it is none of
    these.
    """
    library = os.path.normpath(environ.pop(LIBRARY))
    python_path = environ.pop(_PYTHONPATH, None)
    runtime = environ.get("LAMBDA_RUNTIME_DIR", "")
    roots = [environ.get("LAMBDA_TASK_ROOT") or os.getcwd()]
    own = []
    if python_path is None:
        packages = "lib/python{}.{}/site-packages".format(*sys.version_info)
        roots += [f"{layers}/{packages}", layers]
        own = [f"{sys.prefix}/{packages}"]
    path = [*roots, *own, *filter(None, [runtime]), *_rest(library, python_path or "")]
    sys.path[:] = path if library in path else [*path, library]
    for root in roots:
        site.addsitedir(root)
    _set(environ, runtime if python_path is None else python_path)


def _rest(library: str, python_path: str) -> list[str]:
    """`sys.path` without what `-m` and the wrapper have put there."""
    path = sys.path[0 if sys.flags.safe_path else 1 :]
    if library in path and library not in map(os.path.normpath, python_path.split(os.pathsep)):
        path.remove(library)
    return path


def _set(environ: MutableMapping[str, str], python_path: str) -> None:
    """What processes of the function's own find in PYTHONPATH."""
    if python_path:
        environ["PYTHONPATH"] = python_path
    else:
        environ.pop("PYTHONPATH", None)
