"""`--workers 2`: one server, whichever process answers."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from servers import RunningServer, StartServer, until
from upstreams import Upstream


def figures(server: RunningServer) -> dict[str, float]:
    """The sum of each figure of `/metrics` over its labels."""
    sums: dict[str, float] = {}
    for family in text_string_to_metric_families(server.get("/metrics", key=None).body.decode()):
        for sample in family.samples:
            sums[sample.name] = sums.get(sample.name, 0.0) + sample.value
    return sums


def test_every_worker_tells_the_whole_servers_figures(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, workers=2, as_installed=True)
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: server.chat(model), range(60)))
    assert [answer.status for answer in answers] == [200] * 60
    assert until(lambda: figures(server).get("headgate_requests_total") == 60, 3)
    # Each worker puts down twice a second how many calls it has in flight.
    assert until(lambda: figures(server)["headgate_in_flight"] == 0, 5)
    for _ in range(12):
        seen = figures(server)
        assert seen["headgate_requests_total"] == 60
        assert seen["headgate_request_duration_seconds_count"] == 60
        assert seen["headgate_tokens_total"] == 60 * 12
        assert seen["headgate_in_flight"] == 0
    assert len(server.records(model_requested=model)) == 60


def test_a_revoked_key_is_refused_by_every_worker_within_two_seconds(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, workers=2, as_installed=True)
    made = server.new_key_object()
    # So often that both workers have seen the key and remember it.
    assert {server.chat(model, key=made["key"]).status for _ in range(30)} == {200}
    assert server.request("DELETE", f"/api/keys/{made['id']}").status == 200
    revoked_at_s = time.monotonic()
    # The worker that was asked knows at once, the others soon.
    assert until(lambda: server.chat(model, key=made["key"]).status == 401, 2)
    time.sleep(max(0.0, revoked_at_s + 2 - time.monotonic()))
    assert {server.chat(model, key=made["key"]).status for _ in range(30)} == {401}


def test_a_new_key_opens_every_worker_although_it_was_tried_before(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, workers=2, as_installed=True)
    key = server.new_key()
    assert {server.chat(model, key=key).status for _ in range(20)} == {200}


def test_a_worker_that_is_killed_is_replaced_and_nobody_else_notices(
    server_with: StartServer, upstream: Upstream, model: str
):
    server = server_with(upstream=upstream, workers=2, as_installed=True)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: server.chat(model), range(20)))
    assert until(lambda: figures(server).get("headgate_requests_total") == 20, 3)
    before = server.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    # A connection that the killed one had accepted is lost with it; new ones are not.
    until(lambda: not Path(f"/proc/{before[0]}").exists() or _is_gone(before[0]), 2)
    answers = [server.chat(model) for _ in range(20)]
    assert [answer.status for answer in answers] == [200] * 20
    assert until(lambda: len(server.workers()) == 2 and before[0] not in server.workers(), 15), (
        server.workers()
    )
    assert until(lambda: bool(_replacements(server)), 5)
    (line,) = _replacements(server)
    assert (line["level"], line["pid"], line["status"]) == ("error", before[0], -signal.SIGKILL)
    assert line["replaced_by"] in server.workers()
    assert until(lambda: figures(server).get("headgate_requests_total") == 40, 5)
    assert until(lambda: figures(server)["headgate_in_flight"] == 0, 5)
    assert {figures(server)["headgate_in_flight"] for _ in range(5)} == {0}


def _replacements(server: RunningServer) -> list[dict[str, Any]]:
    return [line for line in server.log() if line["event"] == "a worker died and was replaced"]


def _is_gone(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] == "Z"


def test_workers_do_not_outlive_a_main_process_that_is_killed(
    server_with: StartServer, upstream: Upstream
):
    server = server_with(upstream=upstream, workers=2, as_installed=True)
    workers = server.workers()
    assert len(workers) == 2
    os.kill(server.process.pid, signal.SIGKILL)
    server.process.wait()
    assert until(lambda: all(_is_gone(pid) for pid in workers), 10)


def test_the_first_start_of_several_workers_makes_one_admin_key(server_with: StartServer):
    server = server_with(workers=2, admin_key=None, as_installed=True)
    assert server.stdout().count("Admin key, shown only this once") == 1
    assert server.stdout().count("SIMULATED") == 1
