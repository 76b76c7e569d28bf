"""Patterns of paths, such as `templates/**` and `*.psd`. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable

TOKEN = re.compile(
    r"(?P<any>\*\*/)|(?P<rest>\*\*)|(?P<part>\*)|(?P<one>\?)|(?P<set>\[!?\]?[^\]]*\])|(?P<other>.)", re.DOTALL
)
SPECIAL = re.compile(r"[\\^\[&~|]")
"""What means something else within a set of an expression than in one of a pattern."""


def matches(path: str, patterns: Iterable[str]) -> bool:
    """Whether one of them means the path, which is relative and has slashes, or a folder that it is in.

    A pattern without a slash means a name at any depth, one with a slash the whole path from the root on.
    `*` is anything within a name, `**` any names.
    """
    return any(expression(pattern).fullmatch(path) for pattern in patterns)


@functools.cache
def expression(pattern: str) -> re.Pattern[str]:
    """What matches the paths that the pattern means."""
    bare = pattern.removeprefix("./").rstrip("/")
    anywhere = "" if "/" in bare or pattern.startswith("./") else "(?:.*/)?"
    end = "(?:/.*)?"
    try:
        return re.compile(f"{anywhere}{''.join(map(translated, TOKEN.finditer(bare)))}{end}", re.DOTALL)
    except re.error:  # a set such as [z-a]: taken as it stands
        return re.compile(f"{anywhere}{re.escape(bare)}{end}", re.DOTALL)


def translated(token: re.Match[str]) -> str:
    if token["set"]:
        inner = token["set"][1:-1]
        negated = "^/" if inner.startswith("!") else ""
        plain = SPECIAL.sub(r"\\\g<0>", inner.removeprefix("!"))
        return f"[{negated}{plain}]"
    wild = {"any": "(?:.*/)?", "rest": ".*", "part": "[^/]*", "one": "[^/]"}
    return wild.get(str(token.lastgroup)) or re.escape(token["other"])
