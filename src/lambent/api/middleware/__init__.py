"""What stands around an application: any ASGI middleware does, and these two are here."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.api.middleware.cors import CORSMiddleware
    from lambent.api.middleware.gzip import GZipMiddleware

__all__ = ["CORSMiddleware", "GZipMiddleware"]

_WHERE = {"CORSMiddleware": "cors", "GZipMiddleware": "gzip"}


def __getattr__(name: str) -> object:
    """Import what is asked for, and nothing else (PEP 562)."""
    if name not in _WHERE:
        raise AttributeError(f"module 'lambent.api.middleware' has no attribute {name!r}")
    from importlib import import_module

    value = globals()[name] = getattr(import_module(f"lambent.api.middleware.{_WHERE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
