"""The database goes away at any store of a run that acts, before or after it has been done."""

from __future__ import annotations

import pytest

from headgate.errors import DatabaseUnavailableError
from headgate.review.choice import Choice
from review_people import person
from scripted_tools import ALWAYS, ASKED, IDEMPOTENT, NEVER
from scripted_workflows import GOOD, Kept


def fails_once(owner, name: str, *, after: bool) -> list[str]:
    """Let a method fail at its next call, with its work done or not; what has failed."""
    works, failed = getattr(owner, name), []

    def method(*args, **kwargs):
        if failed:
            return works(*args, **kwargs)
        failed.append(name)
        if after:
            works(*args, **kwargs)
        raise DatabaseUnavailableError

    setattr(owner, name, method)
    return failed


async def carried_on(works, run):
    """The run, carried again where the database was away, as `DurableRuns` does it."""
    journal = Kept()
    for _ in range(3):
        try:
            return await works.carried(run, journal)
        except DatabaseUnavailableError:
            if works.runs.get(run.id).status not in ("queued", "running"):
                return works.runs.get(run.id)
    raise AssertionError("it never came to its end")


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    for name in ("_STORE_PAUSE_S", "_LOOK_S"):
        monkeypatch.setattr(f"headgate.workflows.tools.sending.{name}", 0.01)


@pytest.mark.parametrize("after", [False, True], ids=["undone", "done"])
@pytest.mark.parametrize("name", ["find", "request", "start", "end", "finish"])
@pytest.mark.parametrize("settings", [NEVER, IDEMPOTENT], ids=["once", "idempotent"])
async def test_what_is_approved_by_rule_is_done_once_or_asked_about(
    works_with, tool, settings, name, after
):
    works = works_with(ASKED, GOOD, settings=settings)
    owner = works.runs if name == "finish" else works.actions
    failed = fails_once(owner, name, after=after)
    run = await carried_on(works, await works.begun())
    assert failed == [name]
    assert len({key for _, key in tool.calls}) == len(tool.calls) <= 1
    if run.status == "awaiting_review":
        # Whether the word that it was begun has come through, only a person can find out.
        assert (settings, name, after) == (NEVER, "start", True)
        assert (await works.waiting(run)).facts.outcome_unknown
    else:
        assert (run.status, len(tool.calls)) == ("completed", 1)


@pytest.mark.parametrize("after", [False, True], ids=["undone", "done"])
@pytest.mark.parametrize("name", ["request", "finish"])
async def test_what_a_person_approves_is_asked_once(works_with, tool, name, after):
    works = works_with(ASKED, GOOD, settings=ALWAYS)
    fails_once(works.runs if name == "finish" else works.actions, name, after=after)
    run = await carried_on(works, await works.begun())
    review = await works.waiting(run)
    assert works.runs.get(run.id).review_id == review.id
    await works.board.decide(review.id, person(), Choice(decision="approve"))
    run = await carried_on(works, run)
    assert (run.status, len(tool.calls)) == ("completed", 1)
