"""`headgate run … --out`: a file of inputs, through a killed server and a killed command line."""

from __future__ import annotations

import json
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from crowd import answers_well, write_workflow
from scripted_workflows import GOOD
from servers import ADMIN_KEY, HEADGATE, StartServer, environment, headgate, until
from upstreams import Upstream

pytestmark = pytest.mark.slow

_ROWS = 60


def test_a_file_is_gone_on_with_after_any_crash(
    server_with: StartServer, upstream: Upstream, tmp_path: Path, model: str
):
    folder = tmp_path / "installation"
    write_workflow(folder, "labels", model)
    answers_well(upstream, model, after_s=0.1)
    options = {"folder": folder, "upstream": upstream, "settings": "logs: {calls: none}\n"}
    server = server_with(**options)
    rows = tmp_path / "rows.csv"
    rows.write_text("text\n" + "".join(f'"row, {n}"\n' for n in range(_ROWS)))
    out = tmp_path / "results.jsonl"
    arguments = ["run", "labels", "--input", str(rows), "--out", str(out), "--concurrency", "4"]
    arguments += ["--url", server.address]

    def written() -> int:
        return out.read_bytes().count(b"\n") if out.exists() else 0

    command = subprocess.Popen(
        [HEADGATE, *arguments],
        env=environment(tmp_path, HEADGATE_API_KEY=ADMIN_KEY),
        stderr=subprocess.DEVNULL,
    )
    assert until(lambda: written() >= 10, 20)
    server.kill()
    at_the_kill = written()
    server = server_with(port=server.port, **options)
    assert until(lambda: written() > at_the_kill + 8, 30), "it did not wait for the server"
    command.kill()
    command.wait(10)
    assert written() < _ROWS

    again = headgate(*arguments, folder=tmp_path, HEADGATE_API_KEY=ADMIN_KEY)
    assert again.returncode == 0, again.stderr
    assert f"{_ROWS} rows in {out}: {_ROWS} completed, 0 failed" in again.stderr
    results = [json.loads(line) for line in out.read_text().splitlines()]
    assert [result["row"] for result in results] == list(range(1, _ROWS + 1))
    assert all(result["output"] == GOOD for result in results)
    assert len({result["run_id"] for result in results}) == _ROWS
    asked = Counter(request.header("idempotency-key") for request in upstream.requests(model))
    assert set(asked) == {f"{result['run_id']}-call-1" for result in results}
    assert sum(asked.values()) - _ROWS <= 4, "only what was under way at the kill is asked again"
    finished = headgate(*arguments, folder=tmp_path, HEADGATE_API_KEY=ADMIN_KEY)
    assert (finished.returncode, "is finished" in finished.stderr) == (1, True)


def test_a_row_that_fails_has_its_error_and_a_wrong_key_stops_all(
    server_with: StartServer, upstream: Upstream, tmp_path: Path, model: str
):
    write_workflow(tmp_path / "installation", "labels", model)
    answers_well(upstream, model, after_s=0.0)
    server = server_with(folder=tmp_path / "installation", settings="", upstream=upstream)
    rows = tmp_path / "rows.jsonl"
    rows.write_text('{"text": "a"}\n{"texts": "b"}\n{"text": "c"}\n')
    out = tmp_path / "results.jsonl"
    arguments = ["run", "labels", "--input", str(rows), "--out", str(out), "--url", server.address]
    refused = headgate(*arguments, folder=tmp_path, HEADGATE_API_KEY="hg_" + "0" * 40)
    assert (refused.returncode, refused.stderr.count("\n")) == (1, 1)
    done = headgate(*arguments, folder=tmp_path, HEADGATE_API_KEY=ADMIN_KEY)
    assert (done.returncode, "2 completed, 1 failed" in done.stderr) == (1, True)
    first, second, third = (json.loads(line) for line in out.read_text().splitlines())
    assert (first["status"], second["status"], third["status"]) == (
        "completed",
        "failed",
        "completed",
    )
    assert second["run_id"] is None
    assert "texts" in second["error"]["message"]


def test_rows_that_wait_for_a_person_are_not_told_as_completed(
    server_with: StartServer, upstream: Upstream, tmp_path: Path, model: str
):
    write_workflow(tmp_path / "installation", "labels", model, "review: {always: true}")
    answers_well(upstream, model, after_s=0.0)
    server = server_with(folder=tmp_path / "installation", settings="", upstream=upstream)
    rows, out = tmp_path / "rows.jsonl", tmp_path / "results.jsonl"
    rows.write_text('{"text": "a"}\n{"text": "b"}\n')
    arguments = ["run", "labels", "--input", str(rows), "--out", str(out), "--url", server.address]
    done = headgate(*arguments, folder=tmp_path, HEADGATE_API_KEY=ADMIN_KEY)
    told = f"2 rows in {out}: 0 completed, 0 failed, 2 waiting for a person"
    assert (done.returncode, told in done.stderr) == (0, True)
