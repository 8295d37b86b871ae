"""`headgate init`, `check` and `run` as typed, against a real socket where one is asked."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from commands import Ran, ran
from scripted_workflows import write_project

RUN = {
    "id": "run_7", "object": "run", "workflow": "labels", "version": "1.2.3", "status": "completed",
    "fallback": False, "output": {"label": "good", "score": 3}, "cost_usd": "0.0000125",
    "latency_ms": 1234.5, "input": {"text": "x"}, "error": None,
    "steps": [
        {"kind": "call", "attempt": 1, "verdict": "passed", "duration_ms": 1200.25,
         "call_id": "call_1", "code": None, "problems": []},
        {"kind": "schema", "attempt": 1, "verdict": "failed", "duration_ms": 0.1, "call_id": None,
         "code": None, "problems": [{"path": "label", "check": "enum", "message": "must be"}]},
    ],
    "calls": [{"id": "call_1", "target": "openai/m", "model": "m-1", "input_tokens": 9,
               "output_tokens": 4, "attempts": 2}],
}  # fmt: skip


@pytest.fixture(autouse=True)
def quiet_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "OPENAI_API_KEY", "OPENAI_BASE_URL", "HEADGATE_PROJECT", "HEADGATE_DATABASE_URL",
        "HEADGATE_URL", "HEADGATE_API_KEY", "HEADGATE_ADMIN_KEY",
    ):  # fmt: skip
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def headgate(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Type a command; its exit status, output and notes."""

    def typed(*arguments: Any) -> Ran:
        return ran(capsys, arguments)

    return typed


class Api:
    """A server that answers runs, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], Any]] = []
        self.failing: set[str] = set()
        self.failing_status = 502
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                headers = {name.lower(): value for name, value in self.headers.items()}
                api.asked.append((self.path, headers, body))
                failing = body["input"].get("text") in api.failing
                answer = {"error": {"message": "It broke."}} if failing else RUN
                content = json.dumps(answer).encode()
                self.send_response(api.failing_status if failing else 200)
                self.send_header("content-length", str(len(content)))
                self.send_header("x-headgate-run-id", "run_7")
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    monkeypatch.setenv("HEADGATE_URL", api.url)
    monkeypatch.setenv("HEADGATE_API_KEY", "hg_key")
    yield api
    api.server.shutdown()
    api.server.server_close()
    thread.join()


def test_init_writes_a_project_that_check_likes(headgate, tmp_path):
    folder = tmp_path / "new" / "project"
    status, out, notes = headgate("init", folder)
    assert status == 0
    assert str(folder / "workflows" / "ticket-triage" / "prompt.md") in out
    assert f"headgate serve {folder}" in notes
    assert f"HEADGATE_API_KEY=$(headgate keys create my-app --dir {folder})" in notes
    assert not list(folder.rglob("__pycache__"))
    assert "/data/" in (folder / ".gitignore").read_text()
    status, out, _ = headgate("check", folder)
    assert status == 0
    for shown in ("ticket-triage", "report-summary", "the simulator", "triage", "30 s"):
        assert shown in out


def test_init_leaves_a_folder_with_anything_in_it_alone(headgate, tmp_path):
    (tmp_path / "mine.txt").write_text("x")
    status, _, notes = headgate("init", tmp_path)
    assert status == 1
    assert "is not empty" in notes
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_check_tells_every_problem_of_every_file(headgate, tmp_path):
    labels = write_project(tmp_path)
    (tmp_path / "headgate.yaml").write_text(
        "routs: {}\nretries: {max_attempts: 99}\nledger: {durability: never}\n"
    )
    (labels / "workflow.yaml").write_text("version: 1.0.0\nowner: x\n")
    (labels / "prompt.md").write_text("# system\nS\n# user\n{{ input.nope }}\n")
    status, out, notes = headgate("check", tmp_path)
    assert status == 1
    for line in (
        f"{tmp_path}/headgate.yaml:1: routs: unknown field",
        f"{tmp_path}/headgate.yaml:2: retries.max_attempts: ",
        f"{tmp_path}/headgate.yaml:3: ledger.durability: ",
        f"{labels}/workflow.yaml:1: the required field `route` is missing",
        f"{labels}/prompt.md:4: input.nope: ",
    ):
        assert any(found.startswith(line) for found in out.splitlines()), (line, out)
    assert "5 problems" in notes
    status, out, _ = headgate("check", tmp_path, "--json")
    assert status == 1
    assert len(json.loads(out)["problems"]) == 5


def test_check_refuses_to_let_pass_what_is_served_as_the_server_does(headgate, tmp_path):
    (tmp_path / "headgate.yaml").write_text("endpoints: {allow: [/v1/files]}\n")
    status, out, _ = headgate("check", tmp_path)
    assert status == 1
    assert ":1: endpoints.allow[0]: `/v1/files` is served already" in out


def test_check_warns_of_a_key_that_is_too_short_to_be_hidden(headgate, tmp_path):
    (tmp_path / "headgate.yaml").write_text("providers: {own: {api_key: k}}\n")
    status, _, notes = headgate("check", tmp_path)
    assert status == 0
    assert "warning: providers.own.api_key has fewer than 8 characters" in notes
    status, out, _ = headgate("check", tmp_path, "--json")
    assert len(json.loads(out)["warnings"]) == 1


def test_check_finds_a_route_that_nobody_serves(headgate, tmp_path):
    write_project(tmp_path)
    (tmp_path / "headgate.yaml").write_text(
        "providers:\n  own: {base_url: 'http://127.0.0.1:1/v1', models: ['big-*']}\n"
    )
    status, out, _ = headgate("check", tmp_path)
    assert status == 1
    assert "workflow.yaml:3: route: small-model is neither a route" in out
    (tmp_path / "headgate.yaml").write_text(
        "providers:\n  own: {base_url: 'http://127.0.0.1:1/v1', models: ['small-*']}\n"
    )
    assert headgate("check", tmp_path)[0] == 0


def test_check_shows_who_grades_and_where_traces_go(headgate, tmp_path, monkeypatch):
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    assert "Traces    off" in headgate("check", tmp_path)[1]
    (tmp_path / "headgate.yaml").write_text(
        "traces: {endpoint: 'http://collector:4318', share: 0.25, headers: {x-token: hidden}}\n"
        "routes:\n  chat:\n    strategy: tiered\n    classifier: {model: tiny, otherwise: hard}\n"
        "    targets:\n      - {provider: openai, model: m, when: {grades: [simple]}}\n"
        "      - {provider: openai, model: n}\n"
    )
    status, out, _ = headgate("check", tmp_path)
    assert status == 0
    assert "25 % of those that callers do not decide on, to http://collector:4318/v1/traces" in out
    assert re.search(r"chat +tiny +simple, hard +hard +2 s", out)
    _, out, _ = headgate("check", tmp_path, "--json")
    assert json.loads(out)["policy"]["routes"]["chat"]["classifier"]["otherwise"] == "hard"
    assert "hidden" not in out
    monkeypatch.setenv("OTEL_TRACES_SAMPLER", "by-the-moon")
    status, out, _ = headgate("check", tmp_path)
    assert status == 1
    assert "OTEL_TRACES_SAMPLER" in out


def test_check_never_shows_a_key(headgate, tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-very-secret")
    monkeypatch.setenv("HEADGATE_DATABASE_URL", "postgresql://u:hidden@db/x")
    for option in ([], ["--json"]):
        _, out, notes = headgate("check", tmp_path, *option)
        assert "sk-very" not in out + notes
        assert "hidden" not in out + notes
        assert "db/x" in out


def test_check_says_when_the_folder_is_not_there(headgate, tmp_path):
    status, out, notes = headgate("check", tmp_path / "nowhere")
    assert status == 1
    assert "no such folder" in out + notes


def test_run_shows_the_output_the_steps_and_the_cost(headgate, api, tmp_path):
    (tmp_path / "in.json").write_text('{"text": "hi"}')
    status, out, notes = headgate(
        "run", "labels", "--input", tmp_path / "in.json", "--feature", "f", "--user", "ann",
        "--idempotency-key", "k", "-H", "x-simulator-fault: 500 first",
    )  # fmt: skip
    assert status == 0
    assert '"label": "good"' in out
    assert "openai/m, 9 → 4 tokens, 2 attempts" in out
    assert "label: must be" in out
    assert "$0.0000125" in notes
    path, headers, body = api.asked[0]
    assert path == "/api/workflows/labels/runs"
    assert body == {"input": {"text": "hi"}}
    assert headers["authorization"] == "Bearer hg_key"
    assert headers["x-headgate-feature"] == "f"
    assert headers["x-headgate-user"] == "ann"
    assert headers["idempotency-key"] == "k"
    assert headers["x-simulator-fault"] == "500 first"


@pytest.mark.parametrize(
    "text",
    [
        '{"text": "a"}\n\n{"text": "b"}\n',
        '[{"text": "a"}, {"text": "b"}]',
        '\ufeff{"text": "a"}\n{"text": "b"}\n',
    ],
)
def test_run_takes_many_inputs_in_order(headgate, api, tmp_path, text):
    api.failing = {"b"}
    (tmp_path / "in.jsonl").write_text(text)
    status, out, notes = headgate("run", "labels", "--input", tmp_path / "in.jsonl")
    assert status == 1
    rows = [line.split() for line in out.splitlines() if line.strip()[:1].isdigit()]
    assert [row[1] for row in rows] == ["completed", "failed"]
    assert "It broke." in out
    assert "1 of 2 completed, 0 by fallback, 1 failed; $" in notes
    status, out, _ = headgate("run", "labels", "--input", tmp_path / "in.jsonl", "--json")
    first, second = json.loads(out)
    assert first == RUN
    assert second == {"id": "run_7", "http_status": 502, "error": {"message": "It broke."}}


def test_runs_that_wait_for_a_person_are_told_and_have_taken_no_time_yet(
    headgate, api, tmp_path, monkeypatch
):
    waiting = {"status": "awaiting_review", "review_id": "rev_7", "latency_ms": None}
    monkeypatch.setitem(globals(), "RUN", RUN | waiting)
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n{"text": "b"}\n')
    status, out, notes = headgate("run", "labels", "--input", tmp_path / "in.jsonl")
    assert "0 of 2 completed, 0 by fallback, 2 waiting for a person; $" in notes
    assert "rev_7" in out
    assert "0.00 s" not in out
    assert status == 0


@pytest.mark.parametrize("refusal", [401, 403, 404])
def test_a_refusal_that_is_the_same_for_all_inputs_is_told_once(headgate, api, tmp_path, refusal):
    api.failing, api.failing_status = {"a"}, refusal
    (tmp_path / "in.jsonl").write_text('{"text": "a"}\n' * 30)
    status, out, notes = headgate("run", "labels", "--input", tmp_path / "in.jsonl")
    assert (status, out) == (1, "")
    assert notes.splitlines() == ["headgate: It broke."]
    assert len(api.asked) < 30


def test_run_reads_standard_input(headgate, api, monkeypatch):
    import io

    class Piped:
        buffer = io.BytesIO(b'{"text": "hi"}')

    monkeypatch.setattr("headgate.cli.input_file.sys.stdin", Piped)
    assert headgate("run", "labels", "--input", "-", "--json")[0] == 0
    assert api.asked[0][2] == {"input": {"text": "hi"}}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        ("nope", "in.json:1: not valid JSON"),
        ('{"a": 1}\nnope', "in.json:2: not valid JSON"),
        ("[1]", "item 1: is not a JSON object"),
        ('"x"', "is not a JSON object"),
        ("[" * 5000, "nested deeper"),
        ('{"a": 1}\n' + "[" * 5000, "in.json:2: not valid JSON"),
    ],
)
def test_a_bad_input_file_is_named_with_its_line(headgate, api, tmp_path, content, told):
    (tmp_path / "in.json").write_text(content)
    status, _, notes = headgate("run", "labels", "--input", tmp_path / "in.json")
    assert status == 1
    assert told in notes
    assert len(notes.splitlines()) == 1
    assert api.asked == []


def test_run_says_what_to_do_without_a_key_a_server_or_a_file(headgate, tmp_path, monkeypatch):
    (tmp_path / "in.json").write_text("{}")
    status, _, notes = headgate("run", "labels", "--input", tmp_path / "in.json")
    assert (status, "set HEADGATE_API_KEY" in notes) == (1, True)
    monkeypatch.setenv("HEADGATE_ADMIN_KEY", "hg_admin")
    closed = ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler)
    url = f"http://127.0.0.1:{closed.server_address[1]}"
    closed.server_close()
    status, _, notes = headgate("run", "labels", "--input", tmp_path / "in.json", "--url", url)
    assert (status, "headgate serve" in notes) == (1, True)
    status, _, notes = headgate("run", "labels", "--input", tmp_path / "none.json")
    assert (status, "cannot be read" in notes) == (1, True)
    assert headgate("run", "labels")[0] == 2
    status, _, notes = headgate("run", "l", "--input", tmp_path / "in.json", "--url", "ftp://x")
    assert status == 2
