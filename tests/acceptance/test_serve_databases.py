"""The core of an operator's day, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import json
import re
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from openai import OpenAI

from servers import PROVIDER_KEY, StartServer, headgate, until
from upstreams import Upstream, completion, reply


def test_keys_calls_records_and_usage_on_each_database(
    server_with: StartServer,
    upstream: Upstream,
    empty_database_url: str,
    tmp_path: Path,
):
    folder = tmp_path / "installation"
    upstream.answers("gpt-4.1-mini", reply(completion("gpt-4.1-mini-2025-04-14")))
    server = server_with(
        folder=folder, upstream=upstream, workers=2, database_url=empty_database_url
    )
    assert server.post("/api/projects", {"name": "support"}).status == 201
    made = server.new_key_object(project="support", name="ticket-queue")

    with OpenAI(base_url=server.base_url, api_key=made["key"], max_retries=0) as client:

        def ask(number: int) -> str | None:
            answer = client.chat.completions.create(
                model="gpt-4.1-mini",
                messages=[{"role": "user", "content": "Hello"}],
                extra_headers={"x-headgate-feature": "even" if number % 2 == 0 else "odd"},
            )
            return answer.choices[0].message.content

        with ThreadPoolExecutor(4) as pool:
            assert list(pool.map(ask, range(20))) == ["Water flows."] * 20
    assert until(lambda: len(server.records(project="support")) == 20, 3)
    records = server.records(project="support")
    assert {record["key_id"] for record in records} == {made["id"]}
    assert {record["model_answered"] for record in records} == {"gpt-4.1-mini-2025-04-14"}
    # 9 tokens in at 0.40 and 3 out at 1.60 dollars a million.
    assert {record["cost_nanousd"] for record in records} == {9 * 400 + 3 * 1600}

    usage = server.get("/api/usage?group_by=feature&project=support").json()
    assert {row["group"]["feature"]: row["calls"] for row in usage["data"]} == {
        "even": 10,
        "odd": 10,
    }
    assert usage["total"]["cost_nanousd"] == 20 * 8400
    assert usage["total"]["cost_usd"] == "0.000168"
    told = headgate(
        "usage",
        "--group-by",
        "project,feature",
        "--json",
        folder=folder,
        HEADGATE_DATABASE_URL=empty_database_url,
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["total"]["calls"] == 20

    # A key that is revoked on the command line is refused by the running server.
    revoked = headgate(
        "keys", "revoke", made["id"], folder=folder, HEADGATE_DATABASE_URL=empty_database_url
    )
    assert revoked.returncode == 0, revoked.stderr
    time.sleep(2)
    assert {server.chat("x", key=made["key"]).status for _ in range(10)} == {401}

    # What was is there after a restart.
    assert server.stop() == 0
    again = server_with(folder=folder, upstream=upstream, database_url=empty_database_url)
    assert again.get(f"/api/keys/{made['id']}").json()["status"] == "revoked"
    assert again.get("/api/usage?project=support").json()["total"]["calls"] == 20
    assert PROVIDER_KEY not in json.dumps(again.get("/api/config").json())


def test_two_servers_on_one_database_are_one_installation(
    server_with: StartServer, upstream: Upstream, empty_database_url: str, model: str
):
    with ThreadPoolExecutor(2) as pool:
        one, other = pool.map(
            lambda _: server_with(upstream=upstream, database_url=empty_database_url), range(2)
        )
    made = one.new_key_object()
    assert other.chat(model, key=made["key"]).status == 200
    assert one.chat(model, key=made["key"]).status == 200
    assert until(lambda: len(one.records(key_id=made["id"])) == 2, 3)
    assert other.request("DELETE", f"/api/keys/{made['id']}").status == 200
    assert until(lambda: one.chat(model, key=made["key"]).status == 401, 2)


def test_calls_that_are_refused_because_records_wait_do_not_wait_with_them(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, settings="ledger: {queue_records: 100}")
    path = server.database_url.removeprefix("sqlite:///")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        answers = [server.chat(model)]
        while answers[-1].status == 200:
            answers.append(server.chat(model))
        refused = [answers.pop(), *(server.chat(model) for _ in range(20))]
        assert {answer.error["code"] for answer in refused} == {"ledger_full"}
        other.execute("ROLLBACK")
    assert until(lambda: server.chat(f"{model}-again").status == 200, 20)
    served = {answer.headers["x-headgate-call-id"] for answer in answers}
    assert until(lambda: {one["id"] for one in server.records(model_requested=model)} == served, 20)

    def counted() -> float:
        figures = server.get("/metrics").body.decode()
        found = re.search(r"^headgate_ledger_unrecorded_calls_total (\S+)", figures, re.MULTILINE)
        return float(found[1]) if found else 0

    assert until(lambda: counted() >= len(refused), 20)
