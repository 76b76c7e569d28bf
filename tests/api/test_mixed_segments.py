import re
from collections.abc import Sequence
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.matching import Variable, parse
from lambent.api.mixed_segments import PATTERNS, MixedSegment
from tests.support.lines import lines_run

ID = "0b7e1d0a-3f63-4d1c-9d55-2f3a6a2f8f10"


def read(template: str, text: str) -> tuple[str, ...] | None:
    (segment,) = parse(f"/{template}")
    return MixedSegment(segment).read(text)


@pytest.mark.parametrize(
    ("template", "text", "values"),
    [
        ("{name}.json", "a.json", ("a",)),
        ("{name}.json", "a.json.json", ("a.json",)),
        ("{name}.json", ".json", None),
        ("{name}.json", "json", None),
        ("{name}.json", "a.xml", None),
        ("{name}.{kind}", "archive.tar.gz", ("archive.tar", "gz")),
        ("{name}.{kind}", "archive.", None),
        ("{name}.{kind}", "..", None),
        ("{name}.{kind}", "...", (".", ".")),
        ("v{major}", "v", None),
        ("v{major}", "v2", ("2",)),
        ("v{major}", "2", None),
        ("{a}-{b}-{c}", "1-2-3-4", ("1-2", "3", "4")),
        ("{a}--{b}", "---", None),
        ("{a}--{b}", "a---b", ("a-", "b")),
        ("{a}aa{b}", "aaaa", ("a", "a")),
        ("({a})", "()", None),
        ("({a})", "(x)", ("x",)),
        ("{id:int}-{slug}", "7-a-b", ("7", "a-b")),
        ("{id:int}-{slug}", "-7-a", ("-7", "a")),
        ("{id:int}-{slug}", "x-a", None),
        ("{id:int}-{slug}", "7-", None),
        ("{slug}-{id:int}", "a-b-7", ("a-b", "7")),
        ("{slug}-{id:int}", "a--7", ("a-", "7")),
        ("{slug}-{id:int}", "a-7x", None),
        ("{slug}-{id:int}", "-7", None),
        ("{a}-{id:int}-{b}", "x-1-2-y", ("x-1", "2", "y")),
        ("{a}-{id:int}-{b}", "x-1-2", ("x", "1", "2")),
        ("{a}-{id:int}-{b}", "x-y-2", None),
        ("{a}1{n:int}", "x11", ("x", "1")),
        ("{n:int}1{a}", "211x", None),
        ("{x:float},{y:float}", "-1.5,2", ("-1.5", "2")),
        ("{x:float},{y:float}", "1.,2", None),
        ("{x:float}.json", "1.5.json", ("1.5",)),
        ("{x:float}.json", "1.json", ("1",)),
        ("{x:float}.{y}", "1.5", None),
        ("{u:uuid}.txt", f"{ID}.txt", (ID,)),
        ("{u:uuid}_{tail}", f"{ID}_x", (ID, "x")),
        ("{n:int}", "7", ("7",)),
        ("{n:int}", "-7", ("-7",)),
        ("{n:int}", "0" * 5000, ("0" * 5000,)),
        ("{n:int}", "+7", None),
        ("{n:int}", "7 ", None),
        ("{n:int}", "7\n", None),
        ("{n:int}", "1_000", None),
        ("{n:int}", "1.0", None),
        ("{n:int}", "\N{ARABIC-INDIC DIGIT SEVEN}", None),
        ("{n:int}", "\N{SUPERSCRIPT TWO}", None),
        ("{n:int}", "", None),
        ("{n:int}", "-", None),
        ("{x:float}", "1.25", ("1.25",)),
        ("{x:float}", "1", ("1",)),
        ("{x:float}", ".5", None),
        ("{x:float}", "1e5", None),
        ("{x:float}", "nan", None),
        ("{x:float}", "inf", None),
        ("{u:uuid}", ID, (ID,)),
        ("{u:uuid}", ID.upper(), (ID.upper(),)),
        ("{u:uuid}", ID.replace("-", ""), (ID.replace("-", ""),)),
        ("{u:uuid}", f"{{{ID}}}", None),
        ("{u:uuid}", ID[:-1], None),
        ("{u:uuid}", ID + "0", None),
        ("{u:uuid}", "g" + ID[1:], None),
    ],
)
def test_a_segment_is_taken_apart(template: str, text: str, values: tuple[str, ...] | None) -> None:
    assert read(template, text) == values


SEGMENTS = st.lists(
    st.tuples(st.sampled_from(["-", ".", "a", "1-", "--", "x"]), st.sampled_from(["str", "int", "float"])),
    min_size=1,
    max_size=4,
)


@given(st.booleans(), SEGMENTS, st.sampled_from(["", "-", ".j"]), st.text("-.a1x2", max_size=14))
def test_a_segment_is_taken_apart_as_by_a_regular_expression(
    begins_with_text: bool, pairs: list[tuple[str, str]], end: str, text: str
) -> None:
    parts: list[str | Variable] = []
    for number, (before, converter) in enumerate(pairs):
        parts += [before] if number or begins_with_text else []
        parts.append(Variable(f"v{number}", converter))
    parts += [end] if end else []

    found = re.fullmatch(expression(tuple(parts)), text, re.DOTALL)

    assert MixedSegment(tuple(parts)).read(text) == (None if found is None else found.groups())


def expression(segment: Sequence[str | Variable]) -> str:
    return "".join(
        re.escape(part) if isinstance(part, str) else f"({PATTERNS.get(part.converter, '.+')})" for part in segment
    )


@pytest.mark.parametrize("template", ["{a}-{b}-{c}-{d}-{e}x", "{a}-{b:int}-{c}-{d:int}-{e}x", "{a}-{b:int}"])
@pytest.mark.parametrize("piece", ["-", "-1", "1", "-1-", "a-"])
def test_a_long_segment_costs_no_more_than_its_length(template: str, piece: str) -> None:
    segment = MixedSegment(parse(f"/{template}")[0])
    costs = [lines_run(partial(segment.read, piece * length)) for length in (200, 400, 800)]

    assert costs[2] - costs[1] <= 2 * (costs[1] - costs[0]) + 10, costs
