"""The official OpenAI SDK for Node, unchanged but for its `baseURL`: the scenarios in `node/`.

The SDK is installed once, into pytest's cache. All scenarios run in one process of Node.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from servers import ADMIN_KEY, RunningServer, environment
from upstreams import (
    CUT,
    STREAM_HEAD,
    Upstream,
    chat_words,
    chunk,
    error,
    response_deltas,
)

_HERE = Path(__file__).parent / "node"
_SCRIPT = _HERE / "scenarios.mjs"
_SCENARIOS = re.findall(r"^  async (\w+)\(\) \{$", _SCRIPT.read_text(), re.MULTILINE)
_INSTALL_TIMEOUT_S = 180
_INSTALL_ATTEMPTS = 3
_RUN_TIMEOUT_S = 60

Found = dict[str, dict[str, Any]]


@pytest.fixture(scope="session")
def node_folder(request: pytest.FixtureRequest) -> Path:
    """A folder with the SDK installed and the scenarios in it."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if npm is None or node is None:
        reason = "Node or npm is not installed, so the SDK for Node was not tried"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    package = (_HERE / "package.json").read_bytes()
    digest = hashlib.sha256(package).hexdigest()[:12]
    folder = request.config.cache.mkdir(f"headgate-node-{digest}")
    if not (folder / "installed").exists():
        for attempt in range(1, _INSTALL_ATTEMPTS + 1):
            # A package index that answers late leaves half a folder, which npm then trips over.
            shutil.rmtree(folder / "node_modules", ignore_errors=True)
            if failure := _install(npm, folder, package):
                assert attempt < _INSTALL_ATTEMPTS, failure
            else:
                break
        (folder / "installed").touch()
    shutil.copy(_SCRIPT, folder / _SCRIPT.name)
    return folder


def _install(npm: str, folder: Path, package: bytes) -> str:
    """What npm said where it failed."""
    (folder / "package.json").write_bytes(package)
    done = subprocess.run(
        [npm, "install", "--no-package-lock", "--no-audit", "--no-fund", "--ignore-scripts"],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=_INSTALL_TIMEOUT_S,
        check=False,
    )
    return "" if done.returncode == 0 else done.stderr or f"npm ended with {done.returncode}"


@pytest.fixture(scope="session")
def found(
    node_folder: Path, simulated: RunningServer, gateway: RunningServer, upstream: Upstream
) -> Found:
    """What each scenario found."""
    for status in (400, 403, 404, 409, 422, 429, 500, 503):
        upstream.answers(
            f"node-{status}", error(status, "the_code", headers=[("retry-after", "99")])
        )
    upstream.answers("node-retry-after", error(429, "busy", headers=[("retry-after-ms", "1200")]))
    upstream.answers("node-timeout", [20.0])
    upstream.answers("node-abort", [20.0])
    upstream.answers(
        "node-broken-chat",
        [STREAM_HEAD, *map(chunk, chat_words("node-broken-chat", "Wa", "ter")), 0.05, CUT],
    )
    upstream.answers(
        "node-broken-response",
        [STREAM_HEAD, *map(chunk, response_deltas("node-broken-response", "Wa")), 0.05, CUT],
    )
    upstream.answers(
        "node-disconnect",
        [STREAM_HEAD, *map(chunk, chat_words("node-disconnect", "Wa", "ter")), 20.0],
    )
    with subprocess.Popen(
        ["node", _SCRIPT.name],
        cwd=node_folder,
        env=environment(
            node_folder,
            SIMULATED_URL=simulated.base_url,
            GATEWAY_URL=gateway.base_url,
            HEADGATE_KEY=ADMIN_KEY,
        ),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as node:
        try:
            upstream.wait_for("node-abort", timeout_s=_RUN_TIMEOUT_S)
            told, complained = node.communicate("abort it\n", timeout=_RUN_TIMEOUT_S)
        finally:
            node.kill()
    assert node.returncode == 0, complained
    return dict(json.loads(told))


@pytest.mark.parametrize("scenario", _SCENARIOS)
def test_an_application_in_node_notices_nothing(found: Found, scenario: str):
    assert found[scenario]["ok"], found[scenario].get("why")


def test_every_scenario_was_run(found: Found):
    assert len(_SCENARIOS) >= 20
    assert sorted(found) == sorted(_SCENARIOS)


@pytest.mark.parametrize("scenario", ["chat", "responses"])
def test_a_call_from_node_has_its_record(found: Found, simulated: RunningServer, scenario: str):
    record = simulated.record(id=found[scenario]["call_id"])
    assert record["status"] == 200
    assert record["cost_nanousd"] > 0


@pytest.mark.parametrize("name", ["node-timeout", "node-abort", "node-disconnect"])
def test_node_going_away_stops_upstream(
    found: Found, gateway: RunningServer, upstream: Upstream, name: str
):
    assert found
    assert upstream.wait_for(name).left.wait(3)
    record = gateway.record(model_requested=name)
    assert (record["status"], record["error_class"]) == (499, "client_disconnected")
