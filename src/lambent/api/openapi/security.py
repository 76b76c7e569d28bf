"""Who may call a route, in a document: by the schemes that its dependencies ask for. Pure."""

from __future__ import annotations

from lambent.api.openapi.references import numbered

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from lambent.api.model import Route
    from lambent.api.security import Scheme

    Json = dict[str, Any]


def schemes(routes: Iterable[Route]) -> Json:
    """Security scheme objects by their names; two that differ have two names."""
    found: Json = {}
    for route in routes:
        for each in asked(route):
            found[_name(each, found)] = each.scheme()
    return found


def _name(scheme: Scheme, found: Json) -> str:
    """Its own, or that with a number which it was given."""
    told = scheme.scheme()
    return numbered(scheme.name, {name for name, other in found.items() if other != told})


def requirements(route: Route, found: Json) -> list[Json]:
    """All that are asked for must be met; those without `auto_error` may be left out."""
    wanted = asked(route)
    whole: Json = {_name(each, found): [] for each in wanted}
    needed: Json = {_name(each, found): [] for each in wanted if each.auto_error}
    if not wanted:
        return []
    return [whole] if needed == whole else [whole, needed]


def asked(route: Route) -> list[Scheme]:
    """The schemes of its dependencies: their parameters carry them."""
    told = (getattr(each.marker, "security", None) for each in route.plan.parameters)
    return [each for each in told if each is not None]
