from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambent.api.responses.ranges import joined, multipart, requested


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("bytes=0-0", [(0, 1)]),
        ("bytes=0-", [(0, 100)]),
        ("Bytes = 5-9", [(5, 10)]),
        ("bytes=-10", [(90, 100)]),
        ("bytes=-1000", [(0, 100)]),
        ("bytes=90-1000", [(90, 100)]),
        ("bytes=0-1,5-6", [(0, 2), (5, 7)]),
        ("bytes= 5-6 , ,0-1", [(0, 2), (5, 7)]),
        ("bytes=0-5,3-9,10-11", [(0, 12)]),
        ("bytes=0-1,200-", [(0, 2)]),
        ("bytes=100-", []),
        ("bytes=-0", []),
        (f"bytes={'9' * 500}-", []),
        (f"bytes=0-{'9' * 500}", [(0, 100)]),
        ("bytes=" + ",".join(f"{each}-{each}" for each in range(0, 32, 2)), [(n, n + 1) for n in range(0, 32, 2)]),
        ("bytes=" + ",".join(f"{each}-{each}" for each in range(0, 34, 2)), None),
        (f"bytes=0-{'9' * 5000}", None),
        ("items=0-1", None),
        ("bytes", None),
        ("bytes=", None),
        ("bytes=,", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("bytes=5-4", None),
        ("bytes=0-1,5-4", None),
        ("bytes=+1-2", None),
        ("bytes=\u0661-\u0662", None),
        ("bytes=1", None),
    ],
)
def test_a_field_is_read(field: str, expected: object) -> None:
    assert requested(field, 100) == expected


@given(st.text(), st.integers(0, 1000))
def test_any_text_is_read(text: str, size: int) -> None:
    for first, end in requested(f"bytes={text}", size) or ():
        assert 0 <= first < end <= size


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(1, 10)).map(lambda pair: (pair[0], sum(pair)))))
def test_joined_ranges_are_the_same_places(ranges: list[tuple[int, int]]) -> None:
    found = joined(ranges)
    assert {place for each in found for place in range(*each)} == {place for each in ranges for place in range(*each)}
    assert all(before[1] < after[0] for before, after in pairwise(found))


def test_nothing_of_an_empty_file() -> None:
    assert requested("bytes=0-", 0) == requested("bytes=-5", 0) == []


def test_parts_have_a_boundary_that_is_not_to_be_guessed() -> None:
    boundaries = {multipart([(0, 1), (3, 4)], 5, "text/plain")[0] for _ in range(3)}
    assert len(boundaries) == 3
    assert {len(each) for each in boundaries} == {32}
