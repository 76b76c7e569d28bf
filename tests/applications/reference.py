"""`python reference.py MODULE FD [FD]`: an application behind uvicorn, on the first socket at the root.

On the second one it is below the root path `/prod`, in a process of its own: forked, so that it imports but once.
"""

import importlib
import os
import sys

import uvicorn

ROOT_PATH = "/prod"


def main(module: str, plain: str, staged: str = "") -> None:
    app = importlib.import_module(module).app
    below = bool(staged) and os.fork() == 0
    uvicorn.run(app, fd=int(staged if below else plain), root_path=ROOT_PATH if below else "", log_level="critical")


if __name__ == "__main__":
    main(*sys.argv[1:])
