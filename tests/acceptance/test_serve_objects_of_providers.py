"""Objects that several providers keep: each request goes where its objects are."""

from __future__ import annotations

from typing import Any

import pytest

from servers import RunningServer, StartServer
from upstreams import Upstream, completion, reply, response_object


@pytest.fixture
def server(server_with: StartServer, upstream: Upstream) -> RunningServer:
    address = upstream.base_url.removesuffix("/v1")
    return server_with(
        settings=f"""
providers:
  one: {{base_url: "{address}/one/v1", api_key: sk-one, models: [gpt-one]}}
  two: {{base_url: "{address}/two/v1", api_key: sk-two, models: [gpt-two]}}
routes:
  both:
    targets:
      - {{provider: one, model: gpt-one}}
      - {{provider: two, model: gpt-two}}
  cheap-one: {{targets: [{{provider: one, model: gpt-one}}]}}
  cheap-two: {{targets: [{{provider: one, model: gpt-one}}, {{provider: two, model: gpt-two-s}}]}}
prices:
  gpt-two: {{input: "0", output: "1000"}}
  gpt-*: {{input: "0", output: "1"}}
budgets:
  - {{per: feature, of: {{feature: one}}, usd: "0.01", window: total, cheaper_route: cheap-one}}
  - {{per: feature, of: {{feature: two}}, usd: "0.01", window: total, cheaper_route: cheap-two}}
endpoints: {{provider: two}}
"""
    )


def _stores(server: RunningServer, upstream: Upstream) -> None:
    """A vector store of provider two, and a fine-tuning job's file of provider one."""
    upstream.answers("/two/v1/vector_stores", reply({"id": "vs_two"}))
    assert server.post("/v1/vector_stores", {"name": "x"}).status == 200


def _page(*ids: str, has_more: bool = False) -> dict[str, Any]:
    return {"object": "list", "data": [{"id": name} for name in ids], "has_more": has_more}


def test_a_new_object_goes_to_its_models_provider_else_to_the_one_that_is_set(server, upstream):
    _stores(server, upstream)
    upstream.answers("gpt-one", reply({"id": "ftjob-one", "result_files": ["file-of-one"]}))
    job = server.post("/v1/fine_tuning/jobs", {"model": "gpt-one"})
    assert job.headers["x-headgate-target"] == "one"
    upstream.answers("/one/v1/files/file-of-one", reply({"id": "file-of-one"}))
    assert server.get("/v1/files/file-of-one").headers["x-headgate-target"] == "one"
    assert server.post("/v1/fine_tuning/jobs", {"model": "gpt-none"}).status == 404
    both = server.post(
        "/v1/vector_stores/vs_two/files", {"file_id": "file-of-one", "attributes": {}}
    )
    assert both.status == 400
    assert "different providers (one, two)" in both.error["message"]


def test_a_call_goes_to_the_provider_that_keeps_what_it_names(server, upstream):
    _stores(server, upstream)
    upstream.answers("gpt-two", reply(response_object("gpt-two", "completed")))
    upstream.answers("gpt-one", reply(completion("gpt-one")))
    tools = [{"type": "file_search", "vector_store_ids": ["vs_two"]}]
    led = server.post("/v1/responses", {"model": "both", "input": "?", "tools": tools})
    assert led.headers["x-headgate-target"] == "two/gpt-two"
    plain = server.post("/v1/chat/completions", {"model": "both", "messages": []})
    assert plain.headers["x-headgate-target"] == "one/gpt-one"
    wrong = server.post("/v1/responses", {"model": "gpt-one", "input": "?", "tools": tools})
    assert (wrong.status, wrong.error["param"]) == (400, "vector_store_ids")
    assert "`two`" in wrong.error["message"]


def test_a_call_is_moved_to_a_cheaper_route_only_where_what_it_names_is_kept(server, upstream):
    _stores(server, upstream)
    upstream.answers("gpt-two-s", reply(response_object("gpt-two-s", "completed")))
    tools = [{"type": "file_search", "vector_store_ids": ["vs_two"]}]
    dear = {"model": "gpt-two", "input": "?", "max_output_tokens": 100, "tools": tools}
    moved = server.post("/v1/responses", dear, headers={"x-headgate-feature": "two"})
    assert moved.headers["x-headgate-target"] == "two/gpt-two-s"
    stays = server.post("/v1/responses", dear, headers={"x-headgate-feature": "one"})
    assert (stays.status, stays.error["code"]) == (429, "budget_exceeded")


def test_a_list_shows_what_each_provider_keeps_one_after_the_other(server, upstream):
    for number in (1, 2):
        upstream.answers("/two/v1/evals", reply({"id": f"eval_two_{number}"}))
        server.post("/v1/evals", {"name": "x"})
        upstream.answers("gpt-one", reply({"id": f"ftjob-one-{number}"}))
        server.post("/v1/fine_tuning/jobs", {"model": "gpt-one"})
        upstream.answers("gpt-two", reply({"id": f"ftjob-two-{number}"}))
        server.post("/v1/fine_tuning/jobs", {"model": "gpt-two"})
    for name in ("one", "two"):
        ids = (f"ftjob-{name}-2", "ftjob-of-nobody", f"ftjob-{name}-1")
        jobs = f"/{name}/v1/fine_tuning/jobs?limit=100"
        upstream.answers(jobs, reply(_page(*ids)))
        for place, cursor in enumerate(ids):
            rest = reply(_page(*ids[place + 1 :]))
            upstream.answers(f"{jobs}&after={cursor}", rest)
    seen: list[str] = []
    after = ""
    for more in (True, True, True, False):
        page = server.get(f"/v1/fine_tuning/jobs?limit=1{after}").json()
        assert page["has_more"] is more
        seen += [job["id"] for job in page["data"]]
        after = f"&after={page['last_id']}"
    assert seen == ["ftjob-one-2", "ftjob-one-1", "ftjob-two-2", "ftjob-two-1"]
    upstream.answers("/two/v1/evals?limit=100", reply(_page("eval_two_2", "eval_two_1")))
    evals = server.get("/v1/evals")
    assert [one["id"] for one in evals.json()["data"]] == ["eval_two_2", "eval_two_1"]
    assert not [r for r in upstream.everything() if r.target.startswith("/one/v1/evals")]
