"""What an import adds to a cold start: whole processes, fresh for every figure, with all bytecode compiled."""

from __future__ import annotations

import sys
from functools import partial
from statistics import median

from bench.measure import Effort, Usage, clean_environ, ratio, run, take_turns
from bench.table import Table, named

AIM = 1.05
AIM_OF_EVENTS = 1.1
BASE = "import asyncio"
STATEMENTS = (
    BASE,
    "import lambent",
    "from lambent import Lambent",
    "from lambent import Connections",
    "from lambent import Events",
    "import mangum",
    "import lynara",
    "import lambent.runtime.lifecycle",
    "import awslambdaric.bootstrap",
    "from aws_lambda_powertools.utilities.batch import AsyncBatchProcessor",
    "pass",
)
PEERS = ("mangum", "lynara", "awslambdaric", "aws-lambda-powertools")

# -P and -s: neither the working directory nor the user's own packages are looked through.
PYTHON = (sys.executable, "-P", "-s", "-c")

# After the first import, which compiles: is there something that could not be kept?
COMPILED = """
import os, sys
specs = [getattr(module, "__spec__", None) for module in list(sys.modules.values())]
missing = [spec.name for spec in specs if spec and spec.cached and not os.path.exists(spec.cached)]
sys.exit(f"No compiled bytecode of {missing}." if missing else 0)
"""


def measure(effort: Effort) -> Table:
    environ = clean_environ()
    for statement in STATEMENTS:
        run((*PYTHON, statement + COMPILED), environ)
    turns = [partial(run, (*PYTHON, statement), environ) for statement in STATEMENTS]
    usages = dict(zip(STATEMENTS, take_turns(turns, effort.import_rounds), strict=True))
    return Table(
        f"imports: a whole process, ms, and x `{BASE}` (aim: Lambent <= {AIM}, Events <= {AIM_OF_EVENTS})",
        ("", "processor", f"x {BASE}", "wall", f"x {BASE}"),
        [_row(statement, usages[statement], usages[BASE]) for statement in STATEMENTS],
        (f"{', '.join(map(named, PEERS))}; {effort.import_rounds} processes each.",),
    )


def _row(statement: str, usages: list[Usage], base: list[Usage]) -> list[str]:
    row = [statement]
    for kind in ("processor", "wall"):
        figures = [getattr(usage, kind) * 1e3 for usage in usages]
        row += [f"{median(figures):.1f}", str(ratio(figures, [getattr(usage, kind) * 1e3 for usage in base]))]
    return row
