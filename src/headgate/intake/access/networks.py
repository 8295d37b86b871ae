"""IP addresses and networks: which client stands behind a connection, and where it belongs."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAX_HOPS = 32
"""Entries of X-Forwarded-For that are looked at, from the right; what stands before is ignored."""

_MAPPED_PREFIX = 96


@lru_cache(maxsize=4096)
def parse_address(text: str) -> Address | None:
    """The address that `text` names, or None; IPv4 within IPv6 (`::ffff:10.0.0.1`) becomes IPv4."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address


def parse_network(text: str) -> Network:
    """The network of a CIDR such as `10.0.0.0/8`, `2001:db8::/32` or a single address.

    Raises `ValueError`, also where bits beyond the prefix are set: `10.0.0.7/8` may mean
    `10.0.0.7` or `10.0.0.0/8`, and guessing would open the wrong door.
    """
    network = ipaddress.ip_network(text.strip())
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_PREFIX:
        inner = network.network_address.ipv4_mapped
        if inner is not None:
            return IPv4Network((inner, network.prefixlen - _MAPPED_PREFIX))
    return network


def parse_lenient_network(text: str) -> Network:
    """The network of a CIDR whose bits beyond the prefix may be set, as in the configuration."""
    network = ipaddress.ip_network(text, strict=False)
    return parse_network(str(network))


def is_within(address: Address | None, networks: Iterable[Network]) -> bool:
    """Whether `address` is in one of `networks`; an unknown address is in none."""
    # `in` of an address of the other family is False, not an error.
    return address is not None and any(address in network for network in networks)


class TrustedProxies:
    """Finds the client behind the proxies that an operator declared."""

    __slots__ = ("_networks",)

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = tuple(parse_lenient_network(text) for text in networks)

    def trusts(self, peer: str | None) -> bool:
        """Whether the connection's other end is a proxy that is believed."""
        return (
            peer is not None
            and bool(self._networks)
            and is_within(parse_address(peer), self._networks)
        )

    def client_address(self, peer: str | None, forwarded_for: str | None) -> str | None:
        """The client's IP address; None where nothing that is trusted names one.

        `peer` is the address of the connection's other end, None on a Unix socket.
        `forwarded_for` is X-Forwarded-For, several of them joined by commas. It is believed only
        if the peer is a trusted proxy, and then from the right: each proxy appends who it was
        called by, so the rightmost address that is no trusted proxy is the client, and whatever
        stands left of it is what the client claims.
        """
        if not self._networks or forwarded_for is None or peer is None:
            return peer
        if not is_within(parse_address(peer), self._networks):
            return peer
        client: Address | None = parse_address(peer)
        for hop in reversed(forwarded_for.rsplit(",", _MAX_HOPS)[-_MAX_HOPS:]):
            client = _hop_address(hop.strip())
            if client is None:
                return None
            if not is_within(client, self._networks):
                break
        return str(client)


def _hop_address(text: str) -> Address | None:
    """An entry of X-Forwarded-For: an address, with a port where the proxy adds one."""
    if text.startswith("["):
        return parse_address(text[1:].partition("]")[0])
    if text.count(":") == 1:
        text = text.partition(":")[0]
    return parse_address(text)
