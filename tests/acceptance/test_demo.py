"""`headgate demo`: the main job from end to end, with nothing but Headgate installed."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

import headgate.examples
from servers import environment
from servers import headgate as command

_TOOK_AT_MOST_S = 60


def test_tickets_and_reports_go_through_and_one_failure_is_recovered(tmp_path: Path):
    done = command("demo", "--json", folder=tmp_path, timeout_s=_TOOK_AT_MOST_S, as_installed=True)
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    assert {run["status"] for run in runs} == {"completed"}
    by_workflow = {
        name: [run for run in runs if run["workflow"] == name]
        for name in ("ticket-triage", "report-summary", "renewal-brief")
    }
    assert len(by_workflow["ticket-triage"]) >= 20
    assert len(by_workflow["report-summary"]) >= 5
    assert len(by_workflow["renewal-brief"]) >= 5
    for run in by_workflow["renewal-brief"]:
        assert run["review_id"], "a person was asked"
        assert not run["fallback"], run
        assert run["context"]["crm"]["name"]
        assert "internal_rating" not in json.dumps(run["context"])
    example = Path(headgate.examples.__file__).parent / "project" / "workflows"
    for name, found in by_workflow.items():
        schema = json.loads((example / name / "output.schema.json").read_text())
        answers = jsonschema_rs.validator_for(schema)
        for run in found:
            assert answers.is_valid(run["output"]), run["id"]
            assert re.fullmatch(r"\d+(\.\d+)?", run["cost_usd"])
            assert run["calls"], "a run knows its calls"
    triaged = by_workflow["ticket-triage"]
    assert [a for r in triaged if (a := [c["attempts"] for c in r["calls"]]) == [2]] == [[2]]
    opened = [run for run in runs if run["workflow"] == "ticket-intake"]
    assert len({run["output"]["ticket_id"] for run in opened}) == len(opened) == 9
    approved = [run for run in opened if run["review_id"]]
    assert len(approved) == 1, "one of them waited for a person, through the crash"
    questions = [
        run for run in by_workflow["ticket-triage"] if run["output"]["needs_clarification"]
    ]
    assert questions, "a ticket that is empty of facts is asked about"
    assert len({run["output"]["language"] for run in by_workflow["ticket-triage"]}) >= 3


def test_it_shows_results_costs_and_what_to_try_next_and_says_that_it_is_simulated(tmp_path: Path):
    done = command("demo", folder=tmp_path, timeout_s=_TOOK_AT_MOST_S, as_installed=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "simulator" in done.stdout
    assert "ALL SITES DOWN" in done.stdout
    assert "Northline Rentals" in done.stdout
    assert re.search(r"\$0\.\d+", done.stdout)
    assert "503" in done.stdout
    assert "8 completed, 8 tickets, none twice" in done.stdout
    assert "waits: a person must approve" in done.stdout
    assert "needs `input.customer_id`" in done.stdout
    assert "What to try next" in done.stdout
    assert list(tmp_path.iterdir()) == [], "it left something behind"


def test_one_that_is_told_to_end_leaves_no_server_and_no_folder(tmp_path: Path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "headgate"), "demo"],
        env={**environment(tmp_path), "TMPDIR": str(scratch), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    with process:
        assert process.stdout is not None
        told = re.search(r"127\.0\.0\.1:(\d+)", process.stdout.readline())
        assert told is not None
        process.send_signal(signal.SIGTERM)
        assert process.wait(_TOOK_AT_MOST_S) == 128 + signal.SIGTERM
    assert list(scratch.iterdir()) == []
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(told[1])))
