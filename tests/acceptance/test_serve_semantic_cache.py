"""Inputs that are alike share an answer where the operator said so, and near misses are told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripted_workflows import write_cached_project
from servers import ADMIN_KEY, RunningServer, StartServer, headgate, until
from upstreams import Script, Upstream, completion, error, reply


def vector(*numbers: float) -> Script:
    data = [{"object": "embedding", "index": 0, "embedding": list(numbers)}]
    usage = {"prompt_tokens": 3, "total_tokens": 3}
    return reply({"object": "list", "data": data, "model": "e", "usage": usage})


def label(model: str, text: str) -> Script:
    return reply(completion(model, json.dumps({"label": text})))


@pytest.fixture
def labelling(
    server_with: StartServer, upstream: Upstream, model: str, tmp_path: Path
) -> RunningServer:
    """A server whose workflow `labels` shares answers from a similarity of 0.95 on."""
    folder = tmp_path / "project"
    write_cached_project(folder, model, {"type": "string"})
    settings = f"""
cache:
  semantic: {{embeddings: {model}-e, workflows: {{labels: 0.95}}, report_from: 0.7}}
retries: {{max_attempts: 1}}
"""
    return server_with(folder=folder, settings=settings, upstream=upstream)


def run(server: RunningServer, text: str, **options: Any) -> dict[str, Any]:
    answer = server.post("/api/workflows/labels/runs", {"input": {"text": text}}, **options)
    assert answer.status == 200, answer.body
    return dict(answer.json())


def test_an_input_that_is_alike_enough_is_answered_as_before(
    labelling: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, label(model, "water"), label(model, "water"), label(model, "fire"))
    upstream.answers(f"{model}-e", vector(1, 0), vector(0.99, 0.14), vector(0.8, 0.6), vector(0, 1))
    first = run(labelling, "A flood in the cellar")
    alike = run(labelling, "Flood in our cellar!")
    assert alike["output"] == first["output"] == {"label": "water"}
    assert [call["cache"] for call in alike["calls"]] == ["similar"]
    assert alike["cost_usd"] == "0"
    assert len(upstream.requests(model)) == 1
    assert [request.json()["input"] for request in upstream.requests(f"{model}-e")] == [
        "A flood in the cellar", "Flood in our cellar!",
    ]  # fmt: skip
    # An equal one needs no vector.
    run(labelling, "A flood in the cellar")
    assert len(upstream.requests(f"{model}-e")) == 2

    near = run(labelling, "Damp in the cellar")
    assert near["output"] == {"label": "water"}
    far = run(labelling, "A fire in the cellar")
    assert far["output"] == {"label": "fire"}

    def misses() -> Any:
        return labelling.get("/api/cache/near-misses?workflow=labels").json()

    assert until(lambda: misses()["data"], 5)
    (miss,) = misses()["data"]
    assert (miss["run_id"], miss["like_run_id"]) == (near["id"], first["id"])
    assert (miss["similarity"], miss["threshold"], miss["same"]) == (0.8, 0.95, True)
    assert misses()["bands"] == [{"workflow": "labels", "from_percent": 80, "misses": 1, "same": 1}]
    env = {"HEADGATE_URL": labelling.address, "HEADGATE_API_KEY": ADMIN_KEY}
    shown = headgate("cache", "near-misses", folder=labelling.folder / "cli", **env)
    assert shown.returncode == 0, shown.stderr
    assert "1 (100%)" in shown.stdout
    # The vectors are on record, as the run's own.
    spent = labelling.records(endpoint="embeddings", run_id=alike["id"])
    assert [(record["workflow"], record["status"]) for record in spent] == [("labels", 200)]


def test_what_was_cleared_or_belongs_to_another_project_is_not_given(
    labelling: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, label(model, "one"), label(model, "two"), label(model, "three"))
    upstream.answers(f"{model}-e", vector(1, 0))
    labelling.post("/api/projects", {"name": "sales"})
    other = labelling.new_key(role="app", project="sales")
    assert run(labelling, "a")["output"] == {"label": "one"}
    assert run(labelling, "b", key=other)["output"] == {"label": "two"}
    assert run(labelling, "b")["output"] == {"label": "one"}
    labelling.request("DELETE", "/api/cache?project=default")
    assert run(labelling, "c")["output"] == {"label": "three"}


def test_without_a_vector_the_model_is_asked(
    labelling: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, label(model, "one"), label(model, "two"))
    upstream.answers(f"{model}-e", vector(1, 0), error(500, "broken"))
    run(labelling, "a")
    asked = run(labelling, "b")
    assert asked["output"] == {"label": "two"}
    assert [call["cache"] for call in asked["calls"]] == ["miss"]


def test_an_answer_that_fails_the_checks_is_not_lent(
    labelling: RunningServer, upstream: Upstream, model: str
):
    upstream.answers(model, reply(completion(model, "no JSON")), label(model, "one"))
    upstream.answers(f"{model}-e", vector(1, 0))
    run(labelling, "a")
    assert [call["cache"] for call in run(labelling, "b")["calls"]] == ["miss"]


def test_an_answer_that_names_what_the_input_does_not_hide_is_not_lent(
    server_with: StartServer, upstream: Upstream, model: str, tmp_path: Path
):
    folder = tmp_path / "project"
    write_cached_project(folder, model, {"type": "string"})
    settings = f"""
cache:
  semantic: {{embeddings: {model}-e, workflows: {{labels: 0.95}}}}
retries: {{max_attempts: 1}}
guards:
  personal: {{redact: {{find: {{kinds: [email], languages: [en]}}}}, unreadable: allow}}
guard_policies:
  everyone: {{guards: [personal]}}
"""
    server = server_with(folder=folder, settings=settings, upstream=upstream)
    upstream.answers(
        model, label(model, "<EMAIL_1> and <EMAIL_2>"), label(model, "<EMAIL_1> alone")
    )
    upstream.answers(f"{model}-e", vector(1, 0))
    both = run(server, "anne@example.com and bob@example.com ask")
    assert both["output"] == {"label": "anne@example.com and bob@example.com"}
    alone = run(server, "carol@example.com asks")
    assert alone["output"] == {"label": "carol@example.com alone"}
    lent = run(server, "dan@example.com asks us")
    assert [call["cache"] for call in lent["calls"]] == ["similar"]
    assert lent["output"] == {"label": "dan@example.com alone"}


def test_a_workflow_that_is_not_there_is_refused(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(
        "cache: {semantic: {embeddings: e, workflows: {nobody: 0.9}}}\n"
    )
    serve = ("serve", "--port", "0")
    for command in (("check",), serve, (*serve, "--workers", "2")):
        done = headgate(*command, folder=tmp_path)
        assert done.returncode == 1
        said = done.stdout + done.stderr
        where = "headgate.yaml:1: cache.semantic.workflows.nobody: "
        assert f"{where}there is no workflow `nobody`" in said
        assert "Traceback" not in said
