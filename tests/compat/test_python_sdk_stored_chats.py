"""`client.chat.completions` of the official Python SDK, where completions are stored.

A project sees, lists, changes and deletes what it stored itself, and nothing else.
"""

from __future__ import annotations

from typing import Any

import pytest
from openai import AsyncOpenAI, NotFoundError, OpenAI

from servers import RunningServer

MODEL = "gpt-4.1-mini"
ASKED: Any = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": [{"type": "text", "text": "How do rivers feed canals?"}]},
    ],
}


def stored(client: OpenAI, **more: Any) -> str:
    return client.chat.completions.create(**ASKED, store=True, **more).id


def test_a_stored_completion_is_shown_changed_and_deleted(client: OpenAI, others: OpenAI):
    kept = stored(client, metadata={"ticket": "17"})
    chats = client.chat.completions
    shown = chats.retrieve(kept)
    assert (shown.id, shown.metadata) == (kept, {"ticket": "17"})
    assert shown.choices[0].message.content
    messages = list(chats.messages.list(kept))
    assert [message.role for message in messages] == ["system", "user"]
    assert messages[1].content_parts
    changed = chats.update(kept, metadata={"ticket": "18"})
    assert changed.metadata == {"ticket": "18"}
    for ask in (
        lambda: others.chat.completions.retrieve(kept),
        lambda: others.chat.completions.update(kept, metadata={}),
        lambda: others.chat.completions.messages.list(kept),
        lambda: others.chat.completions.delete(kept),
    ):
        with pytest.raises(NotFoundError) as refused:
            ask()
        assert refused.value.code == "object_not_found"
    assert chats.delete(kept).deleted
    with pytest.raises(NotFoundError):
        chats.retrieve(kept)


def test_a_list_shows_a_projects_own_by_model_and_metadata(client: OpenAI, others: OpenAI):
    mine = [stored(client, metadata={"list": "mine", "number": str(n)}) for n in range(3)]
    theirs = stored(others, metadata={"list": "mine"})
    filtered: Any = {"metadata": {"list": "mine"}, "limit": 2}
    assert [one.id for one in client.chat.completions.list(**filtered)] == mine
    assert [one.id for one in client.chat.completions.list(**filtered, order="desc")] == mine[::-1]
    assert [one.id for one in others.chat.completions.list(**filtered)] == [theirs]
    one = client.chat.completions.list(metadata={"list": "mine", "number": "1"})
    assert [found.id for found in one] == [mine[1]]
    assert list(client.chat.completions.list(model="gpt-5-mini", **filtered)) == []


def test_a_streamed_completion_is_stored_too(client: OpenAI):
    kept = {chunk.id for chunk in client.chat.completions.create(**ASKED, store=True, stream=True)}
    assert client.chat.completions.retrieve(kept.pop()).choices[0].message.content


async def test_asynchronously(async_client: AsyncOpenAI):
    made = await async_client.chat.completions.create(**ASKED, store=True)
    assert (await async_client.chat.completions.retrieve(made.id)).id == made.id


def test_what_is_not_stored_is_not_there(client: OpenAI, simulated: RunningServer):
    raw = client.chat.completions.with_raw_response.create(**ASKED, store=False)
    with pytest.raises(NotFoundError):
        client.chat.completions.retrieve(raw.parse().id)
    record = simulated.record(id=raw.headers["x-headgate-call-id"])
    assert record["response_id"] is None
