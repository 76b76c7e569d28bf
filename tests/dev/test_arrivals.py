"""Requests as they are noted down."""

import time
import uuid

from lambent.dev.arrivals import arrive

ROOT = "Root=1-5759e988-bd862e3fe1be46a994272793"


def test_a_request_gets_ids_of_its_own_and_keeps_the_trace_that_it_belongs_to() -> None:
    one, other = (arrive([(b"host", b"a"), (b"x-amzn-trace-id", ROOT.encode())]) for _ in range(2))
    assert uuid.UUID(one.request_id) != uuid.UUID(other.request_id)
    assert one.gateway_id != other.gateway_id
    assert one.trace != other.trace
    assert {one.trace.partition(";")[0], other.trace.partition(";")[0]} == {ROOT}


def test_the_time_is_noted() -> None:
    before = time.time()
    assert before <= arrive([]).now <= time.time()
