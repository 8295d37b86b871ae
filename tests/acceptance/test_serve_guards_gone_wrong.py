"""Whatever the code of a guard does, it blocks by its name, and the server goes on."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest

from servers import Reply, RunningServer, end_server, start_server
from upstreams import DONE, Upstream, chat_event, chat_usage, chat_words, completion, reply, stream

GUARDS = """
import asyncio
import sys

from headgate.checks.guards import PASS, Guard, OutputFilter, Verdict


class Exits(Guard):
    async def check_input(self, parts, call):
        sys.exit(3)


class IsInterrupted(Guard):
    async def check_input(self, parts, call):
        raise KeyboardInterrupt


class SaysCancelled(Guard):
    async def check_input(self, parts, call):
        raise asyncio.CancelledError


class DecidesWhatNobodyKnows(Guard):
    async def check_input(self, parts, call):
        return Verdict("blocked")


class CountsInWords(Guard):
    async def check_input(self, parts, call):
        return Verdict("flag", counts={"cards": "two"})


class TakesTheTextOut(Guard):
    async def check_input(self, parts, call):
        for part in parts:
            part.text = None
        return PASS


class DoesNotEnd(Guard):
    async def check_input(self, parts, call):
        for _ in range(20):
            try:
                await asyncio.sleep(0.05)
            except asyncio.CancelledError:
                pass
        return PASS


class CannotSayWhatItMustSee(Guard):
    def must_see(self, part, direction, call):
        raise RuntimeError


class ExitsAtAnswers(Guard):
    async def check_output(self, parts, call):
        sys.exit(3)


class DecidesWhatNobodyKnowsOfAnswers(Guard):
    async def check_output(self, parts, call):
        return Verdict("blocked")


class ExitsAtFilters(Guard):
    def output_filter(self, part, call):
        sys.exit(3)


class FiltersToNothing(Guard):
    def output_filter(self, part, call):
        return OnlyNone()


class OnlyNone(OutputFilter):
    def feed(self, text):
        return None

    def close(self):
        return None


class CannotSayWhatItReads(Guard):
    def reads_streams(self, call):
        raise RuntimeError


class SaysNoVerdict(Guard):
    def output_filter(self, part, call):
        return Speechless()


class Speechless(OutputFilter):
    def feed(self, text):
        return text

    def close(self):
        return ""

    def verdict(self):
        return "fine"
"""

NAMES = re.findall(r"^class (\w+)\(Guard\)", GUARDS, re.MULTILINE)
AT_REQUESTS = NAMES[: NAMES.index("CannotSayWhatItMustSee")]
AT_ANSWERS = ["ExitsAtAnswers", "DecidesWhatNobodyKnowsOfAnswers"]
AT_STREAMS = NAMES[len(AT_REQUESTS) :]


@pytest.fixture(scope="module")
def wrong(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server with all of these guards, each at the calls of the model of its name."""
    folder = tmp_path_factory.mktemp("guards-gone-wrong") / "server"
    folder.mkdir()
    (folder / "wrong.py").write_text(GUARDS)
    settings = {
        "guards": {
            name.lower(): {"custom": {"file": "wrong.py", "guard": name}, "timeout_s": 0.3}
            for name in NAMES
        },
        "guard_policies": {
            name.lower(): {"guards": [name.lower()], "of": {"route": f"wrong-{name}"}}
            for name in NAMES
        },
    }
    server = start_server(folder, settings=json.dumps(settings), upstream=upstream)
    yield server
    end_server(server)


def ask(server: RunningServer, name: str, *, streamed: bool = False) -> Reply:
    body = {"model": f"wrong-{name}", "messages": [{"role": "user", "content": "Water?"}]}
    return server.post("/v1/chat/completions", body | {"stream": streamed})


@pytest.mark.parametrize("streamed", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("name", AT_REQUESTS)
def test_nothing_leaves(wrong: RunningServer, upstream: Upstream, name: str, streamed: bool):
    answer = ask(wrong, name, streamed=streamed)
    assert (answer.status, answer.error["code"]) == (503, "guard_failed"), answer.body
    assert f"`{name.lower()}`" in answer.error["message"]
    assert not upstream.requests(f"wrong-{name}")
    assert wrong.call(answer)["error"] == "guard_failed"


@pytest.mark.parametrize("name", AT_ANSWERS)
def test_no_answer_is_shown(wrong: RunningServer, upstream: Upstream, name: str):
    upstream.answers(f"wrong-{name}", reply(completion(f"wrong-{name}")))
    answer = ask(wrong, name)
    assert (answer.status, answer.error["code"]) == (503, "guard_failed"), answer.body
    assert f"`{name.lower()}`" in answer.error["message"]
    assert b"Water" not in answer.body


@pytest.mark.parametrize("name", AT_STREAMS)
def test_no_stream_looks_complete(wrong: RunningServer, upstream: Upstream, name: str):
    model = f"wrong-{name}"
    finish = chat_event(model, {}).replace(b'"finish_reason":null', b'"finish_reason":"stop"')
    upstream.answers(
        model, stream(*chat_words(model, "Wa", "ter"), finish, chat_usage(model), DONE)
    )
    answer = ask(wrong, name, streamed=True)
    error = answer.error if answer.status == 503 else answer.events[-1]["error"]
    assert error["code"] == "guard_failed"
    assert f"`{name.lower()}`" in error["message"]
    assert b"[DONE]" not in answer.body
    assert wrong.get("/healthz").status == 200
