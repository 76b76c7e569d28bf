"""Lambent: Python's async web applications on AWS Lambda, and Lambda on a laptop.

from lambent import Lambent

handler = Lambent(app)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.adapter import Lambent
    from lambent.events.events import Events
    from lambent.invocation import current
    from lambent.snapstart import after_restore, before_snapshot
    from lambent.websocket.connections import Connections

__all__ = ["Connections", "Events", "Lambent", "__version__", "after_restore", "before_snapshot", "current"]
__version__ = "0.1.0"

_FRONT_DOOR = {
    "Connections": "lambent.websocket.connections",
    "Events": "lambent.events.events",
    "Lambent": "lambent.adapter",
    "after_restore": "lambent.snapstart",
    "before_snapshot": "lambent.snapstart",
    "current": "lambent.invocation",
}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else: each part loads alone (PEP 562)."""
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module 'lambent' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_FRONT_DOOR[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
