"""Lambent: Python's async web applications on AWS Lambda, and Lambda on a laptop.

from lambent import Lambent

handler = Lambent(app)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.adapter import Lambent

__all__ = ["Lambent", "__version__"]
__version__ = "0.1.0"

_FRONT_DOOR = {"Lambent": "lambent.adapter"}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else: each part loads alone (PEP 562)."""
    if name not in _FRONT_DOOR:
        raise AttributeError(f"module 'lambent' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(_FRONT_DOOR[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
