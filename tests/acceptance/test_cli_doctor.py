"""`headgate doctor` says what keeps a server from working here, and what to do about it."""

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from commands import Ran, ran
from headgate.storage import Database
from headgate.storage.migrate import HEAD
from servers import RunningServer
from upstreams import Upstream, error, reply, upstream_running

Doctor = Callable[..., Ran]
SECRET = "sk-of-the-doctor-a1b2c3"


@pytest.fixture(scope="module")
def provider() -> Iterator[Upstream]:
    """One of this file's own: every test says what its list of models is."""
    with upstream_running() as running:
        yield running


@pytest.fixture
def doctor(monkeypatch, tmp_path, capsys) -> Doctor:
    """Runs the command in an empty folder, as a shell would, where nothing else is set."""
    monkeypatch.chdir(tmp_path)
    for name in ("HEADGATE_PROJECT", "HEADGATE_DATABASE_URL", "HEADGATE_URL", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return lambda *arguments: ran(capsys, ["doctor", "--url", "127.0.0.1:1", *arguments])


@pytest.fixture
def asked(doctor, monkeypatch, provider) -> Callable[..., list[dict[str, Any]]]:
    """What is found of a provider that answers its list of models so."""
    monkeypatch.setenv("OPENAI_BASE_URL", provider.base_url)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)

    def asked(script: Any) -> list[dict[str, Any]]:
        provider.answers("/v1/models", script)
        told = doctor("--json")
        assert SECRET not in told.out + told.err
        return about(told, "provider openai")

    return asked


def listing(*models: str) -> Any:
    return reply({"object": "list", "data": [{"id": one, "object": "model"} for one in models]})


def about(told: Ran, of: str) -> list[dict[str, Any]]:
    return [one for one in told.json()["findings"] if one["of"].startswith(of)]


def states(findings: list[dict[str, Any]]) -> list[str]:
    return [one["state"] for one in findings]


def test_a_new_folder_is_well_and_stays_as_it_is(doctor: Doctor, tmp_path: Path):
    told = doctor()
    assert told.code == 0
    assert "the server makes it when it starts" in told.out
    assert "the simulator answers" in told.out
    assert "set OPENAI_API_KEY" in told.out
    assert "none answers at 127.0.0.1:1" in told.out
    assert list(tmp_path.iterdir()) == []


def test_what_is_wrong_with_a_file_is_told_and_what_hangs_on_it_is_not_asked(
    doctor: Doctor, tmp_path: Path
):
    (tmp_path / "headgate.yaml").write_text("providers: {openai: {base_ulr: x}}\n")
    told = doctor("--json")
    assert (told.code, told.json()["ok"]) == (1, False)
    assert "base_ulr" in about(told, "files")[0]["says"]
    assert not about(told, "provider")
    assert not about(told, "database")


@pytest.mark.parametrize(
    ("schema", "code", "says"),
    [
        (HEAD, 0, f"schema {HEAD}"),
        ("0003", 0, f"schema 0003; this version's is {HEAD}"),
        ("9000", 1, "written by a newer Headgate"),
    ],
)
def test_a_database_is_of_this_version_an_older_or_a_newer_one(
    doctor: Doctor, monkeypatch, database_url: str, schema: str, code: int, says: str
):
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": schema})
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    told = doctor("--json")
    assert told.code == code
    assert says in about(told, "database")[0]["says"]
    with database.begin() as connection:
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        assert found == schema
        connection.execute(sa.text("UPDATE alembic_version SET version_num = :it"), {"it": HEAD})
    database.close()


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://one:hushhush@127.0.0.1:1/none",
        "mysql://one:hushhush@127.0.0.1/none",
        "sqlite:////etc/passwd/a.db",
    ],
)
def test_a_database_that_can_not_be_used_fails_and_its_password_is_not_told(
    doctor: Doctor, monkeypatch, url: str
):
    monkeypatch.setenv("HEADGATE_DATABASE_URL", url)
    told = doctor()
    assert told.code == 1
    assert "FAILED   database: " in told.out
    assert "hushhush" not in told.out + told.err


def test_a_key_that_is_let_in_is_well(asked):
    (found,) = asked(listing("gpt-5", "gpt-5-mini"))
    assert found["state"] == "ok"
    assert found["says"].endswith("2 models")


@pytest.mark.parametrize(
    ("script", "state", "says"),
    [
        (error(401, "invalid_api_key"), "failed", "refuses the key with 401"),
        (error(403, "no_permission"), "failed", "refuses the key with 403"),
        (error(404, "not_found"), "ok", "has no list of models"),
        (error(429, "rate_limit_exceeded"), "warning", "429"),
        (error(503, "down"), "failed", "503"),
        (reply(b"<html>", content_type="text/html"), "ok", "0 models"),
        ([b"SMTP ready\r\n\r\n"], "failed", "does not answer"),
    ],
)
def test_how_a_provider_answers_is_told(asked, script: Any, state: str, says: str):
    (found,) = asked(script)
    assert found["state"] == state
    assert says in found["says"]


def test_a_clock_that_is_wrong_is_told(asked):
    old = reply({"data": []}, headers=[("date", formatdate(1_700_000_000, usegmt=True))])
    assert states(asked(old)) == ["warning", "ok"]
    now = reply({"data": []}, headers=[("date", formatdate(usegmt=True))])
    assert states(asked(now)) == ["ok"]


def test_each_key_of_a_pool_and_each_model_of_a_route_is_asked_for(
    doctor: Doctor, provider: Upstream, tmp_path: Path
):
    (tmp_path / "headgate.yaml").write_text(f"""
providers:
  openai:
    base_url: {provider.base_url}
    keys: [{{name: good, api_key: sk-good-a1b2c3}}, {{name: bad, api_key: sk-bad-a1b2c3}}]
routes:
  known: {{targets: [{{provider: openai, model: gpt-5}}]}}
  fancy: {{targets: [{{provider: openai, model: gpt-7}}]}}
""")

    def by_key(request: Any) -> Any:
        good = request.header("authorization") == "Bearer sk-good-a1b2c3"
        return listing("gpt-5") if good else error(401, "invalid_api_key")

    provider.answers("/v1/models", by_key)
    told = doctor("--json")
    assert told.code == 1
    assert states(about(told, "provider openai, key good")) == ["ok"]
    assert states(about(told, "provider openai, key bad")) == ["failed"]
    (missing,) = about(told, "route ")
    assert (missing["of"], missing["state"]) == ("route fancy", "warning")
    assert "gpt-7" in missing["says"]


def test_a_server_that_runs_says_whether_it_is_ready(
    doctor: Doctor, gateway: RunningServer, provider: Upstream
):
    told = doctor("--json", "--url", gateway.address)
    assert states(about(told, "server")) == ["ok"]
    told = doctor("--json", "--url", gateway.base_url)
    assert states(about(told, "server")) == ["ok"], "the address as SDKs are given it"
    provider.answers("/readyz", reply(b"hello"))
    told = doctor("--json", "--url", provider.base_url.removesuffix("/v1"))
    assert told.code == 1
    assert "is no Headgate" in about(told, "server")[0]["says"]
    assert doctor("--url", "ftp://x").code == 2


def test_redis_that_is_away_is_no_failure_but_told(doctor: Doctor, tmp_path: Path):
    pytest.importorskip("redis")
    (tmp_path / "headgate.yaml").write_text(
        'cache: {when: deterministic, store: redis, redis_url: "redis://:hushhush@127.0.0.1:1/0"}\n'
    )
    told = doctor("--json")
    assert (told.code, states(about(told, "cache"))) == (0, ["warning"])
    assert "hushhush" not in told.out


def test_too_few_open_files_are_told(doctor: Doctor, monkeypatch):
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 256))
    told = doctor("--json")
    assert (told.code, states(about(told, "machine"))) == (0, ["warning", "ok"])
