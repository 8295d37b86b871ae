"""Servers are killed at random moments through many asynchronous runs, and nothing is lost."""

from __future__ import annotations

import json
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from crowd import KILLS, RUNS, Crowd, answers_well, hold_to_promises, write_workflow
from headgate.storage import Database
from scripted_workflows import GOOD
from servers import StartServer, until
from upstreams import Upstream, completion, reply

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_a_server_that_is_killed_again_and_again_loses_nothing(
    server_with: StartServer,
    upstream: Upstream,
    empty_database_url: str,
    tmp_path: Path,
    model: str,
):
    folder = tmp_path / "installation"
    write_workflow(folder, "labels", model)
    answers_well(upstream, model, after_s=0.15)
    options = {"folder": folder, "upstream": upstream, "database_url": empty_database_url}
    options["workers"] = 1 if empty_database_url.startswith("sqlite") else 2
    options["settings"] = "logs: {calls: none}\nruns: {per_worker: 4}\n"
    crowd = Crowd("labels", RUNS)
    crowd.servers.append(server_with(**options))
    crowd.start()
    for _ in range(KILLS):
        time.sleep(random.uniform(0.6, 2.0))
        crowd.kill(crowd.servers[0])
        crowd.servers.append(server_with(**options))
    crowd.join()
    hold_to_promises(crowd.servers[0], upstream, model, crowd, RUNS)


def test_of_three_servers_on_one_database_some_die_and_the_others_go_on(
    server_with: StartServer,
    upstream: Upstream,
    postgres_url_of_its_own: str,
    tmp_path: Path,
    model: str,
):
    answers_well(upstream, model, after_s=0.15)
    crowd = Crowd("labels", RUNS)
    for number in range(3):
        folder = tmp_path / f"server-{number}"
        write_workflow(folder, "labels", model, "limits: {concurrency: 6}")
        crowd.servers.append(
            server_with(
                folder=folder,
                settings="logs: {calls: none}\nruns: {per_worker: 3}\n",
                upstream=upstream,
                database_url=postgres_url_of_its_own,
            )
        )
    crowd.start()
    for _ in range(2):
        time.sleep(random.uniform(0.8, 2.0))
        crowd.kill(random.choice(crowd.servers))
    crowd.join()
    hold_to_promises(crowd.servers[0], upstream, model, crowd, RUNS)


def stopped_with_a_run(
    server_with: StartServer, model: str, *, folder: Path, upstream: Upstream, **options: Any
) -> dict[str, Any]:
    """A run as it was taken by a server that has stopped while the model was still at it."""
    write_workflow(folder, "labels", model)
    gate = threading.Event()
    upstream.answers(model, [gate, *reply(completion(model, json.dumps(GOOD)))])
    server = server_with(
        settings="server: {shutdown_grace_s: 1}", folder=folder, upstream=upstream, **options
    )
    taken = server.post(
        "/api/workflows/labels/runs",
        {"input": {"text": "hello"}},
        headers={"prefer": "respond-async"},
    )
    upstream.wait_for(model)
    assert server.stop() == 0
    gate.set()
    return dict(taken.json())


def test_a_server_that_is_stopped_hands_its_runs_to_the_next(
    server_with: StartServer,
    upstream: Upstream,
    tmp_path: Path,
    model: str,
):
    folder = tmp_path / "installation"
    options = {"folder": folder, "upstream": upstream, "workers": 2}
    taken = stopped_with_a_run(server_with, model, **options)
    # Another version of the workflow is there meanwhile; it is the one that ends the run.
    settings = folder / "workflows" / "labels" / "workflow.yaml"
    settings.write_text(settings.read_text().replace("1.2.3", "1.3.0"))
    again = server_with(**options)
    run_id = taken["id"]
    assert until(lambda: again.get(f"/api/runs/{run_id}").json()["status"] == "completed", 45)
    run = again.get(f"/api/runs/{run_id}").json()
    assert (taken["version"], run["version"]) == ("1.2.3", "1.3.0")
    first, second = (request.header("idempotency-key") for request in upstream.requests(model))
    assert first == second


def test_a_run_that_a_stopping_process_took_last_of_all_is_carried_by_the_next(
    server_with: StartServer,
    upstream: Upstream,
    empty_database_url: str,
    tmp_path: Path,
    model: str,
):
    options = {
        "folder": tmp_path / "installation",
        "upstream": upstream,
        "database_url": empty_database_url,
    }
    run_id = stopped_with_a_run(server_with, model, **options)["id"]
    # Between giving back what it had and its end its queue took the run again, and nobody knows it.
    database = Database(empty_database_url)
    prefix = "dbos." if empty_database_url.startswith("postgresql") else ""
    with database.begin() as connection:
        left = connection.execute(
            sa.text(
                f"UPDATE {prefix}workflow_status SET status = 'PENDING', executor_id = 'left'"
                " WHERE workflow_uuid = :run"
            ),
            {"run": run_id},
        )
    database.close()
    assert left.rowcount == 1
    again = server_with(**options)
    assert until(lambda: again.get(f"/api/runs/{run_id}").json()["status"] == "completed", 45)
