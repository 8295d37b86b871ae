"""Tools over real sockets: what each answer of a service, and each way to get none, means."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.context.service import secrets_of
from headgate.workflows.tools.shelf import ToolShelf, build_tools
from headgate.workflows.tools.tool import Tool, ToolAnswer, ToolCall
from ticket_service import SCRIPT, asked, tickets_running
from upstreams import CUT, RESET, Upstream, reply, upstream_running

PROJECT = SCRIPT.parent.parent
FILE = """
tools:
  shop:
    kind: http
    base_url: %s
    headers: { Authorization: Bearer s3cret-token, X-Team: support }
    timeout_s: 3
    max_answer_bytes: 4096
    tools:
      cancel:
        description: Cancel an order.
        path: /orders/{order}/cancel
        query: [notify]
        parameters:
          type: object
          required: [order]
          properties: { order: { type: string }, notify: { type: boolean }, why: { type: string } }
      look:
        description: Look an order up.
        method: GET
        path: /orders/{order}
        timeout_s: 1
        parameters:
          type: object
          required: [order]
          properties: { order: { type: string } }
"""


@pytest.fixture(scope="module")
def upstream() -> Iterator[Upstream]:
    with upstream_running() as running:
        yield running


def shelf_at(base_url: str, folder: Path, text: str = FILE) -> ToolShelf:
    (folder / "headgate.yaml").write_text(text % base_url)
    return build_tools(load_settings(folder, {}).tools, folder)


@pytest.fixture
async def shelf(upstream: Upstream, tmp_path: Path) -> AsyncIterator[ToolShelf]:
    shelf = shelf_at(upstream.base_url, tmp_path)
    yield shelf
    await shelf.close()


async def answer_of(tool: Tool, order: str, timeout_s: float = 3.0, **more) -> ToolAnswer:
    call = ToolCall(key="act-1", timeout_s=timeout_s, run_id="run")
    return await tool.call({"order": order, **more}, call)


async def scripted(upstream: Upstream, shelf: ToolShelf, order: str, *script, tool="cancel"):
    ending = "/cancel" if tool == "cancel" else ""
    upstream.answers(f"/v1/orders/{order}{ending}", list(script))
    return await answer_of(shelf.get(f"shop/{tool}"), order, timeout_s=1.0)


async def test_what_goes_out_is_what_the_approver_was_shown(upstream, shelf):
    upstream.answers("/v1/orders/a%2Fb/cancel?notify=true", reply({"ok": True}))
    arguments = {"order": "a/b", "notify": True, "why": "late"}
    sent = shelf.get("shop/cancel").sent(arguments, "act-1")
    answer = await answer_of(shelf.get("shop/cancel"), "a/b", notify=True, why="late")
    assert answer == ToolAnswer(outcome="done", content={"ok": True})
    got = upstream.wait_for("/v1/orders/a%2Fb/cancel?notify=true")
    assert sent.summary == f"POST {upstream.base_url}/orders/a%2Fb/cancel"
    assert sent.details["method"] == got.method
    assert sent.details["url"] == upstream.base_url.removesuffix("/v1") + got.target
    assert sent.details["body"] == got.json() == {"why": "late"}
    shown = sent.details["headers"]
    assert shown["Authorization"] == shown["X-Team"] == "set"
    assert got.header("authorization") == "Bearer s3cret-token"
    assert shown["Idempotency-Key"] == got.header("idempotency-key") == "act-1"
    assert shown["Content-Type"] == got.header("content-type") == "application/json"
    assert "s3cret" not in str(sent)


async def test_a_read_sends_neither_body_nor_key(upstream, shelf):
    upstream.answers("/v1/orders/1", reply({"id": 1}))
    assert (await answer_of(shelf.get("shop/look"), "1")).content == {"id": 1}
    got = upstream.wait_for("/v1/orders/1")
    assert (got.body, got.header("idempotency-key"), got.header("content-type")) == (
        b"",
        None,
        None,
    )
    assert "body" not in shelf.get("shop/look").sent({"order": "1"}, "k").details


def test_a_tool_without_a_time_of_its_own_has_its_services(upstream, tmp_path):
    shelf = shelf_at(upstream.base_url, tmp_path)
    assert shelf.names() == ("shop/cancel", "shop/look")
    assert shelf.terms("shop/cancel").timeout_s == 3
    assert shelf.terms("shop/look").timeout_s == 1
    assert "shop/look" in shelf
    assert "shop/other" not in shelf


@pytest.mark.parametrize(
    ("status", "outcome", "code"),
    [
        (200, "done", None),
        (201, "done", None),
        (302, "unknown", "http_302"),
        (303, "unknown", "http_303"),
        (307, "failed", "http_307"),
        (400, "failed", "http_400"),
        (404, "failed", "http_404"),
        (409, "failed", "http_409"),
        (422, "failed", "http_422"),
        (429, "failed", "http_429"),
        (500, "unknown", "http_500"),
        (502, "unknown", "http_502"),
        (503, "failed", "http_503"),
        (504, "unknown", "http_504"),
    ],
)
async def test_each_status_means_one_thing(upstream, shelf, status, outcome, code):
    upstream.answers("/v1/elsewhere", reply({}))
    script = reply({"why": "out of stock"}, status=status, headers=[("location", "/v1/elsewhere")])
    answer = await scripted(upstream, shelf, f"s{status}", *script)
    assert (answer.outcome, answer.code) == (outcome, code)
    assert upstream.requests("/v1/elsewhere") == []
    # A refusal is for the model; what breaks inside a service is not.
    shown = "out of stock" in json.dumps(answer.content)
    assert shown is (status < 300 or 400 <= status < 500)


async def test_a_redirected_read_has_failed(upstream, shelf):
    answer = await scripted(upstream, shelf, "r302", *reply(b"", status=302), tool="look")
    assert (answer.outcome, answer.code) == ("failed", "http_302")


@pytest.mark.parametrize(
    ("body", "content_type", "content"),
    [
        (b"[1, 2]", "application/json; charset=utf-8", [1, 2]),
        (b'{"a": 1}', "application/problem+json", {"a": 1}),
        (b'"x"', "", "x"),
        (b'\xef\xbb\xbf{"n": 1}', "application/json", {"n": 1}),
        ("Grüße".encode(), "text/plain", "Grüße"),
        (b"\xff\xfe", "text/plain", "��"),
        (b"<p>", "text/html", "<p>"),
        (b"{", "application/json", "It was done. The service's answer can't be read as JSON"),
        (b"[" * 3000, "application/json", "It was done. The service's answer can't be read"),
        (b"\xff", "application/json", "It was done. The service's answer can't be read"),
        (b"%PDF", "application/pdf", "It was done. The service's answer, 4 bytes of application/"),
        (b"", "application/json", "It was done. The service answered 200, without more."),
    ],
)
async def test_what_a_service_answers_is_given_or_described(
    upstream, shelf, body, content_type, content
):
    order = f"c{abs(hash((body, content_type)))}"
    script = reply(body, content_type=content_type)
    answer = await scripted(upstream, shelf, order, *script)
    assert answer.outcome == "done"
    if isinstance(content, str):
        assert answer.content.startswith(content)
    else:
        assert answer.content == content


async def test_an_answer_of_a_megabyte_is_done_but_not_read(upstream, shelf):
    large = reply(b'"' + b"x" * 1_000_000 + b'"')
    answer = await scripted(upstream, shelf, "large", *large)
    assert answer.outcome == "done"
    assert answer.content == "It was done. The service's answer was too large and is left out."
    refused = await scripted(upstream, shelf, "large-404", *reply(b"x" * 1_000_000, status=404))
    assert (refused.outcome, refused.code) == ("failed", "http_404")
    broken = await scripted(upstream, shelf, "large-500", *reply(b"x" * 1_000_000, status=500))
    assert (broken.outcome, broken.code) == ("unknown", "http_500")


async def test_of_a_refusal_the_model_gets_two_thousand_characters(upstream, shelf):
    script = reply(b"y" * 4000, status=400, content_type="text/plain")
    answer = await scripted(upstream, shelf, "wordy", *script)
    assert answer.content.count("y") == 2000


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ([CUT], "no_answer"),
        ([RESET], "no_answer"),
        ([20.0], "timeout"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf", CUT], "no_answer"),
        ([b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nhalf", 20.0], "timeout"),
        ([b"HTTP/1.1 500 No\r\ncontent-length: 50\r\n\r\nhalf", CUT], "no_answer"),
        ([b"SMTP ready\r\n\r\n", CUT], "no_answer"),
    ],
)
async def test_after_a_request_without_a_whole_answer_nobody_knows(upstream, shelf, script, code):
    started = time.monotonic()
    answer = await scripted(upstream, shelf, f"n{abs(hash(str(script)))}", *script)
    assert (answer.outcome, answer.code) == ("unknown", code)
    assert time.monotonic() - started < 10
    assert "127.0.0.1" not in answer.content


async def test_a_refusal_that_breaks_off_is_one_nevertheless(upstream, shelf):
    script = [b"HTTP/1.1 404 No\r\ncontent-length: 50\r\n\r\nhalf", CUT]
    answer = await scripted(upstream, shelf, "half-404", *script)
    assert (answer.outcome, answer.code) == ("failed", "http_404")


async def test_nothing_is_sent_twice_by_itself(upstream, shelf):
    await scripted(upstream, shelf, "once", *reply({}))
    for _ in range(3):
        assert (await scripted(upstream, shelf, "once-cut", CUT)).outcome == "unknown"
    assert len(upstream.requests("/v1/orders/once-cut/cancel")) == 3


async def test_where_nobody_listens_nothing_was_done(tmp_path):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shelf = shelf_at(f"http://127.0.0.1:{port}", tmp_path)
    answer = await answer_of(shelf.get("shop/cancel"), "1")
    assert (answer.outcome, answer.code) == ("failed", "unreachable")
    assert str(port) not in answer.content
    await shelf.close()


async def test_arguments_that_make_no_request_are_never_sent(upstream, shelf):
    tool = shelf.get("shop/cancel")
    before = len(upstream.asked())
    for order in ("..", "", "a/../b", "\ud800"):
        answer = await answer_of(tool, order)
        assert (answer.outcome, answer.code) == ("failed", "invalid_arguments")
        assert "refused" in tool.sent({"order": order}, "k").details
    assert (await answer_of(tool, "1", why="\ud800")).code == "invalid_arguments"
    assert len(upstream.asked()) == before


async def test_a_call_that_is_cancelled_drops_its_connection(upstream, shelf):
    upstream.answers("/v1/orders/slow/cancel", [30.0])
    call = asyncio.ensure_future(answer_of(shelf.get("shop/cancel"), "slow", timeout_s=30))
    received = await asyncio.to_thread(upstream.wait_for, "/v1/orders/slow/cancel")
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await asyncio.to_thread(received.left.wait, 5)


async def test_the_examples_ticket_is_made_once_though_its_answer_was_lost(tmp_path):
    with tickets_running(tmp_path, "--drop-answers", "1") as address:
        settings = load_settings(PROJECT, {"TICKETS_URL": address})
        shelf = build_tools(settings.tools, PROJECT)
        tool, terms = shelf.get("tickets/create_ticket"), shelf.terms("tickets/create_ticket")
        assert (terms.effect, terms.idempotent) == ("write", True)
        arguments = {
            "title": "Export cuts off",
            "description": "The last column is missing.",
            "priority": "high",
            "customer_id": None,
            "tags": ["export"],
        }
        call = ToolCall(key="act-7", timeout_s=5, run_id="run")
        assert (await tool.call(arguments, call)).outcome == "unknown"
        again = await tool.call(arguments, call)
        assert again.outcome == "done"
        assert re.fullmatch(r"T-\d+", again.content["id"])
        assert len((asked(address, "/tickets"))[1]["tickets"]) == 1
        other = await tool.call(arguments | {"title": "Another"}, call)
        assert (other.outcome, other.code) == ("failed", "http_422")
        assert "was used for another ticket" in other.content
        await shelf.close()


@pytest.mark.parametrize("status", [200, 400])
async def test_a_service_that_quotes_its_request_tells_nobody_its_token(upstream, shelf, status):
    heard = {"authorization": "Bearer s3cret-token", "x-team": "support"}
    answer = await scripted(upstream, shelf, f"q{status}", *reply(heard, status=status))
    assert "s3cret" not in str(answer.content)
    assert "Bearer [redacted]" in str(answer.content)
    assert "support" in str(answer.content), "what is no secret stays as it is"


def test_what_is_too_short_to_be_told_apart_is_not_looked_for():
    headers = {"Authorization": "Bearer abc", "X-Api-Key": "k-123456", "Cookie": "", "X-A": "a" * 9}
    assert secrets_of(headers) == (b"k-123456",)
