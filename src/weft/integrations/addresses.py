"""Which addresses may be reached. Pure: no name is resolved here, no socket opened.

IPv4 is public unless it stands in the table below. IPv6 is closed unless it is global unicast, since its special ranges
are many and grow, and several of them (mapped, NAT64, 6to4, Teredo) carry an IPv4 address that would pass unseen.

Source: the special-purpose address registries of IANA (RFC 6890 and its successors).
"""

import ipaddress
import re
from collections.abc import Iterable
from dataclasses import dataclass

from weft.domain.errors import StartupError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CLOSED_IPV4 = {
    "0.0.0.0/8": "this network",
    "10.0.0.0/8": "private",
    "100.64.0.0/10": "shared by a carrier",
    "127.0.0.0/8": "loopback",
    "169.254.0.0/16": "link-local",
    "168.63.129.16/32": "a cloud metadata service",
    "172.16.0.0/12": "private",
    "192.0.0.0/24": "reserved",
    "192.0.2.0/24": "for documentation",
    "192.88.99.0/24": "a 6to4 relay",
    "192.168.0.0/16": "private",
    "198.18.0.0/15": "for benchmarks",
    "198.51.100.0/24": "for documentation",
    "203.0.113.0/24": "for documentation",
    "224.0.0.0/4": "multicast",
    "240.0.0.0/4": "reserved",
}
_CLOSED_IPV6 = {
    "2001::/23": "reserved (Teredo and others)",
    "2001:db8::/32": "for documentation",
    "2002::/16": "6to4",
    "3fff::/20": "for documentation",
}
_GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
_CLOSED: tuple[tuple[Network, str], ...] = tuple(
    (ipaddress.ip_network(block), meaning) for block, meaning in (_CLOSED_IPV4 | _CLOSED_IPV6).items()
)
_HOST = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?)(:(?P<port>[0-9]{1,5}))?\.?")


def why_closed(address: str) -> str | None:
    """Why this address is not public; None where it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "not an IP address"
    for network, meaning in _CLOSED:
        if parsed in network:
            return meaning
    if parsed.version == 6 and parsed not in _GLOBAL_UNICAST:  # noqa: PLR2004 - the version of the protocol
        return "not global unicast"
    return None


@dataclass(frozen=True, slots=True)
class AllowedHosts:
    """What an administrator allowed beyond public addresses."""

    hosts: frozenset[str] = frozenset()
    """Names in lower case, with `:port` where only that port is allowed."""
    networks: tuple[Network, ...] = ()

    @classmethod
    def parse(cls, entries: Iterable[str]) -> "AllowedHosts":
        """Each entry is a host, a host with a port, an address or a network in CIDR notation."""
        hosts: set[str] = set()
        networks: list[Network] = []
        for entry in entries:
            text = entry.strip().lower()
            try:
                networks.append(ipaddress.ip_network(text))
            except ValueError:
                hosts.add(_host_entry(text))
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str, port: int) -> bool:
        """Whether the name itself is allowed, wherever it leads."""
        name = host.lower().removesuffix(".")
        return name in self.hosts or f"{name}:{port}" in self.hosts

    def refusal(self, address: str) -> str | None:
        """Why this address may not be reached; None where it may."""
        if (meaning := why_closed(address)) is None:
            return None
        if self.networks and (parsed := _parse(address)) is not None and any(parsed in it for it in self.networks):
            return None
        return meaning


def _parse(address: str) -> Address | None:
    try:
        return ipaddress.ip_address(address)
    except ValueError:
        return None


def _host_entry(text: str) -> str:
    match = _HOST.fullmatch(text)
    if match is None:
        raise StartupError(
            f"Allowed host {text!r} is neither a host (api.example.com), nor a host with a port (api.example.com:8080), "
            "nor an address or network without host bits (10.1.0.0/16)."
        )
    host = match["host"].strip("[]")
    return f"{host}:{match['port']}" if match["port"] else host
