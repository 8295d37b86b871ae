"""Puts reviews together: who is asked, what holds runs, and the board that people decide on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from headgate.config.checks.reviews import groups_of_workflow, unknown_group
from headgate.config.settings import Settings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.review.actions import state_decided
from headgate.review.board import Board, Preview
from headgate.review.budgets import BudgetAsking
from headgate.review.guard_alarms import GuardAlarms
from headgate.review.holding import ReviewHolding
from headgate.review.repository import ReviewRepository
from headgate.review.review import DEADLINE, Review
from headgate.review.sweeper import Sweeper
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.review_metrics import ReviewMetrics
from headgate.telemetry.tool_metrics import ToolMetrics
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.runner import Runner


class Reviewing:
    """The reviews of one worker."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        outbox: AlertOutbox,
        metrics: ReviewMetrics,
        tools: ToolMetrics,
    ) -> None:
        self._outbox = outbox
        self._metrics = metrics
        self._tools = tools
        self._sweeper: Sweeper | None = None
        self._settings = settings.reviews
        self.threads = StorageThreads("reviews")
        self.repository = ReviewRepository(database)
        self.holding = ReviewHolding(self.repository)
        self.alarms = GuardAlarms(
            self.repository, self.threads, open_at_most=settings.reviews.guard_alarms
        )
        self.asking = BudgetAsking(self.repository, self.threads, outbox.note_review)

    def board(
        self, runner: Runner, go_on: Callable[[str], Awaitable[None]], preview: Preview
    ) -> Board:
        """What people decide on; it, and time, end the runs that `runner` holds.

        `go_on` is told of runs that go on after a decision; `preview` says what would be sent.
        """
        self._sweeper = Sweeper(
            self.repository,
            runner.repository,
            runner.catalogue,
            self.threads,
            self._outbox.note_review,
            note_decided=self._note_decided,
            note_open=self._metrics.note_open,
            go_on=go_on,
        )
        return Board(
            self.repository,
            runner.repository,
            runner.catalogue,
            self.threads,
            self._settings.groups,
            lease_s=self._settings.claim_minutes * 60,
            tell=self._outbox.note_review,
            note_decided=self._note_decided,
            go_on=go_on,
            preview=preview,
        )

    def start(self) -> None:
        """Begin to look after what waits."""
        if self._sweeper is not None:
            self._sweeper.start()

    async def stop(self) -> None:
        """Look after it no more; others, or the next start, do."""
        if self._sweeper is not None:
            await self._sweeper.stop()
        self.threads.close()

    def _note_decided(self, review: Review) -> None:
        self._metrics.note_decided(
            kind=review.kind,
            workflow=review.workflow or "",
            decision=review.decision or "",
            by="deadline" if review.decided_by == DEADLINE else "person",
            seconds=review.seconds_to_decision or 0.0,
            edit_share=review.edit_share,
        )
        if (state := state_decided(review)) is not None:
            self._tools.note_action(review.workflow or "", review.facts.tool or "", state)


def check_groups(settings: Settings, catalogue: Catalogue) -> None:
    """`ConfigError` where a workflow's reviews or tools are for a group that is not there."""
    problems = []
    for workflow in catalogue:
        for steps, name in groups_of_workflow(workflow.settings):
            if name not in settings.reviews.groups:
                document = YamlFile.read(workflow.folder / "workflow.yaml")
                told = unknown_group(name, settings.reviews.groups)
                problems.append(document.error(told, *steps).message)
    if problems:
        raise ConfigError(problems[0], problems=tuple(problems))


def tells_of_reviews(settings: Settings, catalogue: Catalogue) -> bool:
    """Whether people may have to be told of reviews: that one waits, or was given to them."""
    reviews = (workflow.settings.review for workflow in catalogue)
    clocks = any(review is not None and review.deadline is not None for review in reviews)
    return clocks or bool(settings.reviews.groups)
