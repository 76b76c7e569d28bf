"""The names of other adapters, with Lambent behind them, for whoever comes from there.

from lambent.compat import Mangum
from lambent.compat import APIGatewayProxyEventV2Interface, Lynara
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambent.compat.lynara import (
        APIGatewayProxyEventV1Interface,
        APIGatewayProxyEventV2Interface,
        HTTPInterface,
        LifespanMode,
        Lynara,
    )
    from lambent.compat.mangum import Mangum

__all__ = [
    "APIGatewayProxyEventV1Interface",
    "APIGatewayProxyEventV2Interface",
    "HTTPInterface",
    "LifespanMode",
    "Lynara",
    "Mangum",
]


def __getattr__(name: str) -> object:
    """Import the one module that has the name (PEP 562)."""
    if name not in __all__:
        raise AttributeError(f"module 'lambent.compat' has no attribute {name!r}")
    from importlib import import_module

    module = import_module("lambent.compat.mangum" if name == "Mangum" else "lambent.compat.lynara")
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
