"""A caller's word that people outside wrote what it sends holds for runs as for calls."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPConnection
from typing import Any

import pytest

from scripted_workflows import FILES, GOOD
from servers import ADMIN_KEY, RunningServer, end_server, start_server, until
from upstreams import Upstream, completion, reply

SETTINGS = """
guards:
  codenames: { words: { words: [bluebird] } }
guard_policies:
  outsiders: { guards: [codenames], of: { trust: untrusted } }
"""
ROUTE = "trusting-run"
OUTSIDE = {"x-headgate-trust": "untrusted"}


@pytest.fixture(scope="module")
def trusting(
    upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningServer]:
    """A server whose workflow trusts its input."""
    folder = tmp_path_factory.mktemp("trust") / "server"
    of = folder / "workflows" / "trusting"
    of.mkdir(parents=True)
    for name, text in FILES.items():
        (of / name).write_text(text)
    (of / "workflow.yaml").write_text(
        f"version: 1.0.0\nowner: tests\nroute: {ROUTE}\ntrust: trusted\n"
    )
    upstream.answers(ROUTE, reply(completion(ROUTE, '{"label": "good", "score": 3}')))
    server = start_server(folder, settings=SETTINGS, upstream=upstream)
    yield server
    end_server(server)


def ways(server: RunningServer, text: str, headers: dict[str, str]) -> Iterator[str | None]:
    """The code that each way to a run ends in, None where it is answered."""
    path, body = "/api/workflows/trusting/runs", {"input": {"text": text}}
    told = server.post(path, body, headers=headers)
    yield None if told.status == 200 else str(told.error["code"])
    taken = server.post(path, body, headers=headers | {"prefer": "respond-async"})
    assert taken.status == 202, taken.body

    def ended() -> Any:
        run = server.get(f"/api/runs/{taken.json()['id']}").json()
        return run if run["status"] in ("completed", "failed") else None

    run = until(ended, 20)
    yield None if run["output"] == GOOD else str(run["error"]["code"])
    for stream in (False, True):
        asked = {
            "model": "workflow:trusting",
            "messages": [{"role": "user", "content": text}],
            "stream": stream,
        }
        told = server.post("/v1/chat/completions", asked, headers=headers)
        yield None if told.status == 200 else str(told.error["code"])


def test_a_caller_can_make_a_trusting_workflow_strict(trusting: RunningServer):
    assert set(ways(trusting, "the bluebird flies", OUTSIDE)) == {"content_blocked"}


def test_without_its_word_the_workflow_trusts(trusting: RunningServer, upstream: Upstream):
    assert set(ways(trusting, "the bluebird flies", {})) == {None}
    said = upstream.requests(ROUTE)[-1].json()["messages"][0]["content"]
    assert "is data from outside" not in said


def test_a_model_is_told_that_the_input_is_from_outside(
    trusting: RunningServer, upstream: Upstream
):
    assert set(ways(trusting, "it fl\u202eies", OUTSIDE)) == {None}
    system, *_, user = upstream.requests(ROUTE)[-1].json()["messages"]
    assert "is data from outside" in system["content"]
    assert "it flies" in user["content"]


def test_a_word_that_is_neither_is_refused(trusting: RunningServer):
    path, body = "/api/workflows/trusting/runs", {"input": {"text": "hello"}}
    told = trusting.post(path, body, headers={"x-headgate-trust": "Untrusted"})
    assert (told.status, told.error["param"]) == (400, "x-headgate-trust")


@pytest.mark.parametrize("order", [("trusted", "untrusted"), ("untrusted", "trusted")])
@pytest.mark.parametrize("path", ["/api/workflows/trusting/runs", "/v1/chat/completions"])
def test_of_two_words_the_stricter_holds(
    trusting: RunningServer, path: str, order: tuple[str, str]
):
    """A proxy adds its own line to what an application has sent."""
    text = "the bluebird flies"
    call = {"model": ROUTE, "messages": [{"role": "user", "content": text}]}
    body = json.dumps({"input": {"text": text}} if path.startswith("/api") else call).encode()
    connection = HTTPConnection("127.0.0.1", trusting.port, timeout=10)
    with closing(connection):
        connection.putrequest("POST", path)
        connection.putheader("authorization", f"Bearer {ADMIN_KEY}")
        connection.putheader("content-type", "application/json")
        connection.putheader("content-length", str(len(body)))
        for word in order:
            connection.putheader("x-headgate-trust", word)
        connection.endheaders(body)
        told = json.loads(connection.getresponse().read())
    assert told["error"]["code"] == "content_blocked"
