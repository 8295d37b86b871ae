"""A run as it happens: each step and each status once, whenever one comes back."""

from __future__ import annotations

import asyncio
import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from headgate.errors import InvalidRequestError, UnavailableError
from headgate.intake.http import run_events
from headgate.intake.http.run_events import Watchers, events_since
from headgate.workflows.run import Run
from headgate.workflows.steps import Step, ToolFacts
from scripted_workflows import GOOD, stored_run

KINDS = ("input", "render", "call", "parse", "schema")


def states() -> list[Run]:
    """A run as it looks, moment by moment."""
    run = stored_run(status="queued")
    steps = tuple(Step(kind=kind, started_at_us=1) for kind in KINDS)
    return [
        run,
        *(msgspec.structs.replace(run, status="running", steps=steps[:n]) for n in (0, 2, 3)),
        msgspec.structs.replace(run, status="completed", steps=steps, output=GOOD),
    ]


def blocks(news: bytes) -> list[tuple[str, str, dict]]:
    """Event, id and data of each."""
    found = []
    for block in news.decode().split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.split("\n") if ": " in line)
        if "event" in fields:
            found.append((fields["event"], fields["id"], json.loads(fields["data"])))
    return found


@given(st.lists(st.integers(0, 4)).map(sorted))
def test_whenever_one_looks_all_is_told_once_and_in_order(looks):
    run_at, steps, status = states(), 0, ""
    told = []
    for look in [*looks, 4]:
        news, steps, status = events_since(run_at[look], steps, status, contents=True)
        told += blocks(news)
    assert [data["kind"] for name, _, data in told if name == "step"] == list(KINDS)
    names = [name for name, *_ in told if name != "step"]
    assert names == sorted(set(names), key=["run.queued", "run.running", "run.completed"].index)
    assert told[-1][0] == "run.completed"


async def test_who_comes_back_is_told_the_rest_and_at_last_nothing():
    watchers, last = Watchers(), states()[-1]

    async def look() -> Run:
        return last

    whole = watchers.follow(last, look, None, contents=True)
    assert whole is not None
    told = blocks(b"".join([chunk async for chunk in whole]))
    for number, (_, event_id, _) in enumerate(told[:-1], 1):
        rest = watchers.follow(last, look, event_id, contents=True)
        assert rest is not None
        assert blocks(b"".join([chunk async for chunk in rest])) == told[number:]
    assert watchers.follow(last, look, told[-1][1], contents=True) is None


async def test_contents_are_for_those_who_may_see_them():
    news, *_ = events_since(states()[-1], 0, "", contents=False)
    assert b"good" not in news


async def test_there_is_a_bound_and_who_leaves_makes_room(monkeypatch):
    monkeypatch.setattr(run_events, "WATCHERS_AT_MOST", 1)
    watchers, run = Watchers(), states()[1]

    async def look() -> Run:
        await asyncio.sleep(0)
        return run

    first = watchers.follow(run, look, None, contents=True)
    assert first is not None
    await anext(first)
    with pytest.raises(UnavailableError):
        watchers.follow(run, look, None, contents=True)
    await first.aclose()
    assert watchers.follow(run, look, None, contents=True) is not None
    with pytest.raises(InvalidRequestError):
        watchers.follow(run, look, "seven", contents=True)


def test_steps_of_tools_are_told_and_names_that_a_model_made_up_only_to_who_may_see_contents():
    steps = (
        Step(kind="tool", started_at_us=1, tool=ToolFacts(name="make", action_id="act_1")),
        Step(
            kind="tool", started_at_us=1, verdict="failed", code="no_such_tool",
            tool=ToolFacts(name="call_5551234"),
        ),
    )  # fmt: skip
    run = msgspec.structs.replace(stored_run(status="running"), steps=steps)
    for contents in (True, False):
        news, *_ = events_since(run, 0, "running", contents=contents)
        made, unknown = (data["tool"] for name, _, data in blocks(news) if name == "step")
        assert (made["name"], made["action_id"]) == ("make", "act_1")
        assert unknown["name"] == ("call_5551234" if contents else None)
