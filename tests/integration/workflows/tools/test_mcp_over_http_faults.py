"""What an MCP server over HTTP may answer instead of a result, and what it then has done."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from headgate.workflows.tools.tool import Tool, ToolUnavailableError
from mcp_servers import called, tools_of

Answer = bytes | None
"""None: the connection is closed without one."""


class ScriptedServer:
    """Answers `initialize` and `tools/list` as MCP says, and `tools/call` as a test says."""

    def __init__(self) -> None:
        self.calls: list[Answer | Callable[[int], Answer]] = []
        self.asked: list[tuple[str, str, dict[str, str], dict[str, Any]]] = []
        self.session_id: str | None = None
        self.resumed: Answer = None
        self._server: asyncio.Server | None = None

    @property
    def methods(self) -> list[str]:
        return [message.get("method", verb) for verb, _, _, message in self.asked]

    @property
    def url(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}/mcp?token=secret"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            first, *lines = head.split("\r\n")
            headers = {
                name.lower(): value.strip()
                for name, _, value in (line.partition(":") for line in lines if line)
            }
            body = await reader.readexactly(int(headers.get("content-length", "0")))
            verb, target, _ = first.split(" ")
            message = json.loads(body) if body else {}
            self.asked.append((verb, target, headers, message))
            answer = self._answer(verb, message, headers)
            if answer is not None:
                writer.write(answer)
                await writer.drain()
        writer.close()

    def _answer(self, verb: str, message: dict[str, Any], headers: dict[str, str]) -> Answer:
        number = message.get("id", 0)
        match verb, message.get("method"):
            case "POST", "initialize":
                about = {"protocolVersion": "2025-06-18", "capabilities": {"tools": {}}}
                extra = f"mcp-session-id: {self.session_id}\r\n" if self.session_id else ""
                return reply(200, {"jsonrpc": "2.0", "id": number, "result": about}, extra)
            case "POST", "tools/list":
                tools = [{"name": "act", "inputSchema": {"type": "object"}}]
                return reply(200, {"jsonrpc": "2.0", "id": number, "result": {"tools": tools}})
            case "POST", "tools/call":
                answer = self.calls.pop(0)
                return answer(number) if callable(answer) else answer
            case "GET", _ if "last-event-id" in headers:
                return self.resumed
            case "POST", _:
                return reply(202)
            case _:
                return reply(405)


def reply(status: int, content: Any = None, extra: str = "") -> bytes:
    body = b"" if content is None else json.dumps(content).encode()
    kind = "content-type: application/json\r\n" if body else ""
    head = f"HTTP/1.1 {status} X\r\ncontent-length: {len(body)}\r\n{kind}{extra}\r\n"
    return head.encode() + body


def events(text: str) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
        + text.encode()
    )


def done(number: int) -> bytes:
    result = {"content": [{"type": "text", "text": "done"}]}
    return reply(200, {"jsonrpc": "2.0", "id": number, "result": result})


def error(code: int, status: int = 200) -> Callable[[int], bytes]:
    def answer(number: int) -> bytes:
        told = {"code": code, "message": "no\u202e such\nthing"}
        return reply(status, {"jsonrpc": "2.0", "id": number, "error": told})

    return answer


@pytest.fixture
async def server() -> AsyncIterator[ScriptedServer]:
    server = ScriptedServer()
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def act(server: ScriptedServer) -> AsyncIterator[Tool]:
    tool = tools_of(url=server.url, tools=["act"], headers={"X-Token": "s3cret"}, connect_s=2)[
        "act"
    ]
    yield tool
    await tool.close()


@pytest.mark.parametrize(
    ("answer", "outcome", "code"),
    [
        (error(-32602), "failed", "mcp_-32602"),
        (error(-32601), "failed", "mcp_-32601"),
        (error(-32603), "unknown", "mcp_-32603"),
        (error(-32001), "unknown", "mcp_-32001"),
        (error(-32603, 400), "failed", "mcp_-32603"),
        (error(-32603, 500), "unknown", "http_500"),
        (reply(401), "failed", "http_401"),
        (reply(404), "failed", "http_404"),
        (reply(429), "failed", "http_429"),
        (reply(307, extra="location: http://127.0.0.1:1/\r\n"), "failed", "http_307"),
        (reply(408), "unknown", "http_408"),
        (reply(503), "unknown", "http_503"),
        (reply(202), "unknown", "bad_answer"),
        (reply(200, ["no", "MCP"]), "unknown", "bad_answer"),
        (reply(200, {"jsonrpc": "2.0", "id": 1}), "unknown", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nhi",
         "unknown", "bad_answer"),
        (b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 9\r\n\r\n{",
         "unknown", "cut"),
        (events("data: {}\n\n"), "unknown", "cut"),
        (events("data: " + "x" * 6_000_000), "unknown", "too_large"),
        (None, "unknown", "reset"),
    ],
)  # fmt: skip
async def test_only_what_certainly_did_nothing_has_failed(server, act, answer, outcome, code):
    server.calls = [answer]
    answer = await called(act)
    assert (answer.outcome, answer.code) == (outcome, code)
    assert "s3cret" not in answer.content
    assert "\u202e" not in answer.content
    assert "\n" not in answer.content
    assert server.methods.count("tools/call") == 1


async def test_a_server_that_is_away_was_not_reached(server, act):
    await server.stop()
    answer = await called(act)
    assert (answer.outcome, answer.code) == ("failed", "not_connected")
    with pytest.raises(ToolUnavailableError, match="connect"):
        await act.spec()


async def test_a_server_that_goes_away_between_calls_was_not_reached(server, act):
    server.calls = [done]
    assert (await called(act)).outcome == "done"
    await server.stop()
    answer = await called(act)
    assert (answer.outcome, answer.code) == ("failed", "connect")


@pytest.mark.parametrize("gone", [reply(404), error(-32000, 400)])
async def test_a_session_that_the_server_has_forgotten_is_made_anew_and_asked_once_more(
    server, act, gone
):
    server.session_id = "one"
    server.calls = [gone, done]
    assert (await called(act)).outcome == "done"
    assert server.methods.count("initialize") == 2
    assert server.methods.count("tools/list") == 2  # what it may do is looked at again


async def test_a_server_that_forgets_every_session_is_given_up(server, act):
    server.session_id = "one"
    server.calls = [reply(404)] * 10
    answer = await called(act)
    assert (answer.outcome, answer.code) == ("failed", "session")
    assert server.methods.count("tools/call") == 3


async def test_an_answer_that_is_fetched_later_is_not_asked_for_twice(server, act):
    server.calls = [events("id: e-1\nretry: 10\ndata:\n\n")]
    result = {"content": [{"type": "text", "text": "later"}]}
    server.resumed = events(
        f"id: e-2\ndata: {json.dumps({'jsonrpc': '2.0', 'id': 3, 'result': result})}\n\n"
    )
    answer = await called(act)
    assert (answer.outcome, answer.content) == ("done", "later")
    assert server.methods.count("tools/call") == 1
    assert [h["last-event-id"] for v, _, h, _ in server.asked if "last-event-id" in h] == ["e-1"]


async def test_an_answer_that_can_not_be_fetched_later_leaves_it_open(server, act):
    server.calls = [events("id: e-1\nretry: 10\ndata:\n\n")]
    answer = await called(act)
    assert (answer.outcome, answer.code) == ("unknown", "cut")


async def test_the_address_the_headers_and_the_version_go_along(server, act):
    server.session_id = "one"
    server.calls = [done]
    await called(act)
    await act.close()
    verb, target, headers, message = next(a for a in server.asked if a[3].get("id") == 3)
    assert (verb, target) == ("POST", "/mcp?token=secret")
    assert headers["x-token"] == "s3cret"
    assert headers["mcp-session-id"] == "one"
    assert headers["mcp-protocol-version"] == "2025-06-18"
    assert message["params"]["_meta"] == {"headgate/idempotency-key": "run_1/tool/1"}
    assert server.methods[-1] == "DELETE"


async def test_what_would_be_sent_names_headers_and_hides_what_may_be_secret(server, act):
    sent = act.sent({"a": 1}, "run_1/tool/1")
    shown = json.dumps([sent.summary, sent.details])
    assert "secret" not in shown
    assert "s3cret" not in shown
    assert sent.details["headers"] == ["X-Token"]
    assert sent.details["arguments"] == {"a": 1}
    assert "run_1/tool/1" in shown


def quoting(number: int, *, as_events: bool) -> bytes:
    result = {"content": [{"type": "text", "text": "you sent a-long-s3cret"}]}
    message = {"jsonrpc": "2.0", "id": number, "result": result}
    return events(f"data: {json.dumps(message)}\n\n") if as_events else reply(200, message)


@pytest.mark.parametrize("as_events", [False, True])
async def test_a_server_that_quotes_its_request_tells_nobody_its_token(server, as_events):
    headers = {"Authorization": "Bearer a-long-s3cret"}
    tool = tools_of(url=server.url, tools=["act"], headers=headers, connect_s=2)["act"]
    server.calls = [lambda number: quoting(number, as_events=as_events)]
    answer = await called(tool)
    assert (answer.outcome, answer.content) == ("done", "you sent [redacted]")
    refused = {"code": -32602, "message": "a-long-s3cret is no token"}
    server.calls = [lambda number: reply(401, {"jsonrpc": "2.0", "id": number, "error": refused})]
    answer = await called(tool)
    assert "s3cret" not in answer.content
    await tool.close()
