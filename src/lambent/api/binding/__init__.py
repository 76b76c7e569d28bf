"""A function's arguments out of a request."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.api.binding.plan import Plan

__all__ = ["Plan"]


def __getattr__(name: str) -> object:
    """Import it when a route is read: an import has no need of it (PEP 562)."""
    if name != "Plan":
        raise AttributeError(f"module 'lambent.api.binding' has no attribute {name!r}")
    from lambent.api.binding.plan import Plan

    globals()[name] = Plan
    return Plan
