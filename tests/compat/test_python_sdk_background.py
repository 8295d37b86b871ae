"""`background=True` with the official Python SDK: queued, retrieved, cancelled, streamed."""

from __future__ import annotations

import time
from collections.abc import Iterator

import openai
import pytest
from openai import OpenAI

from headgate.simulator import SimulatorConfig, serve_in_thread
from servers import ADMIN_KEY, RunningServer, StartServer, until

MODEL = "gpt-4.1-mini"


@pytest.fixture
def slow(server_with: StartServer) -> Iterator[OpenAI]:
    """An application whose provider writes ten tokens a second."""
    with serve_in_thread(SimulatorConfig(tokens_per_s=10)) as simulator:
        server = server_with(
            upstream=simulator.base_url,
            settings='budgets: [{per: project, usd: "1", window: total}]',
        )
        with OpenAI(base_url=server.base_url, api_key=ADMIN_KEY, max_retries=0) as made:
            yield made


def test_a_background_response_is_queued_and_retrieved(
    client: OpenAI, others: OpenAI, simulated: RunningServer
):
    begun = client.responses.create(
        model=MODEL, input="How do rivers feed canals?", background=True
    )
    assert (begun.status, begun.output_text) == ("queued", "")
    with pytest.raises(openai.NotFoundError):
        others.responses.retrieve(begun.id)
    with pytest.raises(openai.NotFoundError):
        others.responses.cancel(begun.id)
    done = until(
        lambda: (
            shown if (shown := client.responses.retrieve(begun.id)).status == "completed" else 0
        ),
        5,
    )
    assert done.output_text
    assert done.usage is not None
    record = simulated.record(endpoint="responses/usage", response_id=begun.id)
    assert record["input_tokens"] == done.usage.input_tokens
    assert record["cost_nanousd"] > 0
    further = client.responses.create(
        model=MODEL, input="And lakes?", previous_response_id=begun.id
    )
    assert further.output_text


def test_a_background_response_is_cancelled(slow: OpenAI):
    asked = "Say " + "word " * 200
    begun = slow.responses.create(model=MODEL, input=asked, background=True)
    assert slow.responses.retrieve(begun.id).status == "in_progress"
    with pytest.raises(openai.ConflictError, match="cancel it before"):
        slow.responses.delete(begun.id)
    assert slow.responses.cancel(begun.id).status == "cancelled"
    slow.responses.delete(begun.id)


def test_an_application_polls_as_the_sdks_guide_says(slow: OpenAI):
    answer = slow.responses.create(model=MODEL, input="Say a b c", background=True)
    until_s = time.monotonic() + 10
    while answer.status in {"queued", "in_progress"}:
        assert time.monotonic() < until_s
        time.sleep(0.1)
        answer = slow.responses.retrieve(answer.id)
    assert answer.status == "completed"


def test_a_background_response_is_streamed(client: OpenAI, simulated: RunningServer):
    with client.responses.create(
        model=MODEL, input="How do rivers feed canals?", background=True, stream=True
    ) as stream:
        events = list(stream)
    assert events[0].type == "response.created"
    assert events[-1].type == "response.completed"
    record = simulated.record(response_id=events[-1].response.id)
    assert record["cost_nanousd"] > 0
