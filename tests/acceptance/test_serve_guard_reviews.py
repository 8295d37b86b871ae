"""Guards that ask for a person: runs wait, direct calls are refused and somebody is asked."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from scripted_workflows import FILES
from servers import Reply, RunningServer, end_server, start_server, until
from upstreams import DONE, Upstream, chat_usage, chat_words, completion, reply, stream

SETTINGS = """
guards:
  codenames: {words: {words: [bluebird], on_hit: review}}
guard_policies:
  everywhere: {guards: [codenames]}
reviews: {guard_alarms: 6}
"""
SECRET = "the bluebird flies"


@pytest.fixture(scope="module")
def guarded(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server whose guard asks for a person where a word stands."""
    folder = tmp_path_factory.mktemp("guard-reviews") / "server"
    of = folder / "workflows" / "guarded-labels"
    of.mkdir(parents=True)
    for name, text in FILES.items():
        (of / name).write_text(text)
    (of / "workflow.yaml").write_text(
        "version: 1.0.0\nowner: tests\nroute: guard-review-run\n"
        "fallback: {output: {label: bad, score: 0}}\n"
    )
    schema = json.loads(FILES["output.schema.json"])
    schema["properties"]["label"] = {"type": "string"}
    (of / "output.schema.json").write_text(json.dumps(schema))
    server = start_server(folder, settings=SETTINGS, upstream=upstream)
    yield server
    end_server(server)


def run(server: RunningServer, text: str) -> Reply:
    return server.post("/api/workflows/guarded-labels/runs", {"input": {"text": text}})


def review_of(server: RunningServer, run_id: str) -> dict[str, object]:
    (review,) = server.get(f"/api/reviews?run={run_id}").json()["data"]
    return dict(server.get(f"/api/reviews/{review['id']}").json())


def test_what_goes_into_a_run_is_not_sent_and_the_run_waits_without_a_draft(guarded, upstream):
    before = len(upstream.requests("guard-review-run"))
    answer = run(guarded, SECRET)
    assert answer.status == 202, answer.body
    review = review_of(guarded, answer.json()["id"])
    assert (review["draft"], review["has_draft"]) == (None, False)
    assert review["reasons"][0]["code"] == "guard"
    assert review["reasons"][0]["detail"] == "codenames"
    assert len(upstream.requests("guard-review-run")) == before, "the fallback is not told either"


def test_what_comes_out_for_a_run_is_its_draft(guarded, upstream):
    draft = {"label": SECRET, "score": 1}
    upstream.answers("guard-review-run", reply(completion("m", json.dumps(draft))))
    answer = run(guarded, "hello")
    assert (answer.status, answer.json()["output"]) == (202, None)
    review = review_of(guarded, answer.json()["id"])
    assert review["draft"] == draft
    decided = guarded.post(f"/api/reviews/{review['id']}/decision", {"decision": "approve"})
    assert decided.json()["output"] == draft
    assert guarded.get(f"/api/runs/{answer.json()['id']}").json()["status"] == "completed"


@pytest.mark.parametrize("streamed", [False, True])
def test_a_direct_call_is_refused_and_a_person_says_whether_rightly(guarded, upstream, streamed):
    model = f"guard-review-direct-{streamed}".lower()
    words = chat_words(model, "the blue", "bird flies")
    upstream.answers(model, stream(*words, chat_usage(model), DONE))
    if not streamed:
        upstream.answers(model, reply(completion(model, SECRET)))
    body = {"model": model, "messages": [{"role": "user", "content": "Hi"}], "stream": streamed}
    answer = guarded.post("/v1/chat/completions", body)
    if streamed:
        assert b"review_needed" in answer.body
        assert b"bird" not in answer.body
    else:
        assert (answer.status, answer.error["code"]) == (403, "review_needed")
        assert answer.headers["x-should-retry"] == "false"
    call = answer.headers["x-headgate-call-id"]
    listed = guarded.get("/api/reviews?kind=guard").json()["data"]
    (review,) = [one for one in listed if one["guard"]["call_id"] == call]
    assert (review["guard"]["guard"], review["guard"]["direction"]) == ("codenames", "output")
    assert "bluebird" not in json.dumps(guarded.get(f"/api/reviews/{review['id']}").json())
    done = guarded.post(f"/api/reviews/{review['id']}/decision", {"decision": "approve"})
    assert done.json()["decision"] == "approved", "a false alarm"


def test_what_waits_is_bounded_and_calls_are_refused_all_the_same(guarded, upstream):
    key = guarded.new_key()
    body = {"model": "guard-review-many", "messages": [{"role": "user", "content": SECRET}]}
    for _ in range(9):
        answer = guarded.post("/v1/chat/completions", body, key=key)
        assert (answer.status, answer.error["code"]) == (403, "review_needed")
    assert upstream.requests("guard-review-many") == []
    assert len(guarded.get("/api/reviews?kind=guard").json()["data"]) == 6
    assert until(lambda: any(line.get("open") == 6 for line in guarded.log()), 5)
