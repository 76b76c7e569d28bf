r"""The route selection expression of a WebSocket API: which route a message takes. Pure.

    $request.body.action            {"action": "join", ...}                   join
    ${request.body.to.service}-v1   {"to": {"service": "chat"}, ...}          chat-v1

A variable begins with `$`; braces say where it ends. `\$` is a dollar. What is no JSON object, or has no text, number
or boolean at one of the places, takes no route but `$default`.

Source: docs.aws.amazon.com/apigateway, "WebSocket selection expressions". Believed, not measured: that numbers and
booleans are taken as JSON writes them.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

PIECE = re.compile(
    r"(?P<dollar>\\\$)|\$\{request\.body\.(?P<braced>[^{}]+)\}|\$request\.body\.(?P<bare>\w+(?:[.-]\w+)*)|(?P<wrong>\$)"
)


class Expression(NamedTuple):
    """An expression, read: texts, and between them places in the body."""

    texts: tuple[str, ...]
    """One more than there are places."""
    places: tuple[tuple[str, ...], ...]


@lru_cache(maxsize=64)
def read(text: str) -> Expression:
    """ValueError: what is wrong with it."""
    texts, places, end = [""], [], 0
    for piece in PIECE.finditer(text):
        texts[-1] += text[end : piece.start()]
        end = piece.end()
        if piece["wrong"]:
            raise ValueError("expected $request.body.NAME or ${request.body.NAME} where it has a dollar")
        if piece["dollar"]:
            texts[-1] += "$"
        else:
            places.append(tuple((piece["braced"] or piece["bare"]).split(".")))
            texts.append("")
    texts[-1] += text[end:]
    if not places:
        raise ValueError("expected $request.body.NAME in it")
    return Expression(tuple(texts), tuple(places))


def selected(expression: Expression, message: str) -> str | None:
    """What the expression comes to; None if it comes to nothing."""
    try:
        body = json.loads(message)
    except (ValueError, RecursionError):
        return None
    values = [_text(_within(body, place)) for place in expression.places]
    found = [value for value in values if value is not None]
    if len(found) < len(values):
        return None
    return expression.texts[0] + "".join(f"{a}{b}" for a, b in zip(found, expression.texts[1:], strict=True))


def _within(value: object, place: tuple[str, ...]) -> object:
    for name in place:
        value = value.get(name) if isinstance(value, dict) else None
    return value


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    return json.dumps(value) if isinstance(value, bool | int | float) else None
