"""Which function is meant: by its name, a partial or a full ARN, and a qualifier."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from lambent.dev.invoke_api import api_errors
from lambent.dev.model import Function

NAME = re.compile(
    r"(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:[a-z]+(?:-[a-z]+)+-\d:)?(?:\d{12}:)?(?:function:)?"
    r"(?P<name>[\w.-]+)(?::(?P<qualifier>\$LATEST|[\w-]+))?"
)
"""AWS's `NamespacedFunctionName`. Account and region are not looked at: there is one of each here."""

LATEST = "$LATEST"


class Named(NamedTuple):
    """A function, as it was asked for."""

    function: Function
    qualifier: str

    @property
    def arn(self) -> str:
        """By which it was invoked."""
        return f"{self.function.arn}:{self.qualifier}" if self.qualifier else self.function.arn


def find(text: str, qualifier: str, functions: Mapping[str, Function]) -> Named:
    """Raises APIError. There is one version of each function here, so that any other is not found."""
    match = NAME.fullmatch(text)
    if match is None:
        raise api_errors.invalid(text, "functionName", "be the name, the partial or the full ARN of a function")
    within = match["qualifier"] or ""
    if within and qualifier and within != qualifier:
        why = "The derived qualifier from the function name does not match the specified qualifier."
        raise api_errors.invalid_parameter(why)
    function = functions.get(match["name"])
    if function is None:
        raise api_errors.not_found(arn_of(match["name"], qualifier or within, functions), names(functions))
    named = Named(function, qualifier or within)
    if named.qualifier not in ("", LATEST, function.version):
        hint = f"The local Lambda has no aliases and one version, {LATEST}: leave the qualifier out"
        raise api_errors.not_found(named.arn, f"{hint}.")
    return named


def arn_of(name: str, qualifier: str, functions: Mapping[str, Function]) -> str:
    """Of a function that is not there: where the others are."""
    other = next(iter(functions.values()), None)
    where = f"{other.region}:{other.account}" if other else "us-east-1:123456789012"
    return f"arn:aws:lambda:{where}:function:{name}:{qualifier or LATEST}"


def names(functions: Mapping[str, Function]) -> str:
    """What there is instead, for people."""
    return f"The local Lambda has: {', '.join(sorted(functions)) or 'none'}."
