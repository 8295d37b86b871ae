"""What a command says of a server's address that it was given."""

from __future__ import annotations

import pytest

from headgate.cli.api_client import ApiClient
from headgate.errors import UnavailableError
from headgate.simulator import SimulatorConfig, serve_in_thread

KEY = {"HEADGATE_API_KEY": "hg_any"}


def test_the_address_that_the_sdks_are_given_will_do():
    with serve_in_thread(SimulatorConfig(tokens_per_s=0)) as simulator:
        assert simulator.base_url.endswith("/v1")
        client = ApiClient(simulator.base_url, KEY)
        try:
            status, answer, _ = client.get("/v1/models")
        finally:
            client.close()
    assert (status, answer["object"]) == (200, "list")


def test_a_server_without_tls_is_told_from_one_that_is_not_there():
    with serve_in_thread(SimulatorConfig(tokens_per_s=0)) as simulator:
        address = simulator.base_url.replace("http://", "https://")
        with pytest.raises(UnavailableError, match=r"speaks no TLS .* write http://"):
            ApiClient(address, KEY).get("/api/runs")
    with pytest.raises(UnavailableError, match="no host of the name"):
        ApiClient("http://nowhere.invalid", KEY).get("/api/runs")
    with pytest.raises(UnavailableError, match="start one with `headgate serve`"):
        ApiClient("http://127.0.0.1:1", KEY).get("/api/runs")
