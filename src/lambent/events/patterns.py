"""Patterns over JSON, in EventBridge's language: which events a function wants. Pure.

Source: docs.aws.amazon.com/eventbridge, "Event patterns", "Comparison operators".
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from typing import Any, TypeGuard

Test = Callable[[object], bool]
"""Whether a value is wanted. What is not there is MISSING."""

MISSING = object()
_ANY_CASE = "equals-ignore-case"
_ESCAPED = ("\\*", "\\\\")
_OF_SEVERAL = ("prefix", "suffix", _ANY_CASE, "wildcard")
"""Operators that anything-but takes with a list."""
COMPARISONS = {"=": operator.eq, "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}
OPERATORS = ("anything-but", "cidr", "equals-ignore-case", "exists", "numeric", "prefix", "suffix", "wildcard")


def table(pattern: Mapping[str, Any]) -> Test:
    """All of its keys must match."""
    tests: list[Test] = []
    for key, each in pattern.items():
        if key == "$or" and isinstance(each, list):
            tests.append(some([table(choice) for choice in each]))
        elif isinstance(each, dict):
            tests.append(at(key, listed(table(each))))
        elif isinstance(each, list) and each:
            tests.append(at(key, listed(some([condition(choice) for choice in each]))))
        else:
            raise ValueError(f"expected a list of values at {key!r}, such as [{json.dumps(each)}]")
    return lambda value: all(test(value) for test in tests)


def at(key: str, test: Test) -> Test:
    return lambda value: test(value.get(key, MISSING) if isinstance(value, Mapping) else MISSING)


def some(tests: list[Test]) -> Test:
    return lambda value: any(test(value) for test in tests)


def listed(test: Test) -> Test:
    """Of a list it is enough that one item matches, which all that is asked of objects must hold for."""
    return lambda value: any(map(test, value)) if isinstance(value, list) else test(value)


def condition(wanted: Any) -> Test:
    """One value of a list: a plain one, or an operator."""
    if not isinstance(wanted, dict):
        return lambda value: same(value, wanted)
    if len(wanted) != 1 or next(iter(wanted)) not in OPERATORS:
        raise ValueError(f"expected one of {', '.join(OPERATORS)}, but got {json.dumps(wanted)}")
    ((name, operand),) = wanted.items()
    if name == "exists" and isinstance(operand, bool):
        return lambda value: (value is not MISSING and not isinstance(value, Mapping)) is operand  # leaves alone exist
    if name == "anything-but":
        return anything_but(operand)
    if name == "numeric":
        return numeric(operand)
    if name in ("prefix", "suffix") and isinstance(operand, dict) and isinstance(operand.get(_ANY_CASE), str):
        folded = text(name, operand[_ANY_CASE].casefold())
        return lambda value: isinstance(value, str) and folded(value.casefold())
    if name == "exists" or not isinstance(operand, str):
        expected = f"{name} with {'true or false' if name == 'exists' else 'a text'}"
        raise ValueError(f"expected {expected}, but got {json.dumps(operand)}")
    test = text(name, operand)
    return lambda value: isinstance(value, str) and test(value)


def text(name: str, operand: str) -> Callable[[str], bool]:
    """An operator that compares text."""
    if name == "prefix":
        return lambda value: value.startswith(operand)
    if name == "suffix":
        return lambda value: value.endswith(operand)
    if name == _ANY_CASE:
        return lambda value: value.casefold() == operand.casefold()
    return wildcard(operand) if name == "wildcard" else cidr(operand)


def wildcard(operand: str) -> Callable[[str], bool]:
    r"""`*` is any characters; `\*` and `\\` are these characters."""
    import re

    pieces = re.split(r"(\\\*|\\\\|\*)", operand)
    matches = re.compile(
        "".join(".*?" if each == "*" else re.escape(each[-1:] if each in _ESCAPED else each) for each in pieces),
        re.DOTALL,
    )
    return lambda value: matches.fullmatch(value) is not None


def cidr(operand: str) -> Callable[[str], bool]:
    """Addresses of a network, such as `10.0.0.0/24`."""
    from ipaddress import ip_address, ip_network

    network = ip_network(operand, strict=False)

    def test(value: str) -> bool:
        try:
            return ip_address(value) in network
        except ValueError:
            return False

    return test


def anything_but(operand: Any) -> Test:
    """One value, several, or an operator, of one text or several; what is not there does not match either."""
    if isinstance(operand, dict) and len(operand) == 1:
        ((name, texts),) = operand.items()
        if name in _OF_SEVERAL and isinstance(texts, list) and texts:
            operand = [{name: each} for each in texts]
    tests = [condition(each) for each in (operand if isinstance(operand, list) else [operand])]
    return lambda value: value is not MISSING and not any(test(value) for test in tests)


def numeric(operand: Any) -> Test:
    """`[">", 0, "<=", 100]`."""
    pairs = list(zip(operand[::2], operand[1::2], strict=False)) if isinstance(operand, list) else []
    known = all(str(sign) in COMPARISONS and is_number(bound) for sign, bound in pairs)
    if not pairs or not known or len(pairs) * 2 != len(operand):
        expected = 'numeric with comparisons, such as [">", 0, "<=", 100]'
        raise ValueError(f"expected {expected}, but got {json.dumps(operand)}")
    return lambda value: is_number(value) and all(COMPARISONS[sign](value, bound) for sign, bound in pairs)


def is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def same(value: object, wanted: object) -> bool:
    """As JSON sees it: true is not 1."""
    return value is not MISSING and value == wanted and isinstance(value, bool) is isinstance(wanted, bool)
