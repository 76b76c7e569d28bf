"""The schemas that pydantic and msgspec make of their own annotations. Neither is imported here. Pure.

All annotations of a document are asked for at once: then the names of what they share, and of classes with the same
name, fit together.
"""

from __future__ import annotations

import sys
from importlib import import_module

from lambent.values.validators import MSGSPEC, PYDANTIC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Json = dict[str, Any]
    Wanted = tuple[Any, str]
    """An annotation, and the mode: `validation` or `serialization`."""

    Made = tuple[list[Json], Json]
    """A schema for each that was wanted, and the definitions that they refer to as `#<library>/<name>`."""


def made(library: str, wanted: Sequence[Wanted]) -> Made:
    """Of what its library makes no schema, such as a callable, anything is said to do."""
    make = {PYDANTIC: _by_pydantic, MSGSPEC: _by_msgspec}[library]
    known = [_makes(make, each) for each in wanted]
    schemas, definitions = make([each for each, fine in zip(wanted, known, strict=True) if fine])
    rest = iter(schemas)
    return [next(rest) if fine else {} for fine in known], definitions


def _makes(make: Callable[[Sequence[Wanted]], Made], wanted: Wanted) -> bool:
    try:
        make([wanted])
    except Exception:  # of the library, and of what users hook into it
        return False
    return True


def _by_pydantic(wanted: Sequence[Wanted]) -> Made:
    if not wanted:
        return [], {}
    pydantic = sys.modules[PYDANTIC]
    inputs = [(number, mode, pydantic.TypeAdapter(each)) for number, (each, mode) in enumerate(wanted)]
    schemas, rest = pydantic.TypeAdapter.json_schemas(
        inputs, ref_template=f"#{PYDANTIC}/{{model}}", schema_generator=_quiet()
    )
    return [schemas[number, mode] for number, mode, _ in inputs], rest.get("$defs", {})


def _quiet() -> Any:
    """The generator, without its warnings: what has no schema is left out, and nobody here can change that."""
    base: Any = import_module("pydantic.json_schema").GenerateJsonSchema
    kinds = {"skipped-choice", "non-serializable-default", "skipped-discriminator"}
    return type("Quiet", (base,), {"ignored_warning_kinds": kinds})


def _by_msgspec(wanted: Sequence[Wanted]) -> Made:
    if not wanted:
        return [], {}
    schemas, definitions = sys.modules[MSGSPEC].json.schema_components(
        [each for each, _ in wanted], ref_template=f"#{MSGSPEC}/{{name}}"
    )
    return list(schemas), definitions
