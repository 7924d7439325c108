"""The rule of the address guard."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weft.domain.errors import StartupError
from weft.integrations.addresses import AllowedHosts, why_closed


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200",
        "169.254.169.254", "168.63.129.16", "172.16.0.1", "172.31.255.255", "192.0.0.8", "192.0.2.1", "192.88.99.1",
        "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
        "255.255.255.255", "::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1",
        "64:ff9b::808:808", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "2002:808:808::1",
        "3fff::1", "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_closed_with_a_reason(address: str) -> None:
    assert why_closed(address)


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "172.32.0.1", "192.0.1.1", "2606:4700::1111", "2a00:1450::1"]
)
def test_a_public_address_is_open(address: str) -> None:
    assert why_closed(address) is None


@pytest.mark.parametrize("text", ["", "localhost", "1.2.3", "0x7f.1", "2130706433", "1.2.3.4.5", "[::1]"])
def test_what_is_no_address_is_closed(text: str) -> None:
    assert why_closed(text) == "not an IP address"


@given(st.ip_addresses())
def test_nothing_that_python_knows_to_be_special_is_open(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address,
) -> None:
    special = (
        address.is_private or address.is_loopback or address.is_link_local or address.is_multicast
        or address.is_reserved or address.is_unspecified
    )  # fmt: skip
    assert not special or why_closed(str(address)) is not None


def test_a_host_is_allowed_by_name_whatever_its_case_and_final_dot() -> None:
    allowed = AllowedHosts.parse(["Internal.Example"])

    assert allowed.has_host("internal.example", 80)
    assert allowed.has_host("INTERNAL.example.", 8080)
    assert not allowed.has_host("evil-internal.example", 80)
    assert not allowed.has_host("internal.example.evil", 80)


def test_a_host_with_a_port_is_allowed_on_that_port_only() -> None:
    allowed = AllowedHosts.parse(["internal.example:8080", "[::1]:9000"])

    assert allowed.has_host("internal.example", 8080)
    assert not allowed.has_host("internal.example", 80)
    assert allowed.has_host("::1", 9000)


def test_a_network_opens_its_addresses_and_no_others() -> None:
    allowed = AllowedHosts.parse(["10.1.0.0/16", "::1"])

    assert allowed.refusal("10.1.2.3") is None
    assert allowed.refusal("::1") is None
    assert allowed.refusal("10.2.0.1") == "private"
    assert allowed.refusal("nonsense") == "not an IP address"
    assert allowed.refusal("8.8.8.8") is None


@pytest.mark.parametrize("entry", ["", "https://internal.example", "a b", "*.example.com", "10.1.0.1/16", "user@host"])
def test_an_allowed_host_that_cannot_be_read_stops_the_start(entry: str) -> None:
    with pytest.raises(StartupError, match="Allowed host"):
        AllowedHosts.parse([entry])
