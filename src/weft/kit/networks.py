"""Network addresses, as far as one of them stands for one somebody."""

from ipaddress import IPv6Address, ip_address

LONGEST_NAME = 100
"""Of what is no address: a proxy passed on whatever somebody wrote."""
_IPV6_NETWORK = 64
"""What one household or server has of IPv6 addresses, as a prefix."""


def network_of(address: str) -> str:
    """The address itself; of an IPv6 address the network that one somebody has for himself."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address[:LONGEST_NAME]
    if not isinstance(parsed, IPv6Address):
        return address
    return address if parsed.ipv4_mapped else str(int(parsed) >> (128 - _IPV6_NETWORK))
