"""Bars and areas."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.build.picture import MOST, areas, bars, svg

MB = 1024 * 1024
PARTS = (("pydantic_core", 8 * MB), ("fastapi", 4 * MB), ("app.py", 1024))

SIZED = st.lists(st.tuples(st.text(min_size=1, max_size=50), st.integers(0, 10**9)), max_size=40).map(
    lambda parts: tuple(sorted(parts, key=lambda part: -part[1]))
)


def test_bars_are_as_long_as_their_shares() -> None:
    assert bars(PARTS, 60) == [
        "  pydantic_core    8.0 MB  ████████████████████████████  67%",
        "  fastapi          4.0 MB  ██████████████                33%",
        "  app.py             1 kB                                 0%",
    ]


def test_a_plain_terminal_gets_plain_bars() -> None:
    assert bars(PARTS, 60, plain=True)[1] == "  fastapi          4.0 MB  ##############                33%"
    assert "".join(bars(PARTS, 60, plain=True)).isascii()
    (line,) = bars([("81d243bd2c585b0f4821__mypyc.so", 5)], 60, plain=True)
    assert line.startswith("  81d243bd2c585b0f482~  ")


def test_small_ones_are_told_together() -> None:
    lines = bars([(f"p{number}", 100 - number) for number in range(50)], 80)
    assert len(lines) == MOST + 1
    assert lines[-1].startswith("  38 others")


@given(SIZED, st.integers(0, 200))
def test_no_line_is_wider_than_the_terminal(parts: tuple[tuple[str, int], ...], width: int) -> None:
    assert all(len(line) <= max(width, 40) for line in bars(parts, width))


def test_nothing_has_no_bars() -> None:
    assert bars((), 80) == []
    assert len(bars((("a", 0),), 80)) == 1


@given(SIZED)
def test_areas_are_as_large_as_their_shares_and_fill_the_picture(parts: tuple[tuple[str, int], ...]) -> None:
    found = areas(parts, 100, 60)
    total = sum(size for _, size in parts)
    assert [(area.name, area.size) for area in found] == [part for part in parts if part[1]]
    for area in found:
        assert area.width * area.height == pytest.approx(area.size / total * 6000, rel=1e-6, abs=1e-6)
        assert -1e-6 <= area.x <= area.x + area.width <= 100 + 1e-6
        assert -1e-6 <= area.y <= area.y + area.height <= 60 + 1e-6


@given(SIZED)
def test_areas_do_not_overlap(parts: tuple[tuple[str, int], ...]) -> None:
    found = areas(parts[:10], 100, 60)
    for place, one in enumerate(found):
        for other in found[place + 1 :]:
            wide = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
            high = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
            assert min(wide, high) <= 1e-6


def test_an_svg_is_xml_whatever_files_are_called() -> None:
    page = ET.fromstring(svg((("<a & b>", 5 * MB), ("c", 3)), '"x".zip'))
    texts = [element.text for element in page.iter() if element.text and element.text.strip()]
    assert '"x".zip: 5.0 MB' in texts
    assert "<a & b>: 5.0 MB, 100.0 %" in texts
    ET.fromstring(svg((), ""))
