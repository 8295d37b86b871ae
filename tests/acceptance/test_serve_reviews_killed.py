"""Runs that wait and decisions about them, while the server is killed in their midst.

What was acknowledged is there afterwards, and a run and its review always tell the same story.
"""

from __future__ import annotations

import http.client
import json
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa

from headgate.storage import Database
from headgate.storage.review_tables import review_events, reviews
from headgate.storage.schema import runs
from scripted_workflows import FILES
from servers import ADMIN_KEY, RunningServer, end_server, start_server, until
from upstreams import Upstream, completion, reply

KILLS = 3
MODEL = "reviews-killed-often-model"
CLOSE_TOGETHER = {"approved": "completed", "edited": "completed", "rejected": "rejected"}
CHOICES = (
    {"decision": "approve"},
    {"decision": "edit", "output": {"label": "bad", "score": 4}},
    {"decision": "reject"},
)


class Customers:
    """Threads that make runs and decide reviews, and remember what they were told."""

    def __init__(self, server: RunningServer) -> None:
        self.server = server
        self.held: dict[str, str] = {}
        """The runs that were acknowledged, each with its review."""
        self.decided: dict[str, str] = {}
        """The reviews whose decision was acknowledged, each with it."""
        self.stopping = threading.Event()

    def work(self) -> None:
        chance = random.Random()
        while not self.stopping.is_set():
            try:
                answer = self.server.post(
                    "/api/workflows/killed/runs", {"input": {"text": "x"}}, timeout_s=5
                )
                if answer.status != 202:
                    continue
                shown = answer.json()
                self.held[shown["id"]] = shown["review_id"]
                choice = chance.choice(CHOICES)
                path = f"/api/reviews/{shown['review_id']}/decision"
                ended = self.server.post(path, choice, timeout_s=5)
                if ended.status == 200:
                    self.decided[shown["review_id"]] = ended.json()["decision"]
            except (OSError, http.client.HTTPException, ValueError):
                self.stopping.wait(0.05)  # the server was killed; it comes again


@pytest.mark.timeout(120)
def test_nothing_that_was_acknowledged_is_lost_and_runs_agree_with_their_reviews(
    upstream: Upstream, tmp_path: Path, database_url: str
):
    folder = tmp_path / "server"
    of = folder / "workflows" / "killed"
    of.mkdir(parents=True)
    for name, text in FILES.items():
        (of / name).write_text(text)
    (of / "workflow.yaml").write_text(
        f"version: 1.0.0\nowner: tests\nroute: {MODEL}\nreview: {{always: true}}\n"
    )
    draft = json.dumps({"label": "good", "score": 3})
    upstream.answers(MODEL, reply(completion(MODEL, draft)))

    def start() -> RunningServer:
        return start_server(folder, settings="", upstream=upstream, database_url=database_url)

    server = start()
    customers = Customers(server)
    with ThreadPoolExecutor(4) as threads:
        for _ in range(4):
            threads.submit(customers.work)
        for number in range(1, KILLS + 1):
            wanted = number * 15 + random.randrange(10)
            assert until(lambda wanted=wanted: len(customers.decided) >= wanted, 20)
            server.kill()
            server = start()
            customers.server = server
        customers.stopping.set()
    try:
        database = Database(database_url)
        with database.connect() as connection:
            states = dict(connection.execute(sa.select(runs.c.id, runs.c.status)).all())
            about = connection.execute(
                sa.select(reviews.c.id, reviews.c.run_id, reviews.c.decision)
            ).all()
            ends = connection.execute(
                sa.select(review_events.c.review_id).where(review_events.c.what.in_(CLOSE_TOGETHER))
            ).scalars()
            ended = list(ends)
        database.close()
        by_run = {row.run_id: row for row in about}
        assert len(by_run) == len(about), "no run is asked about twice"
        assert len(ended) == len(set(ended)), "no review is decided twice"
        for run_id, review_id in customers.held.items():
            assert by_run[run_id].id == review_id
        for row in about:
            wanted = CLOSE_TOGETHER[row.decision] if row.decision else "awaiting_review"
            assert states[row.run_id] == wanted
            assert row.id not in customers.decided or customers.decided[row.id] == row.decision
        assert set(customers.decided) <= {row.id for row in about}
        waiting = [row.id for row in about if row.decision is None]
        for review_id in waiting:
            path = f"/api/reviews/{review_id}/decision"
            assert server.post(path, {"decision": "approve"}, key=ADMIN_KEY).status == 200
        assert [run for run, status in states.items() if status == "running"] == [
            run for run in states if run not in by_run
        ], "what was not acknowledged is a run that never came to wait"
    finally:
        end_server(server)
