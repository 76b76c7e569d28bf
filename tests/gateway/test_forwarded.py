"""Who the client is."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lambent.gateway import forwarded

ADDRESSES = st.ip_addresses().map(str)


def client(*values: str, trusted: int = 1) -> tuple[str, int] | None:
    fields = [(b"x-other", b"192.0.2.1"), *((b"x-forwarded-for", value.encode("latin-1")) for value in values)]
    return forwarded.client(fields, trusted)


# Told by the door


@settings(max_examples=40)
@given(ADDRESSES)
def test_an_address_that_is_told_is_the_client_s(address: str) -> None:
    assert forwarded.told(address) == (address, 0)


@pytest.mark.parametrize("address", [None, "", "test-invoke-source-ip", 7, True, ["192.0.2.1"], {}])
def test_what_is_no_address_is_no_client(address: Any) -> None:
    assert forwarded.told(address) is None


# Told by proxies


@settings(max_examples=40)
@given(st.lists(ADDRESSES, min_size=1, max_size=5), st.integers(1, 7))
def test_the_client_is_as_far_back_as_proxies_are_trusted(addresses: list[str], trusted: int) -> None:
    expected = (addresses[max(len(addresses) - trusted, 0)], 0)
    assert client(", ".join(addresses), trusted=trusted) == expected
    assert client(*addresses, trusted=trusted) == expected


@settings(max_examples=40)
@given(st.ip_addresses(v=4).map(str) | st.ip_addresses(v=6).map(lambda address: f"[{address}]"), st.integers(0, 65535))
def test_an_address_may_have_its_port(address: str, port: int) -> None:
    assert client(f"{address}:{port}") == (address.strip("[]"), port)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("192.0.2.1:port", ("192.0.2.1", 0)),
        ("192.0.2.1:123456", ("192.0.2.1", 0)),
        ("[2001:db8::7]", ("2001:db8::7", 0)),
        ("[2001:db8::7]:x", ("2001:db8::7", 0)),
        ("2001:db8::7", ("2001:db8::7", 0)),
        ("unknown", ("unknown", 0)),
        (" 192.0.2.1 ", ("192.0.2.1", 0)),
        ("192.0.2.1,", ("192.0.2.1", 0)),
        (",192.0.2.1 ,\t", ("192.0.2.1", 0)),
    ],
)
def test_what_is_no_port_is_none_and_what_is_empty_is_no_address(value: str, expected: tuple[str, int]) -> None:
    assert client(value) == expected


@pytest.mark.parametrize("values", [(), ("",), (" ",), (",",), (", ,",), ("", "")])
def test_without_an_address_there_is_no_client(values: tuple[str, ...]) -> None:
    assert client(*values) is None


@pytest.mark.parametrize("trusted", [0, -1])
def test_without_a_trusted_proxy_there_is_no_client(trusted: int) -> None:
    assert client("192.0.2.1", trusted=trusted) is None


@settings(max_examples=40)
@given(st.text(st.characters(max_codepoint=255)), st.integers(-1, 3))
def test_whatever_a_client_claims_is_read(value: str, trusted: int) -> None:
    found = client(value, trusted=trusted)
    assert found is None or 0 <= found[1] <= 99999
