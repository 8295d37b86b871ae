"""Providers that are not OpenAI: Azure's addresses and tokens, and servers that can do less."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from anthropics import answer, judge, text
from headgate.cli.init import write_example
from servers import PROVIDER_KEY, RunningServer, StartServer, end_server, start_server, until
from upstreams import (
    DONE,
    Upstream,
    chat_event,
    chat_usage,
    chat_words,
    completion,
    error,
    reply,
    response_object,
    stream,
)

HELLO: Any = [{"role": "user", "content": "Hello"}]
SECRET = "entra-secret-3d5a-never-to-be-seen"
TOKEN = "eyJ0eXAiOiJKV1Qi.entra-token-never-to-be-seen"
TOKEN_TARGET = "/tenant-a/oauth2/v2.0/token"


def settings(upstream: Upstream) -> str:
    """Each kind, all at the same address."""
    address = upstream.base_url.removesuffix("/v1")
    return f"""
providers:
  azure:
    kind: azure
    base_url: {address}
    api_key: {PROVIDER_KEY}
    models: [azure-*, gpt-at-azure]
    deployments: {{ gpt-at-azure: Our-Deployment.1 }}
  newer:
    kind: azure
    base_url: {address}
    api_key: {PROVIDER_KEY}
    api_version: v1
    models: [newer-*]
  entra:
    kind: azure
    base_url: {address}
    models: [entra-*]
    azure_ad:
      tenant_id: tenant-a
      client_id: app-1
      client_secret: {SECRET}
      authority: {address}
  small:
    base_url: {upstream.base_url}
    api_key: {PROVIDER_KEY}
    capabilities: [chat, streaming]
    models: [small-*]
  large:
    base_url: {upstream.base_url}
    api_key: {PROVIDER_KEY}
    models: [large-*]
retries: {{ base_delay_s: 0.01, max_delay_s: 0.05 }}
routes:
  ladder:
    targets:
      - {{ provider: small, model: small-ladder }}
      - {{ provider: large, model: large-ladder }}
"""


@pytest.fixture(scope="module")
def server(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    folder = tmp_path_factory.mktemp("providers") / "server"
    answer_tokens(upstream)
    server = start_server(folder, settings=settings(upstream))
    yield server
    for hidden in (SECRET, TOKEN):
        assert hidden not in server.stdout() + server.stderr()
    end_server(server)


def answer_tokens(upstream: Upstream) -> None:
    token = {"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN}
    upstream.answers(TOKEN_TARGET, reply(token))


def test_azure_is_asked_at_the_deployments_address(
    server: RunningServer, upstream: Upstream, model: str
):
    name = f"azure-{model}"
    filtered = {"choices": [], "prompt_filter_results": [{"prompt_index": 0}], "usage": None}
    upstream.answers(
        name,
        reply(completion("gpt-4.1-2025-04-14", prompt_filter_results=[{"prompt_index": 0}])),
        stream(
            b"data: " + json.dumps(filtered).encode() + b"\n\n",
            *chat_words(name, "Water"),
            chat_event(name, {}, content_filter_results={"hate": {"filtered": False}}),
            chat_usage(name),
            DONE,
        ),
    )
    answered = server.chat(name)
    assert answered.status == 200, answered.body
    assert answered.json()["prompt_filter_results"] == [{"prompt_index": 0}]
    asked = upstream.wait_for(name)
    assert asked.target == f"/openai/deployments/{name}/chat/completions?api-version=2024-10-21"
    assert asked.header("api-key") == PROVIDER_KEY
    assert asked.header("authorization") is None
    record = server.record(id=answered.headers["x-headgate-call-id"])
    assert (record["provider"], record["input_tokens"]) == ("azure", 9)
    body = {"model": name, "messages": HELLO, "stream": True}
    told = server.post("/v1/chat/completions", body).body
    assert b"prompt_filter_results" in told
    assert b"content_filter_results" in told
    assert told.endswith(DONE)


def test_a_models_deployment_is_the_configured_one(server: RunningServer, upstream: Upstream):
    upstream.answers("Our-Deployment.1", reply(completion("gpt-4.1")))
    assert server.chat("gpt-at-azure").status == 200
    asked = upstream.wait_for("Our-Deployment.1")
    assert asked.target.startswith("/openai/deployments/Our-Deployment.1/chat/completions?")
    assert asked.json()["model"] == "Our-Deployment.1"


def test_azures_embeddings_have_a_deployment_too(
    server: RunningServer, upstream: Upstream, model: str
):
    name = f"azure-{model}"
    usage = {"prompt_tokens": 2, "total_tokens": 2}
    upstream.answers(name, reply({"object": "list", "data": [], "model": name, "usage": usage}))
    answered = server.post("/v1/embeddings", {"model": name, "input": "Hello"})
    assert answered.status == 200
    target = upstream.wait_for(name).target
    assert target == f"/openai/deployments/{name}/embeddings?api-version=2024-10-21"


@pytest.mark.parametrize("provider", ["azure", "newer"])
def test_azures_responses_stand_under_v1(
    server: RunningServer, upstream: Upstream, model: str, provider: str
):
    name = f"{provider}-{model}"
    upstream.answers(name, reply(response_object(name, "completed", id=f"resp_{name}")))
    answered = server.post("/v1/responses", {"model": name, "input": "Hello"})
    assert answered.status == 200
    asked = upstream.wait_for(name)
    assert asked.target == "/openai/v1/responses"
    assert asked.json()["model"] == name
    kept = f"/openai/v1/responses/resp_{name}"
    upstream.answers(kept, reply(response_object(name, "completed")))
    assert server.get(f"/v1/responses/resp_{name}").status == 200
    assert upstream.requests(kept)[0].header("api-key") == PROVIDER_KEY


def test_azures_newer_surface_takes_chats_under_v1(
    server: RunningServer, upstream: Upstream, model: str
):
    name = f"newer-{model}"
    upstream.answers(name, reply(completion(name)))
    assert server.chat(name).status == 200
    assert upstream.wait_for(name).target == "/openai/v1/chat/completions"


def test_azures_content_filter_speaks_for_itself(
    server: RunningServer, upstream: Upstream, model: str
):
    name = f"azure-{model}"
    upstream.answers(name, error(400, "content_filter"))
    refused = server.chat(name)
    assert (refused.status, refused.error["code"]) == (400, "content_filter")
    assert len(upstream.requests(name)) == 1


def test_entras_token_stands_for_the_key(server: RunningServer, upstream: Upstream, model: str):
    name = f"entra-{model}"
    upstream.answers(name, reply(completion(name, f"I saw {TOKEN}")))
    for _ in range(3):
        answered = server.chat(name)
        assert answered.status == 200
        assert TOKEN.encode() not in answered.body
    asked = upstream.wait_for(name)
    assert asked.header("authorization") == f"Bearer {TOKEN}"
    assert asked.header("api-key") is None
    tokens = upstream.requests(TOKEN_TARGET)
    assert len(tokens) == 1
    assert tokens[0].header("content-type") == "application/x-www-form-urlencoded"
    assert tokens[0].body.decode() == (
        f"grant_type=client_credentials&client_id=app-1&client_secret={SECRET}"
        "&scope=https%3A%2F%2Fcognitiveservices.azure.com%2F.default"
    )


def test_a_token_that_is_refused_is_the_operators_business(
    server_with: StartServer, upstream: Upstream, model: str
):
    text = settings(upstream).replace("tenant-a", "tenant-b")
    target = TOKEN_TARGET.replace("tenant-a", "tenant-b")
    upstream.answers(target, reply({"error": "invalid_client", "tenant": "tenant-b"}, status=401))
    server = server_with(settings=text)
    refused = server.chat(f"entra-{model}")
    assert refused.status == 502
    assert "providers.entra.azure_ad" in refused.error["message"]
    assert upstream.requests(f"entra-{model}") == []


def test_a_token_that_its_provider_refuses_is_fetched_anew_once(
    server_with: StartServer, upstream: Upstream, model: str
):
    text = settings(upstream).replace("tenant-a", "tenant-c")
    target = TOKEN_TARGET.replace("tenant-a", "tenant-c")
    tokens = [
        reply({"token_type": "Bearer", "expires_in": 3599, "access_token": f"{TOKEN}-{number}"})
        for number in (1, 2, 3)
    ]
    upstream.answers(target, *tokens)
    server = server_with(settings=text)
    name = f"entra-{model}"
    upstream.answers(name, error(401, "token_revoked"), reply(completion(name)))
    assert server.chat(name).status == 200
    asked = [request.header("authorization") for request in upstream.requests(name)]
    assert asked == [f"Bearer {TOKEN}-1", f"Bearer {TOKEN}-2"]
    upstream.answers(name, error(401, "no_role"))
    for _ in range(3):
        assert server.chat(name).error["code"] == "upstream_authentication_failed"
    assert len(upstream.requests(target)) == 2
    assert len(upstream.requests(name)) == 5


def test_the_effective_configuration_hides_the_secret(server: RunningServer):
    shown = server.get("/api/config")
    assert shown.status == 200
    assert SECRET.encode() not in shown.body
    providers = shown.json()["providers"]
    assert providers["entra"]["azure_ad"]["client_secret"] == "set"
    assert providers["small"]["capabilities"] == ["chat", "streaming"]
    assert providers["large"]["capabilities"] == "all"
    assert "moderations" not in providers["azure"]["capabilities"]


@pytest.mark.parametrize(
    ("path", "fields", "capability"),
    [
        ("chat/completions", {"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        (
            "chat/completions",
            {"messages": [{"role": "user", "content": [
                {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
            ]}]},
            "vision",
        ),
        (
            "chat/completions",
            {"response_format": {"type": "json_schema", "json_schema": {"name": "x"}}},
            "json_schema",
        ),
        ("responses", {"input": "Hello"}, "responses"),
        ("embeddings", {"input": "Hello"}, "embeddings"),
        ("moderations", {"input": "Hello"}, "moderations"),
    ],
)  # fmt: skip
def test_what_a_provider_can_not_do_is_done_by_the_next(
    server: RunningServer, upstream: Upstream, path: str, fields: dict[str, Any], capability: str
):
    body = {"messages": HELLO, **fields} if path == "chat/completions" else fields
    upstream.answers("large-ladder", reply(completion("large-ladder")))
    answered = server.post(f"/v1/{path}", {"model": "ladder", **body})
    assert answered.status == 200, answered.body
    assert answered.headers["x-headgate-target"] == "large/large-ladder"
    assert answered.headers["x-headgate-attempts"] == "1"
    refused = server.post(f"/v1/{path}", {"model": "small-x", **body})
    assert (refused.status, refused.error["code"]) == (400, "unsupported_by_provider")
    assert refused.error["param"] in {"model", *body}
    assert capability in refused.error["message"]
    assert "`small`" in refused.error["message"]
    record = server.record(id=refused.headers["x-headgate-call-id"])
    assert (record["status"], record["cost_nanousd"], record["attempts"]) == (400, 0, 0)
    assert upstream.requests("small-x") == []


def test_what_a_provider_can_do_it_does(server: RunningServer):
    said = '{"type":"image_url"} and "tools"'
    answered = server.chat("ladder", text=said)
    assert answered.headers["x-headgate-target"] == "small/small-ladder"
    answered = server.post(
        "/v1/chat/completions", {"model": "ladder", "messages": HELLO, "tools": [], "stream": True}
    )
    assert answered.headers["x-headgate-target"] == "small/small-ladder"


def test_deployed_models_are_listed_and_deployable_ones_are_not(
    server: RunningServer, upstream: Upstream
):
    upstream.answers("/openai/v1/models", reply({"data": [{"id": "azure-could-be-deployed"}]}))

    def listed() -> Any:
        found = {model["id"] for model in server.get("/v1/models").json()["data"]}
        return found if "gpt-at-azure" in found else None

    # A provider that did not answer is asked again after five seconds.
    found = until(listed, 8.0, every_s=0.5)
    assert found is not None
    assert "azure-could-be-deployed" not in found
    keys = {request.header("api-key") for request in upstream.requests("/openai/v1/models")}
    tokens = {request.header("authorization") for request in upstream.requests("/openai/v1/models")}
    assert keys == {PROVIDER_KEY, None}
    assert tokens == {f"Bearer {TOKEN}", None}


def test_a_workflow_is_answered_by_anthropic_and_asked_again_where_a_check_fails(
    server_with: StartServer, upstream: Upstream, model: str, tmp_path: Path
):
    name = f"claude-{model}"
    summary = {
        "tldr": "Sales rose.",
        "key_points": ["Sales rose", "Costs fell", "Nothing else changed"],
        "dates": [],
        "names": ["Somebody Invented"],
        "follow_up_questions": ["Why?", "Until when?"],
    }
    upstream.answers(
        name,
        answer(text(json.dumps(summary))),
        answer(text(json.dumps(summary | {"names": []}))),
    )
    write_example(tmp_path / "example")
    # Their connectors and tools stand in the file that is written anew here.
    for other in ("renewal-brief", "ticket-intake"):
        shutil.rmtree(tmp_path / "example" / "workflows" / other)
    server = server_with(
        folder=tmp_path / "example",
        settings=f"""
providers:
  claude:
    kind: anthropic
    base_url: {upstream.base_url}
    api_key: {PROVIDER_KEY}
routes:
  summaries: {{ targets: [{{ provider: claude, model: {name} }}] }}
  triage: {{ targets: [{{ provider: claude, model: {name} }}] }}
""",
    )
    report = {"title": "Q3", "text": "Sales rose and costs fell."}
    done = server.post("/api/workflows/report-summary/runs", {"input": report})
    assert done.status == 200, done.body
    run = done.json()
    assert (run["status"], run["fallback"]) == ("completed", False)
    assert run["output"]["tldr"] == "Sales rose."
    first, second = (request.json() for request in upstream.requests(name))
    judge(first)
    judge(second)
    assert first["output_config"]["format"]["schema"]["required"] == list(summary)
    added = second["messages"][len(first["messages"]) :]
    assert [turn["role"] for turn in added] == ["assistant", "user"]


@pytest.mark.parametrize(("answered", "ready"), [(401, 503), (200, 200)])
def test_a_server_is_ready_when_anthropic_accepts_its_key(
    server_with: StartServer, upstream: Upstream, answered: int, ready: int
):
    address = f"{upstream.base_url.removesuffix('/v1')}/answers-{answered}"
    lines = f"kind: anthropic, base_url: '{address}', api_key: {PROVIDER_KEY}"
    listed = f"/answers-{answered}/v1/models?limit=1000"
    upstream.answers(listed, reply({"data": []}, status=answered))
    server = server_with(settings=f"providers: {{ claude: {{ {lines} }} }}")
    assert server.get("/readyz", key=None).status == ready
