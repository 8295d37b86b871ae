"""Requests that leave the model to the provider: where they go, and who may make them."""

from __future__ import annotations

import pytest

from servers import RunningServer, StartServer
from upstreams import Upstream, reply, response_object

PROMPT = {"prompt": {"id": "pmpt_1"}}
FORM = "multipart/form-data; boundary=x1"
PICTURE = b'--x1\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\nx\r\n'
USED = {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}


def settings(upstream: Upstream, more: str) -> str:
    """Of three servers the first serves certain models only, and the second keeps new objects."""
    address = upstream.base_url.removesuffix("/v1")
    return f"""
providers:
  certain: {{base_url: "{address}/certain/v1", api_key: sk-one, models: [gpt-certain]}}
  first: {{base_url: "{address}/first/v1", api_key: sk-two}}
  second: {{base_url: "{address}/second/v1", api_key: sk-three}}
prices:
  gpt-answered: {{input: "1", output: "2"}}
{more}
"""


@pytest.fixture
def server(shared_with: StartServer, upstream: Upstream) -> RunningServer:
    """One whose operator says nothing of requests without a model, but of two features' costs."""
    return shared_with(
        settings=settings(
            upstream,
            """
routes: {other: {targets: [{provider: second, model: gpt-of-second}]}}
budgets:
  - {per: key, of: {feature: strict}, usd: "1", window: month}
  - {per: key, of: {feature: lenient}, usd: "0.00003", window: month, unpriced: allow}
""",
        )
    )


def answering(upstream: Upstream, *providers: str) -> None:
    for name in providers:
        answer = response_object("gpt-answered", "completed", id=f"resp_{name}", usage=USED)
        upstream.answers(f"/{name}/v1/responses", reply(answer))
        upstream.answers(f"/{name}/v1/images/generations", reply({"created": 1, "data": []}))
        upstream.answers(f"/{name}/v1/images/variations", reply({"created": 1, "data": []}))


def test_the_first_provider_that_may_choose_gets_it_and_the_reply_tells_the_price(
    server: RunningServer, upstream: Upstream
):
    answering(upstream, "first")
    answered = server.post("/v1/responses", PROMPT)
    assert (answered.status, answered.headers["x-headgate-target"]) == (200, "first")
    assert upstream.requests("/first/v1/responses")[-1].json() == PROMPT
    record = server.record(id=answered.headers["x-headgate-call-id"])
    assert (record["model_requested"], record["model_answered"]) == (None, "gpt-answered")
    assert record["cost_nanousd"] == 10 * 1_000 + 5 * 2_000
    assert answered.headers["x-headgate-cost-usd"] == "0.00002"
    drawn = server.post("/v1/images/generations", {"prompt": "A river", "model": None})
    assert upstream.requests("/first/v1/images/generations")[-1].json() == {"prompt": "A river"}
    record = server.record(id=drawn.headers["x-headgate-call-id"])
    assert (record["model_answered"], record["cost_nanousd"]) == (None, None), "unpriced, not free"
    assert not [r for r in upstream.everything() if r.target.startswith(("/certain", "/second"))]


def test_it_goes_to_no_other_provider_when_that_one_fails(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(
        settings=settings(
            upstream, "endpoints: {provider: second}\nretries: {max_attempts: 2, base_delay_s: 0}"
        )
    )
    answering(upstream, "first", "second")
    upstream.answers("/second/v1/images/generations", reply({"error": {}}, status=500))
    before = len(upstream.requests("/first/v1/images/generations"))
    assert server.post("/v1/images/generations", {"prompt": "A river"}).status == 500
    assert len(upstream.requests("/second/v1/images/generations")) == 2
    assert len(upstream.requests("/first/v1/images/generations")) == before


def test_it_goes_to_the_provider_that_keeps_what_it_goes_on_from(
    server: RunningServer, upstream: Upstream
):
    answering(upstream, "first", "second")
    kept = response_object("gpt-of-second", "completed", id="resp_kept")
    upstream.answers("gpt-of-second", reply(kept))
    assert server.post("/v1/responses", {"model": "other", "input": "?"}).status == 200
    further = {**PROMPT, "previous_response_id": "resp_kept"}
    assert server.post("/v1/responses", further).headers["x-headgate-target"] == "second"


def test_a_provider_for_certain_models_only_is_left_no_choice(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(settings=settings(upstream, "endpoints: {provider: certain}"))
    refused = server.post("/v1/responses", PROMPT)
    assert (refused.status, refused.error["param"]) == (400, "model")
    assert "no provider here can be left to choose" in refused.error["message"]


def test_a_key_of_certain_models_may_not_leave_the_choice_open(
    server: RunningServer, upstream: Upstream
):
    answering(upstream, "first")
    key = server.new_key(models=["gpt-*"])
    before = len(upstream.asked())
    for path, body in (("responses", PROMPT), ("images/generations", {"prompt": "x"})):
        refused = server.post(f"/v1/{path}", body, key=key)
        assert (refused.status, refused.error["code"]) == (403, "model_not_allowed")
        assert "doesn't name" in refused.error["message"]
    assert len(upstream.asked()) == before
    assert server.post("/v1/responses", PROMPT, key=server.new_key(models=["*"])).status == 200


def test_a_budget_refuses_what_it_can_not_reserve_for(server: RunningServer, upstream: Upstream):
    answering(upstream, "first")
    before = len(upstream.asked())
    refused = server.post("/v1/responses", PROMPT, headers={"x-headgate-feature": "strict"})
    assert refused.status >= 400
    assert "price" in refused.error["message"]
    assert len(upstream.asked()) == before


def test_a_budget_that_allows_it_is_charged_what_the_reply_tells(
    server: RunningServer, upstream: Upstream
):
    answering(upstream, "first")
    feature = {"x-headgate-feature": "lenient"}
    statuses = [server.post("/v1/responses", PROMPT, headers=feature).status for _ in range(3)]
    assert statuses == [200, 200, 429], "two cost more than it has"


def test_an_operators_default_is_as_if_it_had_been_named(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(
        settings=settings(
            upstream,
            """
routes: {pictures: {targets: [{provider: second, model: gpt-pictures}]}}
endpoints:
  default_models:
    images/generations: pictures
    images/variations: pictures
    responses: gpt-answered
""",
        )
    )
    answering(upstream, "first", "second")
    upstream.answers("gpt-pictures", reply({"created": 1, "data": []}))
    drawn = server.post("/v1/images/generations", {"prompt": "A river"})
    assert drawn.headers["x-headgate-target"] == "second/gpt-pictures"
    record = server.record(id=drawn.headers["x-headgate-call-id"])
    assert (record["model_requested"], record["route"]) == ("pictures", "pictures")
    varied = server.request(
        "POST", "/v1/images/variations", PICTURE + b"--x1--\r\n", headers={"content-type": FORM}
    )
    assert varied.status == 200
    sent = upstream.requests("/second/v1/images/variations")[-1].body
    assert b'name="model"\r\n\r\ngpt-pictures\r\n' in sent
    assert sent.endswith(PICTURE + b"--x1--\r\n")
    key = server.new_key(models=["pictures"])
    assert server.post("/v1/images/generations", {"prompt": "x"}, key=key).status == 200
    assert server.post("/v1/responses", {"input": "?"}, key=key).status == 403
    assert server.post("/v1/responses", PROMPT).headers["x-headgate-target"] == "first"
    assert upstream.requests("/first/v1/responses")[-1].json() == PROMPT
