"""Where a function is said to be deployed."""

import re
import uuid

import pytest

from lambent.dev.doors import DOORS, KINDS, title
from lambent.dev.doors.model import Arrival, Limits, Refusal, Site

ARRIVAL = Arrival("4b1d7f0c-27f2-4a3f-9a6b-0d0f3a9e6f11", "ATfSmjLgPHcESJw=", "Root=1-2-3", 1783711145.5)


def test_an_identifier_looks_like_one_of_aws() -> None:
    assert re.fullmatch(r"[a-z0-9]{32}", Site("app").identifier(32))


def test_an_identifier_is_the_same_on_every_start_and_another_for_another_function() -> None:
    assert Site("app").identifier(10) == Site("app").identifier(10) != Site("other").identifier(10)


def test_every_door_is_built_for_a_site_and_has_a_title() -> None:
    assert {name: build(Site("app")).title for name, build in DOORS.items()} == {
        "url": "Function URL",
        "http": "HTTP API",
        "http1": "HTTP API, payload format 1.0",
        "rest": "REST API",
        "alb": "Application Load Balancer",
        "alb-multi": "Application Load Balancer, multi-value headers",
        "lattice1": "VPC Lattice, version 1",
        "lattice": "VPC Lattice",
        "edge": "CloudFront, Lambda@Edge origin-request",
        "edge-viewer": "CloudFront, Lambda@Edge viewer-request",
    }


def test_every_door_has_an_answer_for_every_refusal() -> None:
    for build in DOORS.values():
        for reason in Refusal:
            assert build(Site("app")).refuse(reason, ARRIVAL).status >= 400


def test_the_ids_of_other_services_are_not_lambda_s_but_follow_from_it() -> None:
    other = ARRIVAL._replace(request_id="other")
    assert uuid.UUID(ARRIVAL.api_request_id).version == 4
    assert ARRIVAL.api_request_id not in (ARRIVAL.request_id, other.api_request_id)
    assert re.fullmatch(r"[\w-]{54}==", ARRIVAL.edge_request_id)


def test_beside_the_doors_of_requests_there_is_that_of_websockets() -> None:
    assert (*DOORS, "websocket") == KINDS
    assert (title("websocket"), title("http")) == ("WebSocket API", "HTTP API")


def test_an_identifier_is_worked_out_once(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Site("known").identifier(32)
    monkeypatch.setattr("hashlib.sha256", None)
    assert Site("known", "eu-west-1").identifier(10) == known[:10]


HEADERS = [(b"host", b"x" * 10)]


@pytest.mark.parametrize(
    ("limits", "refusal"),
    [
        (Limits(), None),
        (Limits(url=7), None),
        (Limits(url=6), Refusal.URL_TOO_LONG),
        (Limits(head=30), None),
        (Limits(head=29), Refusal.HEAD_TOO_LARGE),
    ],
)
def test_a_head_may_be_too_large(limits: Limits, refusal: Refusal | None) -> None:
    """The request line without its end, and the values of the headers."""
    assert limits.refusal("GET", b"/abc", b"d=", HEADERS, "1.1") is refusal
