"""What the runtimes run."""

from __future__ import annotations

from typing import Any

from bench.apps import bare
from lambent import Lambent

handler = Lambent(bare)


def echo(event: Any, _context: object) -> Any:
    return event
