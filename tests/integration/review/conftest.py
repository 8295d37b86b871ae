"""A runner whose runs wait for people, and the board that they decide on, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.review.board import Board
from headgate.review.holding import ReviewHolding
from headgate.review.repository import ReviewRepository
from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner
from review_people import GROUPS, NOW_US
from scripted_workflows import GOOD, ScriptedModel, order, write_project


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now_us = NOW_US

    def __call__(self) -> int:
        return self.now_us


class Desk:
    """One process: it makes runs that wait, and lets people decide."""

    def __init__(self, project: Path, database: Database, clock: Clock, answers: Any) -> None:
        self.repository = ReviewRepository(database)
        self.runs = RunRepository(database)
        self.clock = clock
        catalogue = Catalogue.load(project)
        self.runner = Runner(
            catalogue,
            ScriptedModel(*answers),
            self.runs,
            lambda user: f"#{user}",
            holding=ReviewHolding(self.repository, clock),
        )
        self.board = Board(
            self.repository,
            self.runs,
            catalogue,
            self.runner.threads,
            GROUPS,
            lease_s=60,
            clock_us=clock,
        )

    async def held(self, **changes: Any) -> tuple[str, str]:
        """The ids of a run that waits and of its review."""
        run = await self.runner.run(order(**changes))
        assert run.status == "awaiting_review"
        assert run.review_id is not None
        return run.id, run.review_id


@pytest.fixture
def desk_with(tmp_path: Path, database: Database) -> Iterator[Callable[..., Desk]]:
    """Makes a desk of a workflow with these lines in its workflow.yaml."""
    desks: list[Desk] = []

    def make(review: str = "review: {always: true}", *answers: Any, rules: str = "") -> Desk:
        project = tmp_path / f"project-{len(desks)}"
        folder = write_project(project)
        file = folder / "workflow.yaml"
        file.write_text(f"{file.read_text()}{review}\n")
        if rules:
            (folder / "rules.py").write_text(rules)
        desks.append(Desk(project, database, Clock(), answers or (GOOD,)))
        return desks[-1]

    yield make
    for desk in desks:
        desk.runner.threads.close()
