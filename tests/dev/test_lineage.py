"""Chains of invocations, counted."""

import re
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from lambent.dev import lineage

TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=0"
F = "arn:aws:lambda:us-east-1:123456789012:function:f"


def test_it_is_written_as_aws_writes_it() -> None:
    extended = lineage.extend(TRACE, "", F)
    assert re.fullmatch(re.escape(TRACE) + ";Lineage=1:[0-9a-f]{8}:0", extended)


@given(st.lists(st.sampled_from(["f", "g", "h"]), min_size=1, max_size=40), st.booleans())
def test_a_function_is_counted_through_others(names: list[str], encoded: bool) -> None:
    """As botocore sends it on, percent-encoded or not."""
    trace = ""
    for name in names:
        received = quote(trace, safe="-=;:+&[]{}\"',") if encoded else trace
        trace = lineage.extend(TRACE, received, name)
    last = names[-1]
    assert lineage.read(trace)[lineage.key(last)] == names.count(last) - 1
    assert lineage.exhausted(trace, last) is (names.count(last) > lineage.LIMIT)


def test_a_seventeenth_invocation_is_one_too_many() -> None:
    trace = ""
    for _ in range(16):
        trace = lineage.extend(TRACE, trace, F)
        assert not lineage.exhausted(trace, F)
    assert lineage.exhausted(lineage.extend(TRACE, trace, F), F)


@given(st.text())
def test_whatever_a_client_sends_is_taken(received: str) -> None:
    assert lineage.read(lineage.extend(TRACE, received, F))[lineage.key(F)] >= 0
