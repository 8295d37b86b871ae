"""`headgate keys`, `projects` and `usage` as they are typed, on both databases."""

from __future__ import annotations

import io
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from call_records import a_call
from commands import Ran, ran
from headgate.cli.main import COMMANDS, ServeOptions
from headgate.intake.access.keys import KeyStore
from headgate.intake.access.projects import wall_clock_us
from headgate.intake.access.secret import load_secret
from headgate.ledger.rows import insert_calls

Headgate = Callable[..., Ran]


@pytest.fixture
def served() -> list[ServeOptions]:
    return []


@pytest.fixture
def headgate(monkeypatch, tmp_path, capsys, served) -> Headgate:
    """Runs a command line in a folder of its own, as a shell would."""
    monkeypatch.chdir(tmp_path)
    for name in ("HEADGATE_PROJECT", "HEADGATE_DATABASE_URL", "HEADGATE_SECRET_KEY"):
        monkeypatch.delenv(name, raising=False)

    def headgate(*arguments: str) -> Ran:
        return ran(capsys, arguments, served.append)

    return headgate


@pytest.fixture
def on_database(headgate, monkeypatch, database_url) -> Headgate:
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    return headgate


@pytest.fixture
def on_sqlite(headgate, monkeypatch, sqlite_url) -> Headgate:
    monkeypatch.setenv("HEADGATE_DATABASE_URL", sqlite_url)
    return headgate


def test_a_new_keys_secret_is_all_that_standard_output_has(on_database, database):
    ran = on_database("keys", "create", "laptop")
    assert ran.code == 0
    secret = load_secret(database, None)
    found = KeyStore(database, secret).find(secret.token_digest(ran.out.strip().encode()))
    assert found is not None
    assert (found.key.name, found.key.role, found.key.project) == ("laptop", "app", "default")
    assert found.key.id in ran.err


def test_a_key_is_created_with_limits_listed_shown_rotated_and_revoked(on_database):
    on_database("projects", "create", "support", "--description", "Customer support")
    limits = (
        "--model",
        "gpt-4*",
        "--model",
        "o3",
        "--workflow",
        "triage",
        "--network",
        "10.0.0.0/8",
    )
    made = on_database(
        "keys", "create", "queue", "--project", "support", "--role", "developer", *limits,
        "--expires-in", "90d", "--json",
    ).json()  # fmt: skip
    assert made["key"].startswith("hg_")
    assert made["models"] == ["gpt-4*", "o3"]
    assert abs(made["expires_at"] - time.time() - 90 * 86_400) < 60
    listed = on_database("keys", "list", "--project", "support", "--json").json()
    assert [key["id"] for key in listed] == [made["id"]]
    table = on_database("keys", "list").out
    assert made["id"] in table
    assert made["key"] not in table
    shown = on_database("keys", "show", made["id"]).out
    assert "10.0.0.0/8" in shown
    rotated = on_database("keys", "rotate", made["id"], "--overlap", "0s", "--json").json()
    assert rotated["expires_at"] == made["expires_at"]
    old = on_database("keys", "show", made["id"], "--json").json()
    assert (old["status"], old["replaced_by"]) == ("expired", rotated["id"])
    assert on_database("keys", "revoke", rotated["id"]).code == 0
    assert on_database("keys", "list", "--status", "live", "--json").json() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("keys", "create", "x", "--project", "nope"), "projects create nope"),
        (("keys", "create", "x", "--network", "10.0.0.1/8"), "networks[0]"),
        (("keys", "create", ""), "name"),
        (("keys", "show", "key_none"), "key_none"),
        (("keys", "revoke", "key_none"), "key_none"),
        (("keys", "rotate", "key_none"), "key_none"),
        (("projects", "create", "No Such"), "name"),
        (("projects", "archive", "none", "--yes"), "none"),
        (("projects", "archive", "default", "--yes"), "default"),
        (("usage", "--group-by", "colour"), "colour"),
        (("usage", "--since", "yesterday"), "yesterday"),
    ],
)
def test_what_fails_is_one_line_that_says_what_to_do(on_sqlite, arguments, said):
    ran = on_sqlite(*arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.count("\n") == 1
    assert said in ran.err


@pytest.mark.parametrize(
    "arguments",
    [
        ("keys", "create"),
        ("keys", "create", "x", "--role", "root"),
        ("keys", "create", "x", "--expires-in", "soon"),
        ("keys", "revoke"),
        ("serve", "--port", "99999"),
        ("serve", "--workers", "0"),
        ("bogus",),
        ("keys", "list", "--bogus"),
    ],
)
def test_wrong_use_is_exit_2_with_the_usage(headgate, arguments):
    ran = headgate(*arguments)
    assert ran.code == 2
    assert "Usage:" in ran.err


def test_revoking_several_revokes_all_or_none(on_sqlite):
    made = on_sqlite("keys", "create", "a", "--json").json()
    assert on_sqlite("keys", "revoke", made["id"], "key_none").code == 1
    assert on_sqlite("keys", "show", made["id"], "--json").json()["status"] == "live"


def test_archiving_asks_first(on_sqlite, monkeypatch):
    on_sqlite("projects", "create", "hr")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    asked = on_sqlite("projects", "archive", "hr")
    assert (asked.code, asked.out) == (1, "")
    assert on_sqlite("projects", "list", "--json").json()[1]["status"] == "live"
    assert on_sqlite("projects", "archive", "hr", "--yes").code == 0
    listed = on_sqlite("projects", "list", "--json").json()
    assert {p["name"]: p["status"] for p in listed} == {"default": "live", "hr": "archived"}


def test_usage_is_shown_with_its_total(on_database, database):
    now_us = wall_clock_us()
    with database.begin() as connection:
        insert_calls(
            connection,
            [
                a_call(
                    started_at_us=now_us - 1, model_answered="gpt-4o", cost_nanousd=1_000_000_000
                ),
                a_call(started_at_us=now_us - 1, model_answered="local", cost_nanousd=None),
            ],
        )
    ran = on_database("usage", "--group-by", "model")
    assert ran.code == 0
    lines = [line.split() for line in ran.out.splitlines() if line.split()]
    assert lines[0][:2] == ["model", "calls"]
    assert {line[0] for line in lines[2:]} == {"gpt-4o", "local", "total"}
    assert "$1.00" in ran.out
    assert "unpriced" in ran.out
    assert "1 calls have no known price" in ran.err
    as_json = on_database("usage", "--group-by", "model", "--json").json()
    assert as_json["total"]["cost_usd"] == "1"


def test_usage_says_how_many_calls_are_estimated_where_some_are(on_database, database):
    def shown() -> list[list[str]]:
        ran = on_database("usage", "--group-by", "model")
        return [line.split() for line in ran.out.splitlines() if line.split()]

    now_us = wall_clock_us()
    with database.begin() as connection:
        insert_calls(connection, [a_call(started_at_us=now_us - 1, model_answered="told")])
    assert "estimated" not in shown()[0]
    with database.begin() as connection:
        guessed = a_call(started_at_us=now_us - 1, model_answered="cut", tokens_estimated=True)
        insert_calls(connection, [guessed])
    lines = {line[0]: line for line in shown()}
    at = lines["model"].index("estimated")
    assert [lines[name][at] for name in ("told", "cut", "total")] == ["0", "1", "1"]
    ran = on_database("usage", "--json")
    assert ran.json()["total"]["estimated_calls"] == 1
    assert "1 calls have tokens that no provider told" in on_database("usage").err


class TestWhichDatabase:
    def test_a_folder_without_one_is_told_not_answered_from(self, headgate, tmp_path):
        for arguments in (("keys", "list"), ("usage",), ("projects", "list")):
            ran = headgate(*arguments)
            assert ran.code == 1
            assert "--dir" in ran.err
        assert not (tmp_path / "data").exists()

    def test_creating_makes_one_and_says_so(self, headgate, tmp_path):
        ran = headgate("keys", "create", "first")
        assert ran.code == 0
        assert str(tmp_path / "data" / "headgate.db") in ran.err
        assert len(headgate("keys", "list", "--json").json()) == 1

    def test_the_folder_may_be_named(self, headgate, tmp_path, monkeypatch):
        (tmp_path / "project").mkdir()
        headgate("keys", "create", "first", "--dir", str(tmp_path / "project"))
        monkeypatch.setenv("HEADGATE_PROJECT", str(tmp_path / "project"))
        assert len(headgate("keys", "list", "--json").json()) == 1

    def test_the_file_may_name_the_database(self, headgate, tmp_path):
        (tmp_path / "headgate.yaml").write_text(f"database_url: sqlite:///{tmp_path / 'own.db'}\n")
        headgate("keys", "create", "first")
        assert (tmp_path / "own.db").exists()

    def test_a_broken_file_is_told_with_its_line(self, headgate, tmp_path):
        (tmp_path / "headgate.yaml").write_text("server: {}\nprovders: {}\n")
        ran = headgate("keys", "create", "first")
        assert ran.code == 1
        assert "headgate.yaml:2" in ran.err

    def test_a_database_that_does_not_answer_is_one_line(self, headgate, monkeypatch):
        monkeypatch.setenv("HEADGATE_DATABASE_URL", "postgresql://u:hunter2@127.0.0.1:1/x")
        ran = headgate("keys", "list")
        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert "hunter2" not in ran.err

    def test_a_changed_secret_is_told(self, headgate, monkeypatch):
        headgate("keys", "create", "first")
        monkeypatch.setenv("HEADGATE_SECRET_KEY", "x" * 32)
        ran = headgate("keys", "create", "second")
        assert (ran.code, ran.out) == (1, "")
        assert "HEADGATE_SECRET_KEY" in ran.err


def test_serve_hands_on_what_it_was_told(headgate, served, tmp_path):
    assert headgate("serve", ".", "--host", "0.0.0.0", "--port", "0", "--workers", "3").code == 0
    assert served == [ServeOptions(folder=Path(), host="0.0.0.0", port=0, workers=3)]


def test_help_names_every_command_without_importing_any(headgate):
    ran = headgate("--help")
    assert ran.code == 0
    assert all(name in ran.out for name in COMMANDS)
    program = (
        "import sys; from headgate.cli.main import run, Composition\n"
        "try: run(Composition(serve=print), ['--help'])\n"
        "except SystemExit: print('sqlalchemy' in sys.modules, 'rich' in sys.modules)"
    )
    printed = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30
    ).stdout
    assert printed.splitlines()[-1] == "False False"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(headgate, name):
    ran = headgate(name, "--help")
    assert ran.code == 0
    assert f"headgate {name}" in ran.out


def test_control_characters_in_a_name_reach_no_terminal(on_sqlite):
    ran = on_sqlite("keys", "create", "evil\x1b[2J")
    assert ran.code == 1
    assert "\x1b" not in ran.err
