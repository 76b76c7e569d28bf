"""Findings and measurements → what is printed. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from lambent.doctor.import_times import YOURS
from lambent.doctor.model import SEVERITIES, Facts, Finding, FunctionFacts, Package

WIDTH = 30
"""Characters of the longest bar."""
ROWS = 12
LEAST = 0.5
"""Milliseconds, below which a package is one of the others."""
FULL, PARTS = "█", " ▏▎▍▌▋▊▉"


def text(facts: Facts, findings: Sequence[Finding], bars: bool = True) -> str:
    """Plain text: by function what was found, the worst first, and what its imports take; at the end how many."""
    blocks = ["\n".join(finding_lines([each for each in findings if not each.function]))]
    for function in facts.functions:
        own = [each for each in findings if each.function == function.name]
        lines = [heading(function), *(finding_lines(own) or ["  nothing found"])]
        blocks.append("\n".join([*lines, *picture(function, bars)]))
    blocks.extend(f"Left out: {note}" for note in facts.notes)
    return "\n\n".join([*filter(None, blocks), summary(findings)]) + "\n"


def heading(function: FunctionFacts) -> str:
    about = [function.handler, "an image" if function.image else function.runtime, function.architecture]
    about += [f"{function.memory} MB", f"{function.timeout:g} s"]
    return f"{function.name} ({', '.join(filter(None, about))})"


def finding_lines(findings: Sequence[Finding]) -> list[str]:
    lines = []
    for severity in SEVERITIES:
        for each in findings:
            if each.severity == severity:
                where = f"{each.place}: " if each.place.file else ""
                lines.append(f"  {severity:7}  {where}{each.message} [{each.check}]")
    return lines


def summary(findings: Sequence[Finding]) -> str:
    counts = [(sum(each.severity == severity for each in findings), severity) for severity in SEVERITIES]
    told = [f"{number} {severity}{'s' if number != 1 else ''}" for number, severity in counts if number]
    return ", ".join(told) if told else "Nothing found."


def picture(function: FunctionFacts, bars: bool = True) -> Iterator[str]:
    """What loading the handler takes, by package."""
    measured = function.measured
    if measured is None or measured.error or not measured.packages:
        return
    total = sum(each.milliseconds for each in measured.packages)
    yield ""
    yield (
        f"  Loaded in {measured.seconds * 1000:.0f} ms by Python {measured.python}, with bytecode; "
        f"{measured.peak:.0f} MB of {function.memory}. Its imports, {total:.0f} ms when traced:"
    )
    yield ""
    shown = [each for each in measured.packages if each.milliseconds >= LEAST or each.origin == YOURS][:ROWS]
    others = (
        measured.packages[len(shown) :]
        if shown == list(measured.packages[: len(shown)])
        else [each for each in measured.packages if each not in shown]
    )
    most = max((each.milliseconds for each in shown), default=1.0)
    width = max((len(each.name) for each in shown), default=0)
    for each in shown:
        yield f"    {row(each, width, most, bars)}".rstrip()
    if others:
        rest = sum(each.milliseconds for each in others)
        yield f"    {f'{len(others)} more':{width}} {rest:6.0f} ms"


def row(package: Package, width: int, most: float, bars: bool) -> str:
    about = package.origin + (f", by {package.by}" if package.by else "")
    return f"{package.name:{width}} {package.milliseconds:6.0f} ms  {bar(package.milliseconds / most, bars)}  {about}"


def bar(share: float, fine: bool = True) -> str:
    """Of WIDTH characters; with `fine` in eighths of one."""
    if not fine:
        return ("#" * round(share * WIDTH)).ljust(WIDTH)
    full, eighths = divmod(round(share * WIDTH * 8), 8)
    return (FULL * full + (PARTS[eighths] if eighths else "")).ljust(WIDTH)


def document(facts: Facts, findings: Sequence[Finding]) -> dict[str, Any]:
    """For `--json`: findings, and what was measured."""
    return {
        "findings": [
            {
                "check": each.check,
                "severity": each.severity,
                "function": each.function or None,
                "message": each.message,
                "file": each.place.file or None,
                "line": each.place.line or None,
            }
            for each in findings
        ],
        "functions": [measurements(each) for each in facts.functions],
    }


def measurements(function: FunctionFacts) -> dict[str, Any]:
    measured = function.measured
    if measured is None or measured.error:
        return {"name": function.name, "handler": function.handler, "measured": None}
    packages = [
        {"name": each.name, "milliseconds": each.milliseconds, "origin": each.origin, "by": each.by or None}
        for each in measured.packages
    ]
    seen = {"kind": measured.kind, "python": measured.python, "seconds": measured.seconds, "peak_mb": measured.peak}
    return {"name": function.name, "handler": function.handler, "measured": {**seen, "imports": packages}}
