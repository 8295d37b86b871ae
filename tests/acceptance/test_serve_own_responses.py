"""One project's stored responses are nobody else's, and a server that calls itself says so."""

from __future__ import annotations

from servers import RunningServer
from upstreams import Upstream


def test_a_stored_response_is_shown_to_its_own_project_only(simulated: RunningServer):
    for name in ("north", "south"):
        simulated.post("/api/projects", {"name": name})
    north, south = (simulated.new_key(project=p, name=p, role="app") for p in ("north", "south"))
    asked = {"model": "gpt-4.1-mini", "input": "How do rivers feed canals?"}
    answered = simulated.post("/v1/responses", asked, key=north).json()["id"]

    assert simulated.get(f"/v1/responses/{answered}", key=north).json()["id"] == answered
    items = simulated.get(f"/v1/responses/{answered}/input_items", key=north).json()
    assert items["data"][0]["role"] == "user"
    further = {**asked, "input": "And lakes?", "previous_response_id": answered}
    assert simulated.post("/v1/responses", further, key=north).status == 200

    assert simulated.get(f"/v1/responses/{answered}", key=south).status == 404
    assert simulated.request("DELETE", f"/v1/responses/{answered}", key=south).status == 404
    refused = simulated.post("/v1/responses", further, key=south)
    assert (refused.status, refused.error["code"]) == (400, "previous_response_not_found")

    assert simulated.request("DELETE", f"/v1/responses/{answered}", key=north).status == 200


def test_a_request_that_comes_back_is_refused(
    gateway: RunningServer, upstream: Upstream, model: str
):
    gateway.chat(model)
    via = upstream.wait_for(model).header("x-headgate-via")
    assert via
    refused = gateway.chat(model, headers={"x-headgate-via": via})
    assert (refused.status, refused.error["code"]) == (502, "upstream_loop")
    assert refused.headers["x-should-retry"] == "false"
