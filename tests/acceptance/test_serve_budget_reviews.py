"""A budget that asks a person, on two processes, as an application and an operator see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from servers import Reply, RunningServer, end_server, start_server, until
from upstreams import Upstream


@pytest.fixture(scope="module")
def asking(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of two processes on which each key may spend a cent a month, and more if granted."""
    server = start_server(
        tmp_path_factory.mktemp("asking") / "server",
        settings="""
prices: {"budget-review-model": {input: "0", output: "1000"}}
budgets: [{per: key, usd: "0.01", window: month, at_limit: ask}]
""",
        upstream=upstream,
        workers=2,
    )
    yield server
    end_server(server)


def ask(server: RunningServer, key: str) -> Reply:
    """A call that costs up to three tenths of a cent, and costs them."""
    body = {
        "model": "budget-review-model",
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 3,
    }
    return server.post("/v1/chat/completions", body, key=key)


def spent_up(server: RunningServer, key: str) -> Reply:
    """Call until the budget holds no further call; the refusal."""
    for _ in range(3):
        assert ask(server, key).status == 200
    return ask(server, key)


def test_a_call_at_the_limit_asks_a_person_and_passes_once_more_is_granted(asking):
    made = asking.new_key_object()
    refused = spent_up(asking, made["key"])
    assert (refused.status, refused.error["code"]) == (429, "budget_review_pending")
    assert refused.headers["x-should-retry"] == "false"
    for _ in range(6):
        assert ask(asking, made["key"]).error["code"] == "budget_review_pending"
    operator = asking.new_key(role="operator")
    listed = asking.get("/api/reviews?kind=budget", key=operator).json()["data"]
    (review,) = [one for one in listed if made["id"] in one["budget"]["subject"]]
    assert review["id"] in refused.error["message"]
    assert (review["budget"]["limit_usd"], review["budget"]["needed_usd"]) == ("0.01", "0.003")
    granted = asking.post(
        f"/api/reviews/{review['id']}/decision",
        {"decision": "approve", "usd": "0.006"},
        key=operator,
    )
    assert (granted.status, granted.json()["budget"]["granted_usd"]) == (200, "0.006")
    for _ in range(2):
        assert until(lambda: ask(asking, made["key"]).status == 200, 5)

    def asked_anew() -> bool:
        again = ask(asking, made["key"])
        assert (again.status, again.error["code"]) == (429, "budget_review_pending")
        return review["id"] not in again.error["message"]

    assert until(asked_anew, 5), "what was granted is used up too"
    states = asking.get("/api/allowances").json()["data"]
    (state,) = [one for one in states if made["id"] in one["subject"]]
    assert (state["limit"], state["granted"], state["left"]) == ("0.01", "0.006", "0.001")


def test_who_says_no_is_not_asked_again(asking):
    made = asking.new_key_object()
    spent_up(asking, made["key"])
    listed = asking.get("/api/reviews?kind=budget").json()["data"]
    (review,) = [one for one in listed if made["id"] in one["budget"]["subject"]]
    reviewer = asking.new_key(role="reviewer")
    decision = f"/api/reviews/{review['id']}/decision"
    refused = asking.post(decision, {"decision": "approve"}, key=reviewer)
    assert refused.status in (403, 404), "a reviewer of runs does not decide about money"
    assert asking.post(decision, {"decision": "reject"}).status == 200

    def final() -> Reply | None:
        answer = ask(asking, made["key"])
        return answer if answer.error["code"] == "budget_exceeded" else None

    answer = until(final, 5)
    assert answer is not None
    assert "said no" in answer.error["message"]


def test_an_operator_is_told_of_the_question_in_the_log(asking):
    key = asking.new_key()
    spent_up(asking, key)

    def told() -> bool:
        return any(line.get("happened") == "opened" for line in asking.log())

    assert until(told, 10)


def test_what_waits_is_in_the_metrics_whichever_worker_is_asked(asking):
    spent_up(asking, asking.new_key())

    def counted() -> bool:
        text = asking.get("/metrics").body.decode()
        (line,) = [
            line
            for line in text.splitlines()
            if line.startswith('headgate_reviews_open{kind="budget"')
        ] or ["0"]
        return float(line.split()[-1]) >= 1

    assert until(counted, 15)
