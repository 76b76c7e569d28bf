"""Where a function is said to be deployed."""

import re

from lambent.dev.doors import DOORS
from lambent.dev.doors.model import Site


def test_an_identifier_looks_like_one_of_aws() -> None:
    assert re.fullmatch(r"[a-z0-9]{32}", Site("app").identifier(32))


def test_an_identifier_is_the_same_on_every_start_and_another_for_another_function() -> None:
    assert Site("app").identifier(10) == Site("app").identifier(10) != Site("other").identifier(10)


def test_every_door_is_built_for_a_site_and_has_a_title() -> None:
    assert {name: build(Site("app")).title for name, build in DOORS.items()} == {
        "url": "Function URL",
        "http": "HTTP API",
    }
