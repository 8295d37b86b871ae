"""What an operator reads when `headgate serve` cannot start: one line, and what to do."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from scripted_workflows import write_project
from servers import headgate

_PASSWORD = "the-password-of-the-database"

DATABASES = {
    "no URL": ("nonsense", "HEADGATE_DATABASE_URL"),
    "another kind": ("mysql://root@127.0.0.1/x", "mysql"),
    "nobody listens": (f"postgresql://u:{_PASSWORD}@127.0.0.1:9/x", "HEADGATE_DATABASE_URL"),
    "no such host": (f"postgresql://u:{_PASSWORD}@db.invalid/x", "HEADGATE_DATABASE_URL"),
    "no such folder can be made": ("sqlite:////proc/nowhere/x.db", "HEADGATE_DATABASE_URL"),
    "in memory": ("sqlite://", "sqlite:///PATH"),
    "a folder": ("sqlite:////tmp", "HEADGATE_DATABASE_URL"),
}


def _one_line(folder: Path, *arguments: str, code: int = 1, **env: str) -> str:
    done = headgate("serve", "--port", "0", *arguments, folder=folder, **env)
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert "Headgate listens" not in done.stdout
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("headgate: ")
    return lines[0]


@pytest.mark.parametrize(("url", "says"), DATABASES.values(), ids=DATABASES)
def test_a_database_that_cannot_be_used_is_one_line(tmp_path: Path, url: str, says: str):
    line = _one_line(tmp_path, HEADGATE_DATABASE_URL=url)
    assert says in line
    assert _PASSWORD not in line


def test_a_file_that_is_no_database_is_one_line(tmp_path: Path):
    (tmp_path / "notes.db").write_text("These are my notes, not a database. " * 100)
    line = _one_line(tmp_path, HEADGATE_DATABASE_URL=f"sqlite:///{tmp_path}/notes.db")
    assert "HEADGATE_DATABASE_URL" in line
    assert (tmp_path / "notes.db").read_text().startswith("These are my notes")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_workflow_that_names_a_tool_that_is_not_there_is_one_line(tmp_path: Path, workers: str):
    write_project(tmp_path)
    with (tmp_path / "workflows" / "labels" / "workflow.yaml").open("a") as file:
        file.write("tools: {act: {source: desk/act}}\n")
    line = _one_line(tmp_path, str(tmp_path), "--workers", workers)
    assert "workflow.yaml:4: tools.act.source: there is no tool `desk/act`" in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_webhook_that_may_not_be_told_is_one_line(tmp_path: Path, workers: str):
    write_project(tmp_path)
    with (tmp_path / "workflows" / "labels" / "workflow.yaml").open("a") as file:
        file.write("webhook: https://somewhere.example/hook\n")
    line = _one_line(tmp_path, str(tmp_path), "--workers", workers)
    assert "workflows/labels/workflow.yaml" in line


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_guard_that_is_not_there_is_one_line(tmp_path: Path, workers: str):
    (tmp_path / "headgate.yaml").write_text("""\
guards: {mine: {custom: {file: nowhere.py, guard: Mine}}}
guard_policies: {all: {guards: [mine]}}
""")
    line = _one_line(tmp_path, str(tmp_path), "--workers", workers)
    assert "headgate.yaml:1: guards.mine.custom.file" in line


def test_a_busy_port_is_one_line_that_names_it(tmp_path: Path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = headgate("serve", "--port", str(port), folder=tmp_path)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert str(port) in line
    assert "--port" in line
    assert not (tmp_path / "data").exists(), "it left something behind"


@pytest.mark.parametrize("host", ["203.0.113.1", "no-such-host.invalid", "::g"])
def test_an_address_that_is_not_ours_is_one_line(tmp_path: Path, host: str):
    assert host in _one_line(tmp_path, "--host", host)


def test_a_folder_that_is_not_there_is_one_line_with_the_remedy(tmp_path: Path):
    line = _one_line(tmp_path, "nowhere")
    assert "nowhere" in line
    assert "headgate init" in line


GRADED = """\
providers: {a: {}}
routes:
  r:
    strategy: tiered
    targets:
      - {provider: a, model: m, when: {grades: [simple]}}
      - {provider: a, model: n}
    classifier: {model: m, otherwise: hard}
"""

BROKEN = {
    "a ladder that loops": (
        (
            "providers: {a: {}}\nroutes:\n  r:\n    targets:\n      - {provider: a, model: m}\n"
            "      - {provider: a, model: m}\n"
        ),
        ["headgate.yaml:6", "loop"],
    ),
    "an unknown target for long requests": (
        (
            "providers: {a: {}}\nroutes:\n  r:\n    targets: [{provider: a, model: m}]\n"
            "    larger_context:\n      provider: b\n      model: m\n"
        ),
        ["headgate.yaml:6", "no such provider"],
    ),
    "a tiered route that not every request fits": (
        (
            "providers: {a: {}}\nroutes:\n  r:\n    strategy: tiered\n    targets:\n"
            "      - {provider: a, model: m, when: {needs: [tools]}}\n"
        ),
        ["headgate.yaml:6", "when"],
    ),
    "a weight that nothing reads": (
        "providers: {a: {}}\nroutes:\n  r:\n    targets: [{provider: a, model: m, weight: 2}]\n",
        ["headgate.yaml:4", "strategy: weighted"],
    ),
    "a hedge without a second target": (
        (
            "providers: {a: {}}\nroutes:\n  r:\n    targets: [{provider: a, model: m}]\n"
            "    hedge: {after_s: 1}\n"
        ),
        ["headgate.yaml:5", "second target"],
    ),
    "a grade that nobody gives": (
        GRADED.replace("    classifier: {model: m, otherwise: hard}\n", ""),
        ["headgate.yaml:6", "needs a `classifier`"],
    ),
    "a grade that the classifier does not know": (
        GRADED.replace("grades: [simple]", "grades: [easy]"),
        ["headgate.yaml:6", "no grade `easy`"],
    ),
    "a default that is no grade": (
        GRADED.replace("otherwise: hard", "otherwise: harder"),
        ["headgate.yaml:8", "otherwise", "simple, hard"],
    ),
    "a classifier that leads back to its route": (
        GRADED.replace("model: m, otherwise", "model: r, otherwise"),
        ["headgate.yaml:8", "classifier.model", "tiered route"],
    ),
    "a classifier that nobody serves": (
        GRADED.replace("{a: {}}", "{a: {models: [gpt-*]}}"),
        ["headgate.yaml:8", "classifier.model", "neither a route nor a model"],
    ),
    "a classifier that nothing asks": (
        GRADED.replace("grades: [simple]", "needs: [tools]"),
        ["headgate.yaml:8", "no target asks for a grade"],
    ),
    "a classifier that is told what is not for the operator to say": (
        GRADED.replace("otherwise: hard", "otherwise: hard, parameters: {messages: []}"),
        ["headgate.yaml:8", "parameters.messages"],
    ),
    "two keys of one name": (
        (
            "providers:\n  a:\n    keys:\n      - {name: k, api_key: sk-1}\n"
            "      - {name: k, api_key: sk-2}\n"
        ),
        ["headgate.yaml:5", "another key's name"],
    ),
    "not YAML": ("providers: [", ["headgate.yaml:"]),
    "an unknown field": ("server:\n  max_body_byte: 5000\n", ["headgate.yaml:2", "max_body_byte"]),
    "a wrong type": ("server:\n  max_body_bytes: many\n", ["headgate.yaml:2", "max_body_bytes"]),
    "out of range": (
        "ledger:\n\n  flush_interval_ms: 500\n",
        ["headgate.yaml:3", "flush_interval"],
    ),
    "no such provider": (
        "providers: {a: {}}\nroutes:\n  r:\n    targets: [{provider: b, model: m}]\n",
        ["headgate.yaml:4", "provider"],
    ),
    "no such variable": (
        "providers:\n  a:\n    api_key: ${NOT_SET_ANYWHERE}\n",
        ["headgate.yaml:3", "NOT_SET_ANYWHERE"],
    ),
    "no such keeper of objects": (
        "providers: {a: {}}\nendpoints:\n  provider: b\n",
        ["headgate.yaml:3", "no such provider"],
    ),
    "an address that is served already": (
        "endpoints: {allow: [/v1/files]}\n",
        ["headgate.yaml:1", "endpoints.allow[0]", "/v1/files", "served already"],
    ),
    "no address": ("endpoints: {allow: [v1/x]}\n", ["headgate.yaml:1", "allow"]),
    "no CIDR": ("server:\n  trusted_proxies: [here]\n", ["headgate.yaml:2", "trusted_proxies"]),
}


@pytest.mark.parametrize(("text", "says"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_told_with_line_and_field(tmp_path: Path, text: str, says: list[str]):
    (tmp_path / "headgate.yaml").write_text(text)
    line = _one_line(tmp_path)
    for part in says:
        assert part in line


@pytest.mark.parametrize("key", ["short", "with a space", "sn\xf6wman" * 3])
def test_an_admin_key_that_cannot_be_used_is_one_line_that_does_not_repeat_it(
    tmp_path: Path, key: str
):
    line = _one_line(tmp_path, HEADGATE_ADMIN_KEY=key)
    assert "HEADGATE_ADMIN_KEY" in line
    assert key not in line


def test_an_upstream_address_that_is_none_is_one_line(tmp_path: Path):
    line = _one_line(tmp_path, OPENAI_BASE_URL="api.openai.com/v1", OPENAI_API_KEY="sk-x")
    assert "OPENAI_BASE_URL" in line


@pytest.mark.parametrize(
    "arguments", [["--port", "70000"], ["--workers", "0"], ["--wrokers", "2"], ["a", "b"]]
)
def test_wrong_use_exits_with_2_and_a_hint(tmp_path: Path, arguments: list[str]):
    done = headgate("serve", *arguments, folder=tmp_path)
    assert done.returncode == 2
    assert "--help" in done.stderr
    assert "Traceback" not in done.stderr
