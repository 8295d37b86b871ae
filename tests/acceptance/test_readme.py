"""README.md, read and done: its commands and its five lines of code, against a real server."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from servers import RunningServer, StartServer, environment, headgate

_README = Path(__file__).parents[2] / "README.md"
_HERE = "http://127.0.0.1:8800"


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", _README.read_text(), re.MULTILINE | re.DOTALL)


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `headgate init support` writes."""
    folder = tmp_path_factory.mktemp("readme")
    assert "`headgate init support`" in _README.read_text()
    done = headgate("init", "support", folder=folder, as_installed=True)
    assert done.returncode == 0, done.stderr
    return folder / "support"


@pytest.fixture
def server(server_with: StartServer, example: Path) -> RunningServer:
    """`headgate serve support`."""
    assert "`headgate serve support`" in _README.read_text()
    return server_with(folder=example, as_installed=True)


def test_its_lines_of_code_work_as_they_stand(server: RunningServer, tmp_path: Path):
    (code,) = _blocks("python")
    assert code.count("\n") <= 6, "five lines of user code, and a blank one"
    key = headgate("keys", "create", "my-app", folder=server.folder, as_installed=True)
    assert key.returncode == 0, key.stderr
    secret = key.stdout.strip()
    assert secret.startswith("hg_")
    assert _HERE in code
    written = code.replace(_HERE, server.address).replace("hg_…", secret)
    done = subprocess.run(
        [sys.executable, "-c", written],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()
    usage = headgate("usage", "--group-by", "model,feature", "--json", folder=server.folder)
    (row,) = json.loads(usage.stdout)["data"]
    assert row["group"]["model"].startswith("gpt-4.1-mini")
    assert row["calls"] == 1
    assert row["cost_nanousd"] > 0


def test_its_workflow_answers_over_http(server: RunningServer, tmp_path: Path):
    (command,) = [block for block in _blocks("sh") if "/api/workflows/" in block]
    done = subprocess.run(
        ["sh", "-c", command.replace(_HERE, server.address)],
        env=environment(tmp_path, HEADGATE_API_KEY=server.new_key()),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    run = json.loads(done.stdout)
    assert run["status"] == "completed"
    assert run["output"]["severity"] == "urgent", "an outage is urgent"
    assert len(run["output"]["summary"]) == 3
    shown = server.get(f"/api/runs/{run['id']}").json()
    assert shown["output"] == run["output"]


def test_every_headgate_command_it_names_exists(tmp_path: Path):
    text = _README.read_text()
    named = set(re.findall(r"(?:^|[`/ ])headgate ([a-z]+)", text, re.MULTILINE))
    commands = {n for n in named if f"`headgate {n}" in text or f"bin/headgate {n}" in text}
    assert {"serve", "init", "keys", "usage"} <= commands
    for name in sorted(commands):
        done = headgate(name, "--help", folder=tmp_path)
        assert done.returncode == 0, f"headgate {name}: {done.stderr}"


def test_every_make_target_it_names_exists():
    makefile = (_README.parent / "Makefile").read_text()
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", _README.read_text(), re.MULTILINE))
    assert {"demo", "test", "bench"} <= named
    for name in named:
        assert re.search(rf"^{re.escape(name)}:", makefile, re.MULTILINE), f"make {name}"


def test_every_page_it_links_to_exists():
    for link in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", _README.read_text()):
        assert (_README.parent / link).exists(), link
