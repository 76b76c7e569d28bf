"""What the first request of a plain route has to load."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import asyncio, sys
before = set(sys.modules)
from lambent.api.binding import Plan

async def read_item(item_id: int, q: str | None = None, tags: list[str] = []) -> dict: ...

Plan(read_item, ["item_id"])
print(*sorted(set(sys.modules) - before))
"""


def test_a_plan_of_plain_parameters_loads_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert "lambent.api.binding.plan" in loaded
    assert {each for each in loaded if not each.startswith("lambent")} == {"__future__"}
    assert "lambent.values.convert" not in loaded
