"""Ids in the forms of AWS."""

import os
import re
import uuid

import pytest

from lambent.dev import identifiers

NOW = 1783711145.5


def zeros(count: int) -> bytes:
    return bytes(count)


def test_a_request_id_is_a_random_uuid() -> None:
    assert uuid.UUID(identifiers.request_id(os.urandom)).version == 4


def test_a_gateway_id_has_sixteen_characters_and_ends_in_an_equals_sign() -> None:
    assert re.fullmatch(r"[A-Za-z0-9+/]{15}=", identifiers.gateway_id(os.urandom))


def test_a_trace_is_new_where_the_client_brought_none() -> None:
    expected = "Root=1-6a5143a9-000000000000000000000000;Parent=0000000000000000;Sampled=0"
    assert identifiers.trace("", 0x6A5143A9, zeros) == expected


@pytest.mark.parametrize(
    "received",
    [
        "Root=1-5759e988-bd862e3fe1be46a994272793",
        "Self=1-2-3;Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=1",
        "root=1-5759e988-bd862e3fe1be46a994272793 ; Parent=53995c3f42cd8ad8",
    ],
)
def test_the_client_s_root_is_taken_over(received: str) -> None:
    trace = identifiers.trace(received, NOW, zeros)
    assert trace == "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=0000000000000000;Sampled=0"


@pytest.mark.parametrize("received", ["Root=1-xyz", "nonsense", "Root=1-5759e988-bd86;x", "\r\nRoot=\n"])
def test_a_root_that_is_none_is_not(received: str) -> None:
    assert identifiers.trace(received, NOW, zeros).startswith("Root=1-6a5")
