"""Which client stands behind a connection, and is it in a network."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from headgate.intake.access.networks import (
    TrustedProxies,
    is_within,
    parse_address,
    parse_lenient_network,
    parse_network,
)

addresses = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6))


@given(addresses, st.integers(0, 32))
def test_an_address_is_within_a_network_exactly_if_their_prefixes_agree(address, prefix):
    assume(address.version == 4 or address.ipv4_mapped is None)
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    assert is_within(parse_address(str(address)), [parse_network(str(network))])
    beyond = int(network.broadcast_address) + 1
    if beyond < 2**address.max_prefixlen:
        assert not is_within(type(address)(beyond), [network])


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_written_as_ipv6_counts_as_the_ipv4_address(address):
    assert parse_address(f"::ffff:{address}") == address
    assert is_within(parse_address(f"::ffff:{address}"), [parse_network(f"{address}/32")])


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_an_ipv4_network_written_as_ipv6_counts_as_the_ipv4_network(address, prefix):
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    mapped = f"::ffff:{network.network_address}/{96 + prefix}"
    assert parse_network(mapped) == network


def test_a_zone_is_not_part_of_an_address():
    assert is_within(parse_address("fe80::1%eth0"), [parse_network("fe80::/10")])


@pytest.mark.parametrize("text", ["", "unknown", "10.0.0", "10.0.0.1.2", "1::2::3", "10.0.0.1/8"])
def test_what_is_no_address_is_in_no_network(text):
    assert parse_address(text) is None
    assert not is_within(parse_address(text), [parse_network("0.0.0.0/0"), parse_network("::/0")])


@pytest.mark.parametrize("text", ["10.0.0.7/8", "2001:db8::1/32", "10.0.0.0/33", "x", ""])
def test_a_network_that_may_be_a_slip_is_refused(text):
    with pytest.raises(ValueError):
        parse_network(text)


def test_the_configuration_may_set_bits_beyond_the_prefix():
    assert parse_lenient_network("127.0.0.1/8") == parse_network("127.0.0.0/8")


def test_an_ipv4_address_is_in_no_ipv6_network():
    assert not is_within(parse_address("10.0.0.1"), [parse_network("::/0")])


class TestTrustedProxies:
    def test_without_declared_proxies_the_peer_is_the_client_whatever_it_claims(self):
        assert TrustedProxies().client_address("203.0.113.9", "10.0.0.1") == "203.0.113.9"

    def test_an_undeclared_peer_is_not_believed(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert proxies.client_address("203.0.113.9", "192.0.2.1") == "203.0.113.9"

    def test_a_declared_proxy_tells_the_client(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert proxies.client_address("10.1.1.1", "192.0.2.1") == "192.0.2.1"

    def test_what_the_client_claims_left_of_its_own_address_is_not_believed(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert proxies.client_address("10.1.1.1", "127.0.0.1, 192.0.2.1") == "192.0.2.1"

    def test_a_chain_of_declared_proxies_is_followed(self):
        proxies = TrustedProxies(["10.0.0.0/8", "2001:db8:ffff::/48"])
        chain = "6.6.6.6, 192.0.2.1, 2001:db8:ffff::7, 10.2.2.2"
        assert proxies.client_address("10.1.1.1", chain) == "192.0.2.1"

    def test_the_leftmost_is_the_client_where_all_are_proxies(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert proxies.client_address("10.1.1.1", "10.3.3.3, 10.2.2.2") == "10.3.3.3"

    def test_a_declared_proxy_that_forwards_nothing_is_the_client(self):
        assert TrustedProxies(["10.0.0.0/8"]).client_address("10.1.1.1", None) == "10.1.1.1"

    @pytest.mark.parametrize("entry", ["192.0.2.1:4711", "[2001:db8::5]:4711", "[2001:db8::5]"])
    def test_a_port_beside_the_address_is_left_out(self, entry):
        found = TrustedProxies(["10.0.0.0/8"]).client_address("10.1.1.1", entry)
        assert found in ("192.0.2.1", "2001:db8::5")

    @pytest.mark.parametrize("chain", ["unknown", "", "192.0.2.1, _hidden", "192.0.2.1, ,"])
    def test_an_entry_that_names_nobody_leaves_the_client_unknown(self, chain):
        assert TrustedProxies(["10.0.0.0/8"]).client_address("10.1.1.1", chain) is None

    def test_the_other_end_of_a_unix_socket_is_nobody(self):
        assert TrustedProxies(["10.0.0.0/8"]).client_address(None, "192.0.2.1") is None

    def test_a_proxy_seen_as_ipv4_within_ipv6_is_recognised(self):
        proxies = TrustedProxies(["10.0.0.0/8"])
        assert proxies.client_address("::ffff:10.1.1.1", "192.0.2.1") == "192.0.2.1"

    @given(st.lists(addresses, max_size=50), addresses)
    def test_nothing_that_a_client_sends_changes_who_it_is(self, claims, client):
        proxies = TrustedProxies(["10.9.9.9"])
        if str(client) == "10.9.9.9":
            return
        chain = ", ".join([*map(str, claims), str(client)])
        assert proxies.client_address("10.9.9.9", chain) == str(parse_address(str(client)))

    def test_an_endless_chain_is_cut(self):
        chain = "192.0.2.1, " + ", ".join(["10.0.0.1"] * 100_000)
        assert TrustedProxies(["10.0.0.0/8"]).client_address("10.1.1.1", chain) == "10.0.0.1"
