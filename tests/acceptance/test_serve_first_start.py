"""`headgate serve` from nothing: what is made, what is said, and what is said only once."""

from __future__ import annotations

import re
from pathlib import Path

from servers import PROVIDER_KEY, StartServer, until
from upstreams import Upstream

_KEY = re.compile(r"Admin key, shown only this once: (hg_\S+)")


def test_an_empty_folder_is_enough_to_serve_answers(server_with: StartServer, tmp_path: Path):
    server = server_with(admin_key=None, as_installed=True)
    print(f"headgate serve answered after {server.started_in_s:.2f} s")
    shown = _KEY.findall(server.stdout())
    assert len(shown) == 1
    answer = server.chat("gpt-5-mini", key=shown[0])
    assert answer.status == 200
    assert answer.json()["choices"][0]["message"]["content"]


def test_the_admin_key_is_shown_once_and_never_logged_or_stored(
    server_with: StartServer, tmp_path: Path
):
    folder = tmp_path / "installation"
    first = server_with(folder=folder, admin_key=None, as_installed=True)
    (key,) = _KEY.findall(first.stdout())
    assert first.get("/api/keys", key=key).status == 200
    assert key not in first.stderr()
    assert first.stop() == 0
    again = server_with(folder=folder, admin_key=None, as_installed=True)
    assert "Admin key" not in again.stdout()
    assert again.get("/api/keys", key=key).status == 200
    assert key not in again.stderr()
    again.stop()
    for file in (folder / "data").iterdir():
        assert key.encode() not in file.read_bytes(), file.name


def test_without_a_provider_every_reply_line_and_record_says_simulated(shared_with: StartServer):
    server = shared_with()
    assert "SIMULATED" in server.stdout()
    answer = server.chat("gpt-5-mini")
    assert answer.headers["x-headgate-simulated"] == "true"
    assert server.record(id=answer.headers["x-headgate-call-id"])["simulated"] is True
    assert any(line["event"] == "simulated" for line in server.log())
    assert until(lambda: [line for line in server.log() if line["event"] == "call"], 3.0)
    assert all(line["simulated"] for line in server.log() if line["event"] == "call")
    refused = server.chat("no-such-model-at-all")
    assert refused.status == 404
    assert refused.headers["x-headgate-simulated"] == "true"


def test_a_given_admin_key_is_taken_and_not_shown(shared_with: StartServer):
    server = shared_with()
    assert "Admin key" not in server.stdout()
    assert server.get("/api/keys").status == 200


def test_openais_own_variables_lead_to_the_provider(server_with: StartServer, upstream: Upstream):
    server = server_with(
        upstream=upstream, env={"OPENAI_ORG_ID": "org-of-ours", "OPENAI_PROJECT_ID": "proj_ours"}
    )
    assert "SIMULATED" not in server.stdout()
    answer = server.chat("leads-to-the-provider")
    assert answer.status == 200
    assert "x-headgate-simulated" not in answer.headers
    assert answer.headers["x-headgate-target"] == "openai/leads-to-the-provider"
    asked = upstream.wait_for("leads-to-the-provider")
    assert asked.header("authorization") == f"Bearer {PROVIDER_KEY}"
    assert asked.header("openai-organization") == "org-of-ours"
    assert asked.header("openai-project") == "proj_ours"
    assert server.record(id=answer.headers["x-headgate-call-id"])["simulated"] is False


def test_what_is_made_in_the_data_folder_is_for_its_owner_alone(shared_with: StartServer):
    server = shared_with()
    data = server.folder / "data"
    assert data.stat().st_mode & 0o077 == 0
    assert "headgate.db" in {file.name for file in data.iterdir()}
