"""What Lambda takes."""

from __future__ import annotations

import pytest

from lambent.build.limits import DIRECT, IMAGE, MEGABYTE, UNZIPPED, megabytes, notes, too_large

PARTS = (("torch", 240 * MEGABYTE), ("numpy", 20 * MEGABYTE))


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1 kB"),
        (MEGABYTE, "1.0 MB"),
        (DIRECT, "50.0 MB"),
        (UNZIPPED, "250.0 MB"),
        (IMAGE, "10 GB"),
    ],
)
def test_sizes_are_told_as_lambda_counts(size: int, words: str) -> None:
    assert megabytes(size) == words


def test_the_limits_are_those_that_lambda_names_in_its_errors() -> None:
    assert (DIRECT, UNZIPPED) == (52_428_800, 262_144_000)


def test_what_fits_is_taken_to_the_byte() -> None:
    assert too_large(UNZIPPED, PARTS) == ""
    assert too_large(UNZIPPED + 1, PARTS)
    assert too_large(UNZIPPED + 1, PARTS, image=True) == ""
    assert too_large(IMAGE + 1, PARTS, image=True)


def test_what_is_too_large_is_told_with_its_largest_parts_and_ways_out() -> None:
    words = too_large(260 * MEGABYTE, PARTS)
    assert "Expected 250.0 MB at most" in words
    assert "it is 260.0 MB. The largest parts: torch (240.0 MB), numpy (20.0 MB)." in words
    assert "--image" in words


@pytest.mark.parametrize(
    ("size", "unzipped", "words"),
    [
        (1, 1, []),
        (DIRECT, 1, ["50.0 MB of 50.0 MB"]),
        (DIRECT + 1, 1, ["S3"]),
        (DIRECT + 1, UNZIPPED, ["S3", "0 B are left for layers"]),
    ],
)
def test_what_comes_near_is_noted(size: int, unzipped: int, words: list[str]) -> None:
    found = notes(size, unzipped)
    assert len(found) == len(words)
    assert all(word in note for word, note in zip(words, found, strict=True))
