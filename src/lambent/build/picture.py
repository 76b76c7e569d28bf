"""What is large, to be seen: bars for a terminal, areas for a browser."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

from lambent.build.limits import megabytes

EIGHTHS = " ▏▎▍▌▋▊▉"
MOST = 12
"""Bars; all that is smaller is one more."""
NARROWEST = 40

Parts = Sequence[tuple[str, int]]
"""Names and bytes, the largest first."""


# Bars


def bars(parts: Parts, width: int, *, plain: bool = False) -> list[str]:
    """A line for each of the largest, and one for all others: its name, its size, its share.

    - `width`: columns of the terminal, which no line exceeds, but for a very narrow one
    - `plain`: for a terminal that knows ASCII alone
    """
    shown = _folded(parts, MOST)
    total = sum(size for _, size in shown) or 1
    largest = max((size for _, size in shown), default=1) or 1
    width = max(width, NARROWEST)
    longest = min(max((len(name) for name, _ in shown), default=0), width // 3)
    room = width - longest - 19
    return [
        f"  {_cut(name, longest, plain=plain)}  {megabytes(size):>8}  "
        f"{_bar(size / largest, room, plain=plain)} {size / total:4.0%}"
        for name, size in shown
    ]


def _folded(parts: Parts, most: int) -> list[tuple[str, int]]:
    if len(parts) <= most + 1:
        return list(parts)
    rest = parts[most:]
    return [*parts[:most], (f"{len(rest)} others", sum(size for _, size in rest))]


def _cut(name: str, width: int, *, plain: bool) -> str:
    return name.ljust(width) if len(name) <= width else f"{name[: width - 1]}{'~' if plain else '…'}"


def _bar(share: float, room: int, *, plain: bool) -> str:
    if plain:
        return ("#" * round(share * room)).ljust(room)
    whole, eighths = divmod(round(share * room * 8), 8)
    return f"{'█' * whole}{EIGHTHS[eighths] if eighths else ''}".ljust(room)


# Areas


class Area(NamedTuple):
    """A part of the picture."""

    name: str
    size: int
    x: float
    y: float
    width: float
    height: float


def areas(parts: Parts, width: float, height: float) -> list[Area]:
    """A rectangle for each part, as large as its share and about a square (Bruls et al., Squarified Treemaps)."""
    sized = [(name, size) for name, size in parts if size > 0]
    total = sum(size for _, size in sized)
    found: list[Area] = []
    x = y = 0.0
    while sized and width > 0 and height > 0:
        scale = width * height / total
        short = min(width, height)
        row = _row([size * scale for _, size in sized], short)
        taken, sized = sized[:row], sized[row:]
        sum_of_row = sum(size for _, size in taken)
        depth = sum_of_row * scale / short
        found += _laid(taken, x, y, short / sum_of_row, depth, upright=width >= height)
        if width >= height:
            x, width = x + depth, width - depth
        else:
            y, height = y + depth, height - depth
        total -= sum_of_row
    return found


def _row(surfaces: Sequence[float], side: float) -> int:
    """How many go into the next row: as long as the worst of it becomes less narrow."""
    count = 1
    while count < len(surfaces) and _worst(surfaces[: count + 1], side) <= _worst(surfaces[:count], side):
        count += 1
    return count


def _worst(row: Sequence[float], side: float) -> float:
    """The widest side by the narrowest of the row's rectangles."""
    depth = sum(row) / side
    return max(max(depth * depth / surface, surface / (depth * depth)) for surface in row)


def _laid(row: Parts, x: float, y: float, scale: float, depth: float, *, upright: bool) -> list[Area]:
    laid = []
    for name, size in row:
        length = size * scale
        laid.append(Area(name, size, x, y, *((depth, length) if upright else (length, depth))))
        x, y = (x, y + length) if upright else (x + length, y)
    return laid


def svg(parts: Parts, title: str) -> str:
    """A page of its own, 1000 x 640: every part that can be seen, with its size; more where the mouse rests."""
    total = sum(size for _, size in parts) or 1
    shapes = "\n".join(_shape(area, number, total) for number, area in enumerate(areas(_folded(parts, 60), 1000, 600)))
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 -40 1000 640" font-family="sans-serif">\n'
        '<rect y="-40" width="1000" height="640" fill="#fff"/>\n'
        f'<text x="4" y="-14" font-size="20">{escape(title)}: {megabytes(total)}</text>\n{shapes}\n</svg>\n'
    )


def _shape(area: Area, number: int, total: int) -> str:
    size = f"{megabytes(area.size)}, {100 * area.size / total:.1f} %"
    name = escape(area.name)
    box = f'x="{area.x:.1f}" y="{area.y:.1f}" width="{area.width:.1f}" height="{area.height:.1f}"'
    colour = f"hsl({number * 47 % 360} 45% 78%)"
    text = ""
    if area.width > 7 * len(area.name) + 8 and area.height > 20:
        text = f'<text x="{area.x + 4:.1f}" y="{area.y + 15:.1f}" font-size="12">{name}</text>'
        if area.height > 36 and area.width > 7 * len(size):
            text += f'<text x="{area.x + 4:.1f}" y="{area.y + 30:.1f}" font-size="11">{size}</text>'
    return f'<g><title>{name}: {size}</title><rect {box} fill="{colour}" stroke="#fff"/>{text}</g>'
