"""The console of a real server: a user made on the command line signs in, runs and signs out."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from consoles import PASSWORD, Visitor
from headgate.cli.init import write_example
from servers import ADMIN_KEY, RunningServer, end_server, headgate, start_server


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example project."""
    folder = tmp_path_factory.mktemp("console") / "project"
    write_example(folder)
    return folder


@pytest.fixture(scope="module")
def server(project: Path) -> Iterator[RunningServer]:
    """Two workers, whose sessions must be one and the same."""
    running = start_server(project, workers=2)
    yield running
    end_server(running)


def _users(
    project: Path, *arguments: str, password: str | None = None
) -> subprocess.CompletedProcess[str]:
    typed = "" if password is None else f"{password}\n"
    return headgate("users", *arguments, folder=project, typed=typed)


def test_a_user_of_the_command_line_signs_in_runs_a_workflow_and_signs_out(
    server: RunningServer, project: Path
):
    made = _users(
        project, "create", "console-dora", "--role", "developer", "--password-stdin", "--json",
        password=PASSWORD,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    shown = json.loads(made.stdout)
    assert (shown["name"], shown["role"]) == ("console-dora", "developer")
    visitor = Visitor(server.address)
    assert visitor.sign_in(name="console-dora", password=PASSWORD).location == "/console"
    for _ in range(6):  # whichever worker answers
        assert visitor.get("/console").status == 200
    page = visitor.post(
        "/console/workflows/ticket-triage/runs",
        {"input": '{"subject": "Login", "body": "I cannot log in since the update."}'},
    )
    run = visitor.get(page.location)
    assert run.status == 200
    assert "I cannot log in since the update." in run.text
    assert "SIMULATED" in server.stdout()
    assert "Simulated." in run.text, "every page says that no real model answers"
    asked = server.get(page.location.replace("/console/", "/api/"), key=ADMIN_KEY).json()
    assert asked["status"] == "completed"
    assert asked["feature"] == "console"
    assert visitor.post("/console/sign-out", {}).location == "/console/sign-in"
    for _ in range(6):
        assert visitor.get("/console").status == 303
    assert PASSWORD not in server.stderr()
    assert "I cannot log in" not in server.stderr()


def test_users_are_listed_disabled_and_given_new_passwords(server: RunningServer, project: Path):
    create = ("create", "console-emil", "--password-stdin")
    assert _users(project, *create, password=PASSWORD).returncode == 0
    again = _users(project, *create, password=PASSWORD)
    assert (again.returncode, again.stdout) == (1, "")
    assert "already" in again.stderr
    short = _users(project, "create", "console-short", "--password-stdin", password="short")
    assert short.returncode == 1
    assert "12 to 256 characters" in short.stderr
    unasked = _users(project, "create", "console-short")
    assert unasked.returncode == 2
    assert "--password-stdin" in unasked.stderr
    visitor = Visitor(server.address)
    visitor.sign_in(name="console-emil", password=PASSWORD)
    assert visitor.get("/console/runs").status == 200
    assert _users(project, "disable", "console-emil").returncode == 0
    assert visitor.get("/console/runs").status == 303
    table = _users(project, "list").stdout
    assert "console-emil" in table
    changed = _users(
        project, "password", "console-emil", "--password-stdin", password=PASSWORD + "2"
    )
    assert changed.returncode == 0
    assert visitor.sign_in(name="console-emil", password=PASSWORD + "2").status == 303
    assert _users(project, "disable", "console-nobody").returncode == 1
    assert _users(project, "create", "console-app", "--role", "app").returncode == 2
