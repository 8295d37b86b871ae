"""What guards hide is nowhere: every endpoint, every mode, every place where a value can stand.

Values are planted in requests to all that is served, with logs at their most verbose; then they are
looked for in what the provider got, in the database, the logs, the traces and the metrics.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy as sa

from collectors import Collector, collector_running
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.objects.kind import KINDS
from headgate.gateway.objects.operation import Operation
from headgate.gateway.objects.operations import OPERATIONS
from headgate.storage import Database
from headgate.storage.schema import metadata, objects
from servers import ADMIN_KEY, RunningServer, StartServer, until
from upstreams import (
    DONE,
    Upstream,
    chat_usage,
    chat_words,
    reply,
    response_object,
    stream,
    upstream_running,
)

PLANTED = {
    "email": "canary.6f1d@example.com",
    "payment_card": "5555 5555 5555 4444",
    "iban": "DE89370400440532013000",
    "phone": "+49 30 901820",
    "national_id": "536-22-8726",
}
SECRET = "sk-proj-canaryabcdefghijklmnopqrstuvwxyz0123456789ABCDEF"
TEXT = (
    f"Mail {PLANTED['email']}, call {PLANTED['phone']}, IBAN {PLANTED['iban']}, card"
    f" {PLANTED['payment_card']}, SSN {PLANTED['national_id']}."
)

GUARDED = """
logs: { level: debug }
traces: { endpoint: COLLECTOR }
cache: { when: deterministic }
endpoints: { allow: [/v1/oddities] }
retries: { max_attempts: 1 }
guards:
  personal:
    redact:
      find:
        kinds: [email, payment_card, iban, phone, national_id, secret]
        languages: [en, de]
      modes:
        payment_card: mask
        iban: hash
        phone: stand_in
        national_id: drop
        secret: block
  house: { words: { words: [never said], on_hit: flag } }
guard_policies:
  everyone: { guards: [personal, house] }
"""

CHAT: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": TEXT},
        {"role": "user", "content": [{"type": "text", "text": TEXT}], "name": TEXT},
        {"role": "assistant", "tool_calls": [
            {"id": "c", "type": "function",
             "function": {"name": "f", "arguments": json.dumps({"a": [TEXT]})}}]},
        {"role": "tool", "tool_call_id": "c", "content": TEXT},
    ],
    "tools": [{"type": "function", "function": {
        "name": "f", "description": TEXT,
        "parameters": {"type": "object", "properties": {"a": {"description": TEXT}}}}}],
    "metadata": {"about": TEXT},
    "user": TEXT,
    "safety_identifier": TEXT,
    "prompt_cache_key": TEXT,
    "stop": [TEXT],
    "prediction": {"type": "content", "content": TEXT},
    "web_search_options": {"user_location": {"approximate": {"city": TEXT}}},
    "temperature": TEXT,
    "stream_options": {"of": TEXT},
    "an_unknown_field": {"deep": [[{"inside": TEXT}]]},
}  # fmt: skip
RESPONSES: dict[str, Any] = {
    "instructions": TEXT,
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": TEXT}]},
        {"type": "reasoning", "id": "rs_1", "summary": [{"type": "summary_text", "text": TEXT}]},
        {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps([TEXT])},
        {"type": "function_call_output", "call_id": "c", "output": TEXT},
        {"type": "mcp_call", "id": "m", "name": "f", "server_label": TEXT, "output": TEXT},
        {"type": "an_unknown_item", "said": TEXT},
    ],
    "text": {"format": {"type": "json_schema", "name": "x", "schema": {"description": TEXT}}},
    "metadata": {"about": TEXT},
    "prompt": {"id": "pmpt_1", "variables": {"who": TEXT}},
}

BODIES: dict[str, dict[str, Any]] = {
    "chat/completions": CHAT,
    "responses": RESPONSES,
    "responses/compact": RESPONSES,
    "responses/input_tokens": RESPONSES,
    "embeddings": {"input": [TEXT, f"{TEXT} Again."], "user": TEXT},
    "moderations": {"input": [{"type": "text", "text": TEXT}]},
    "audio/transcriptions": {"prompt": TEXT, "language": "en"},
    "audio/translations": {"prompt": TEXT},
    "audio/speech": {"input": TEXT, "instructions": TEXT, "voice": "alloy"},
    "images/generations": {"prompt": TEXT, "user": TEXT},
    "images/edits": {"prompt": TEXT, "svg[prompt]": TEXT},
    "images/variations": {"user": TEXT},
}
"""Of every endpoint, a request with values in all that it may say."""

OBJECT: dict[str, Any] = {
    "name": TEXT,
    "description": TEXT,
    "prompt": TEXT,
    "query": [TEXT],
    "metadata": {"about": TEXT},
    "items": [{"type": "message", "role": "user", "content": TEXT}],
    "attributes": {"about": TEXT},
    "data_source": {"type": "jsonl", "source": {"content": [{"item": {"q": TEXT}}]}},
    "grader": {"type": "string_check", "input": TEXT},
    "filters": {"type": "eq", "key": "k", "value": TEXT},
}
"""What a request about any object may say."""

LINE = {"custom_id": "1", "method": "POST", "url": "/v1/chat/completions"}


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    """One of this file's own: all that it was ever asked is looked through."""
    with upstream_running() as running:
        yield running


@pytest.fixture(scope="module")
def collector() -> Iterator[Collector]:
    with collector_running() as running:
        yield running


def form(fields: dict[str, Any], *files: tuple[str, str, str]) -> tuple[bytes, dict[str, str]]:
    """A form of `fields` and of files: name, filename, content."""
    told = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in fields.items()
    ] + [
        f'--b\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n\r\n'
        f"{content}\r\n"
        for name, filename, content in files
    ]
    body = ("".join(told) + "--b--\r\n").encode()
    return body, {"content-type": "multipart/form-data; boundary=b"}


def _odd_forms(data: bytes) -> list[bytes]:
    """The same form with a value where applications write none."""
    mail = PLANTED["email"].encode()
    disposition = b"Content-Disposition: form-data; name="
    heads = (
        b'x-note: %b\r\n%b"a"' % (mail, disposition),
        b'x-note: %b\r\n%b"a"' % (SECRET.encode(), disposition),
        b'content-type: text/plain; of=%b\r\n%b"a"; filename="a"' % (mail, disposition),
        b'%b"%b"' % (disposition, mail),
        b'%b"%b"; filename="a"' % (disposition, mail),
        b"%b\"a\"; filename*=utf-8''%b" % (disposition, mail.replace(b"@", b"%40")),
    )
    return [b"--b\r\n%b\r\n\r\nx\r\n%b" % (head, data) for head in heads]


def ask_every_endpoint(server: RunningServer, upstream: Upstream, model: str) -> None:
    assert set(BODIES) == set(ENDPOINTS), "an endpoint was added: say what can be planted in it"
    vectors = [{"object": "embedding", "index": at, "embedding": [0.5]} for at in (0, 1)]
    shown = {"id": "resp_1", "model": model, "text": "<EMAIL_1>", "output": [], "data": vectors}
    for name, body in BODIES.items():
        own = f"{model}-{name}"
        upstream.answers(own, reply(response_object(own) | shown if "resp" in name else shown))
        asked = {"model": own, **body}
        plain = server.post(f"/v1/{name}", asked)
        server.post(f"/v1/{name}", asked | {"temperature": 0})
        server.post(f"/v1/{name}", asked | {"temperature": 0})
        server.post(f"/v1/{name}", asked, headers={"x-headgate-trust": "untrusted"})
        if name == "chat/completions":
            flowing = stream(*chat_words(own, "<EMAIL_1>"), chat_usage(own), DONE)
            upstream.answers(own, flowing)
        server.post(f"/v1/{name}", asked | {"stream": True})
        refused = server.post(f"/v1/{name}", asked | {"another": f"with {SECRET}"})
        assert refused.status == 400, name
        odd = server.post(f"/v1/{name}", asked | {PLANTED["email"]: 1})
        assert odd.status == 400, name
        headed = server.post(f"/v1/{name}", asked, headers={"x-client-request-id": TEXT})
        assert headed.status == 400, name
        if ENDPOINTS[name].takes_form:
            data, kind = form(asked, ("file", "canary.6f1d@example.com.wav", "RIFF"))
            server.post(f"/v1/{name}", data, headers=kind)
            data, kind = form(asked)
            server.post(f"/v1/{name}", data, headers=kind)
            for odd_form in _odd_forms(data):
                refused = server.post(f"/v1/{name}", odd_form, headers=kind)
                assert refused.error["code"] == "content_blocked", refused.body
        if not name.startswith(("audio/speech", "images/")):
            assert plain.status == 200, (name, plain.body)
            assert upstream.requests(own), name


def own_all(server: RunningServer) -> None:
    """Let the project have one object of each kind."""
    database = Database(server.database_url)
    rows = [
        {"id": f"own-{kind}", "kind": kind, "provider": "openai", "project": "default",
         "key_id": "k", "created_at_us": 1}
        for kind in KINDS
    ]  # fmt: skip
    with database.begin() as connection:
        connection.execute(sa.insert(objects), rows)
    database.close()


def ask_every_operation(server: RunningServer, upstream: Upstream) -> None:
    own_all(server)
    for operation in OPERATIONS:
        path = _path(operation)

        def asked(path: str = path) -> int:
            targets = (one.target.partition("?")[0] for one in upstream.asked())
            return sum(target == path for target in targets)

        shown = {"id": f"made-{operation.kind}", "name": "<EMAIL_1>", "data": []}
        upstream.answers(path, reply(shown))
        query = urlencode({"metadata[about]": TEXT, "limit": 2})
        before = asked()
        if operation.method == "POST" and not operation.runs_file:
            told = server.post(f"{path}?{query}", OBJECT)
            assert told.status < 500, (path, told.body)
            if operation.takes_form:
                fields = {"purpose": "user_data", "prompt": TEXT, "name": TEXT}
                data, kind = form(fields)
                server.post(path, data, headers=kind)
                data, kind = form(fields, ("file", "canary.6f1d@example.com.txt", TEXT))
                seen = asked()
                for odd_form in _odd_forms(data):
                    refused = server.post(path, odd_form, headers=kind)
                    assert refused.error["code"] == "content_blocked", refused.body
                refused = server.post(path, data, headers=kind)
                assert refused.error["code"] == "content_blocked", (path, refused.body)
                assert asked() == seen
            assert asked() > before, path
        elif operation.method == "GET":
            headed = server.get(path, headers={"idempotency-key": TEXT})
            assert headed.error["code"] == "content_blocked", path
            server.get(f"{path}?{query}")
            assert asked() > before, path
            refused = server.get(f"{path}?{urlencode({PLANTED['email']: 1})}")
            assert refused.error["code"] == "content_blocked", path
        else:
            server.request(operation.method, f"{path}?{query}")


def _path(operation: Operation) -> str:
    parts = [
        f"own-{part[1:-1]}" if part[0] == "{" else part for part in operation.path[1:].split("/")
    ]
    return "/v1/" + "/".join(parts)


def carry_files(server: RunningServer, upstream: Upstream, model: str) -> None:
    """Files whose lines are read, a batch of them, and its results."""
    upstream.answers("/v1/files", reply({"id": "file-every", "object": "file"}))
    lines = {
        "batch": [json.dumps(LINE | {"body": {"model": model, **CHAT}})],
        "fine-tune": [json.dumps({"messages": CHAT["messages"], "an": {"other": TEXT}})],
        "evals": [json.dumps({"item": {"q": TEXT}})],
    }
    for purpose, told in lines.items():
        for extra, status in ([], 200), ([told[0].replace("Mail", SECRET)], 400):
            content = "\n".join([*told, *extra])
            data, kind = form(
                {"purpose": purpose}, ("file", "canary.6f1d@example.com.jsonl", content)
            )
            made = server.post("/v1/files", data, headers=kind)
            assert made.status == status, made.body
        if purpose == "batch":
            sent = upstream.requests("/v1/files")[-1].body
    line = next(one for one in sent.split(b"\r\n") if b"custom_id" in one)
    upstream.answers("/v1/files/file-every/content", reply(line))
    batch = {"id": "batch-every", "input_file_id": "file-every", "output_file_id": "file-results"}
    upstream.answers("/v1/batches", reply(batch))
    body = {"input_file_id": "file-every", "endpoint": "/v1/chat/completions"}
    begun = server.post("/v1/batches", body | {"metadata": {"about": TEXT}})
    assert begun.status == 200, begun.body
    body = {"choices": [{"message": {"role": "assistant", "content": "To <EMAIL_1>."}}]}
    result = {"custom_id": "1", "response": {"status_code": 200, "body": body}, "error": None}
    upstream.answers("/v1/files/file-results/content", reply(result))
    told = server.get("/v1/files/file-results/content")
    assert f"To {PLANTED['email']}.".encode() in told.body


def ask_other_addresses(server: RunningServer, upstream: Upstream) -> None:
    upstream.answers("/v1/oddities", reply({"id": "x"}))
    for method in ("POST", "PUT", "PATCH"):
        told = server.request(method, "/v1/oddities", {"said": TEXT})
        assert told.status == 200, told.body
    plain = {"content-type": "text/plain"}
    refused = server.post("/v1/oddities", TEXT.encode(), headers=plain)
    assert refused.error["code"] == "content_blocked"
    data, kind = form({"said": TEXT})
    assert server.post("/v1/oddities", data, headers=kind).status == 200
    query = urlencode({"include[]": TEXT})
    for below in ("", "/input_items"):
        refused = server.get(f"/v1/responses/resp_1{below}?{query}")
        assert refused.error["code"] == "guard_cannot_see"


def in_database(url: str) -> bytes:
    """All that stands in all tables."""
    database = Database(url)
    try:
        with database.connect() as connection:
            return b"\n".join(
                value if isinstance(value, bytes) else str(value).encode()
                for table in metadata.sorted_tables
                for row in connection.execute(sa.select(table))
                for value in row
            )
    finally:
        database.close()


def test_a_hidden_value_is_nowhere_but_with_its_client(
    server_with: StartServer,
    upstream: Upstream,
    collector: Collector,
    model: str,
    database_url: str,
    tmp_path: Path,
):
    settings = GUARDED.replace("COLLECTOR", collector.endpoint)
    before = len(upstream.everything())
    server = server_with(
        settings=settings, upstream=upstream, database_url=database_url, folder=tmp_path / "one"
    )
    ask_every_endpoint(server, upstream, model)
    ask_every_operation(server, upstream)
    carry_files(server, upstream, model)
    ask_other_addresses(server, upstream)
    metrics = server.get("/metrics", key=ADMIN_KEY).body
    assert b"headgate_guard_values_total" in metrics
    until(lambda: len(server.records()) > 150, 5)
    server.stop()
    until(lambda: collector.bytes_seen, 5)

    places = {
        "database": in_database(database_url),
        "logs": (server.stderr() + server.stdout()).encode(),
        "metrics": metrics,
        "traces": collector.bytes_seen,
        "files": b"".join(
            path.read_bytes()
            for path in (tmp_path / "one").rglob("*")
            if path.is_file() and path.name != "headgate.yaml"
        ),
    }
    assert all(places.values())
    for name, found in places.items():
        for value in (*PLANTED.values(), SECRET):
            for written in (value, quote(value), value.replace(" ", "+"), value.replace(" ", "")):
                assert written.encode() not in found, (name, value)
    sent = upstream.everything()[before:]
    hidden = [one for one in sent if b"EMAIL_1" in one.body or "EMAIL_1" in one.target]
    assert len(hidden) > 120, "what was planted has gone by the guards"
    for request in sent:
        head = f"{request.target} {request.headers}".encode()
        for value in (*PLANTED.values(), SECRET):
            for written in (value, quote(value), quote(value, safe=""), value.replace(" ", "+")):
                assert written.encode() not in head + request.body, (request.target, value)
