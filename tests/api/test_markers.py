"""Markers: what is said of a parameter, and nothing else."""

from __future__ import annotations

import pytest

from lambent.api.markers import REQUIRED, Body, Bounds, Cookie, Depends, File, Form, Header, Marker, Path, Query


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        *((Path, "path"), (Query, "query"), (Header, "header"), (Cookie, "cookie")),
        *((Body, "body"), (Form, "form"), (File, "file")),
    ],
)
def test_each_has_its_source(kind: type[Marker], source: str) -> None:
    marker = kind()
    assert (marker.source, marker.default, marker.alias) == (source, REQUIRED, None)
    assert not marker.bounds
    assert kind(None).default is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("ge", 0), ("gt", 0), ("le", 0), ("lt", 0.0)),
        *(("min_length", 0), ("max_length", 0)),
    ],
)
def test_a_bound_of_zero_is_one(name: str, value: object) -> None:
    assert Query(**{name: value}).bounds  # type: ignore[arg-type]  # one of several types
    assert getattr(Query(**{name: value}).bounds, name) == value  # type: ignore[arg-type]  # as above


def test_a_pattern_that_is_empty_is_one() -> None:
    assert Query(pattern="").bounds.patterns == ("",)
    assert Query(pattern="").bounds


def test_none_is_no_bound() -> None:
    assert not Bounds(None, None, None, None, None, None, ())


def test_of_the_bounds_of_two_markers_the_narrower_hold() -> None:
    both = Query(ge=1, lt=9, min_length=2, pattern="a").bounds & Query(ge=2, lt=10, max_length=3, pattern="b").bounds
    assert (both.ge, both.gt, both.le, both.lt, both.min_length, both.max_length) == (2, None, None, 9, 2, 3)
    assert both.patterns == ("a", "b")
    assert (Query(pattern="a").bounds & Query(pattern="a").bounds & Query().bounds).patterns == ("a",)


def test_what_is_for_the_document_only_is_no_bound() -> None:
    marker = Query(description="a page", examples=[1, 2], deprecated=True, include_in_schema=False)
    assert not marker.bounds
    assert (marker.examples, marker.deprecated, marker.include_in_schema) == ((1, 2), True, False)


def test_a_body_may_be_a_field() -> None:
    assert not Body().embed
    marker = Body(None, embed=True, max_length=3, alias="item")
    assert (marker.embed, marker.default, marker.alias, marker.bounds.max_length) == (True, None, "item", 3)


def test_a_dependency_is_called_once_unless_it_says_otherwise() -> None:
    assert (Depends().function, Depends().use_cache) == (None, True)
    assert (Depends(len, use_cache=False).function, Depends(len, use_cache=False).use_cache) == (len, False)
