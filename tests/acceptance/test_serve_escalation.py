"""A workflow's answer that fails its checks is asked of the next rung of a tiered route."""

from __future__ import annotations

import json
from pathlib import Path

from scripted_workflows import FILES, GOOD
from servers import PROVIDER_KEY, StartServer
from upstreams import Upstream, completion, reply


def test_an_answer_that_fails_its_checks_is_asked_of_a_larger_model(
    server_with: StartServer, upstream: Upstream, tmp_path: Path
):
    folder = tmp_path / "project"
    labels = folder / "workflows" / "labels"
    labels.mkdir(parents=True)
    for name, text in FILES.items():
        (labels / name).write_text(text)
    server = server_with(
        folder=folder,
        settings=f"""
providers:
  here: {{base_url: "{upstream.base_url}", api_key: {PROVIDER_KEY}}}
routes:
  small-model:
    strategy: tiered
    targets:
      - {{provider: here, model: escalates-small, when: {{max_input_tokens: 100000}}}}
      - {{provider: here, model: escalates-large}}
""",
    )
    bad = json.dumps({"label": "neither", "score": 1})
    upstream.answers("escalates-small", reply(completion("escalates-small", bad)))
    good = json.dumps(GOOD)
    upstream.answers("escalates-large", reply(completion("escalates-large", good)))
    answer = server.post("/api/workflows/labels/runs", {"input": {"text": "Fine."}})
    assert answer.status == 200, answer.body
    assert answer.json()["output"] == GOOD
    assert len(upstream.requests("escalates-small")) == 1
    assert len(upstream.requests("escalates-large")) == 1
