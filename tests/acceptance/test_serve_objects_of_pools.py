"""Objects of a provider with several keys: each is seen by the key that made it, and no other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from servers import PROVIDER_KEY, RunningServer, end_server, start_server
from upstreams import Upstream, error, reply, response_object, upstream_running

NAMES = ("first", "second")


@pytest.fixture
def own_upstream() -> Iterator[Upstream]:
    with upstream_running() as running:
        yield running


def settings_with(upstream: Upstream, *names: str) -> str:
    keys = "".join(f"\n      - {{name: {name}, api_key: {PROVIDER_KEY}-{name}}}" for name in names)
    return f"""
providers:
  openai:
    base_url: "{upstream.base_url}"
    key_probe_s: 60
    keys:{keys}
"""


@pytest.fixture
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pool") / "server"


@pytest.fixture
def server(own_upstream: Upstream, folder: Path) -> Iterator[RunningServer]:
    started = start_server(folder, settings=settings_with(own_upstream, *NAMES))
    yield started
    end_server(started)


def keys_asked(upstream: Upstream, target: str) -> list[str]:
    sent = [request.header("authorization") for request in upstream.requests(target)]
    return [authorization.rpartition("-")[2] for authorization in sent]


def two_homes(server: RunningServer, upstream: Upstream) -> dict[str, str]:
    """Of each key, the virtual key of a project whose objects it makes."""
    homes: dict[str, str] = {}
    for number in range(40):
        server.post("/api/projects", {"name": f"team-{number}"})
        key = server.new_key(project=f"team-{number}")
        made = {"id": f"vs_of_team_{number}"}
        upstream.answers("/v1/vector_stores", reply(made))
        assert server.post("/v1/vector_stores", {"name": "x"}, key=key).status == 200
        homes.setdefault(keys_asked(upstream, "/v1/vector_stores")[-1], key)
        if len(homes) == len(NAMES):
            return homes
    raise AssertionError(f"one key made everything: {homes}")


def make(server: RunningServer, upstream: Upstream, key: str, made_id: str) -> None:
    upstream.answers("/v1/vector_stores", reply({"id": made_id}))
    assert server.post("/v1/vector_stores", {"name": made_id}, key=key).status == 200


def test_what_a_key_made_is_asked_for_with_that_key(server: RunningServer, own_upstream: Upstream):
    homes = two_homes(server, own_upstream)
    for name, key in homes.items():
        make(server, own_upstream, key, f"vs_{name}")
        assert keys_asked(own_upstream, "/v1/vector_stores")[-1] == name
        own_upstream.answers(f"/v1/vector_stores/vs_{name}", reply({"id": f"vs_{name}"}))
        for _ in range(3):
            assert server.get(f"/v1/vector_stores/vs_{name}", key=key).status == 200
        assert keys_asked(own_upstream, f"/v1/vector_stores/vs_{name}") == [name] * 3
        tools = [{"type": "file_search", "vector_store_ids": [f"vs_{name}"]}]
        own_upstream.answers("m", reply(response_object("m", "completed", id=f"resp_{name}")))
        for _ in range(3):
            body = {"model": "m", "input": "?", "tools": tools}
            assert server.post("/v1/responses", body, key=key).status == 200
        assert keys_asked(own_upstream, "m")[-3:] == [name] * 3
        page = {"object": "list", "data": [{"id": f"vs_{name}"}], "has_more": False}
        own_upstream.answers("/v1/vector_stores?limit=100", reply(page))
        shown = server.get("/v1/vector_stores", key=key).json()["data"]
        assert [one["id"] for one in shown] == [f"vs_{name}"]
        assert keys_asked(own_upstream, "/v1/vector_stores?limit=100")[-1] == name
        own_upstream.answers("/v1/vector_stores?limit=100", reply({**page, "data": []}))


def test_what_two_keys_made_can_not_be_named_together(
    server: RunningServer, own_upstream: Upstream
):
    key = server.new_key()
    make(server, own_upstream, key, "vs_at_home")
    home = keys_asked(own_upstream, "/v1/vector_stores")[-1]
    away = next(name for name in NAMES if name != home)
    refused, made = error(401, "invalid_api_key"), reply({"id": "vs_away"})
    own_upstream.answers("/v1/vector_stores", made, refused, made)
    assert server.post("/v1/vector_stores", {"name": "y"}, key=key).status == 200
    assert keys_asked(own_upstream, "/v1/vector_stores")[-2:] == [home, away]
    assert [line["provider_key"] for line in server.log() if line["event"] == "provider_key_out"]
    ids = ["vs_at_home", "vs_away"]
    tools = [{"type": "file_search", "vector_store_ids": ids}]
    body = {"model": "m", "input": "?", "tools": tools}
    both = server.post("/v1/responses", body, key=key)
    assert (both.status, both.error["code"]) == (400, "objects_of_different_keys")
    source = {"type": "file_search", "vector_store_ids": ids}
    both = server.post("/v1/evals", {"name": "e", "data_source_config": source}, key=key)
    assert (both.status, both.error["code"]) == (400, "objects_of_different_keys")
    assert home in both.error["message"]
    assert away in both.error["message"]


def test_objects_of_a_key_that_was_taken_away_say_so(
    server: RunningServer, own_upstream: Upstream, folder: Path
):
    homes = two_homes(server, own_upstream)
    for name, key in homes.items():
        make(server, own_upstream, key, f"vs_{name}")
    end_server(server)
    left = start_server(folder, settings=settings_with(own_upstream, "second"))
    try:
        gone = left.get("/v1/vector_stores/vs_first", key=homes["first"])
        assert (gone.status, gone.error["code"]) == (404, "provider_key_not_set_up")
        assert "`first`" in gone.error["message"]
        tools = [{"type": "file_search", "vector_store_ids": ["vs_first"]}]
        body = {"model": "m", "input": "?", "tools": tools}
        call = left.post("/v1/responses", body, key=homes["first"])
        assert (call.status, call.error["code"]) == (400, "provider_key_not_set_up")
        assert left.get("/v1/vector_stores", key=homes["first"]).json()["data"] == []
        own_upstream.answers("/v1/vector_stores/vs_second", reply({"id": "vs_second"}))
        assert left.get("/v1/vector_stores/vs_second", key=homes["second"]).status == 200
    finally:
        end_server(left)
