"""Runs: a list that is filtered and turned page by page, and one run as what happened in time."""

from __future__ import annotations

from typing import Any, get_args

from starlette.responses import PlainTextResponse, Response

from headgate.errors import ConflictError, HeadgateError, NotFoundError, PermissionDeniedError
from headgate.ledger.period import moment_us
from headgate.ledger.record import CallRecord
from headgate.ledger.usage import call_with_attempts
from headgate.review.console.rendering import Renderer
from headgate.review.console.run_story import prompt_parts, story_of
from headgate.review.console.shown import pretty
from headgate.review.console.visit import Visit, see
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.run import Run, RunStatus
from headgate.workflows.run_search import RunFilter, search_runs

_PAGE = 50
_MOST_CALLS = 100
"""Calls of one run whose attempts a page shows; a run makes a few."""

_STATUSES: tuple[RunStatus, ...] = get_args(RunStatus)
_PARTS = ("input", "context", "output")


class RunsPages:
    """`GET /console/runs` and what is under it."""

    def __init__(
        self,
        database: Database,
        durable: DurableRuns,
        threads: StorageThreads,
        renderer: Renderer,
    ) -> None:
        self._database = database
        self._durable = durable
        self._repository = durable.runner.repository
        self._catalogue = durable.runner.catalogue
        self._threads = threads
        self._renderer = renderer

    async def index(self, visit: Visit) -> Response:
        """`GET /console/runs`."""
        if (asked_id := visit.asked("id")) is not None:
            return see(f"/console/runs/{asked_id}")
        error: HeadgateError | None = None
        found: list[Run] = []
        try:
            wanted = self._filter(visit)
            found = await self._threads.begin(
                self._search, wanted, limit=_PAGE + 1, before=visit.asked("before")
            )
        except HeadgateError as wrong:
            if wrong.status != 400:
                raise
            error = wrong
        return self._renderer.page(
            "runs.html",
            visit,
            http_status=200 if error is None else 400,
            error=error,
            runs=found[:_PAGE],
            older=found[_PAGE - 1].id if len(found) > _PAGE else None,
            asked={
                name: visit.asked(name) or ""
                for name in (
                    "workflow", "version", "status", "feature", "project", "since", "until",
                )
            },
            workflows=[workflow.name for workflow in self._catalogue],
            statuses=_STATUSES,
        )  # fmt: skip

    async def show(self, visit: Visit) -> Response:
        """`GET /console/runs/{id}`."""
        return await self._page(visit)

    async def cancel(self, visit: Visit) -> Response:
        """`POST /console/runs/{id}/cancel`: end one that nobody waits for at an open request."""
        run = await self._reached(visit, contents=False)
        if not visit.who.caller.may_run(run.workflow):
            raise PermissionDeniedError(
                "Your key may not run this workflow, nor cancel its runs; use one that may."
            )
        try:
            await self._durable.cancel(run)
        except ConflictError as error:
            return await self._page(visit, error=error)
        return see(f"/console/runs/{run.id}")

    async def _page(self, visit: Visit, *, error: HeadgateError | None = None) -> Response:
        contents = visit.who.may("runs.read_contents")
        run = await self._reached(visit, contents=contents)
        records = await self._threads.begin(self._records, run.id)
        actions = await self._threads.begin(self._repository.actions, run.id, contents=contents)
        running = run.status in ("queued", "running")
        return self._renderer.page(
            "run.html",
            visit,
            http_status=200 if error is None else error.status,
            error=error,
            run=run,
            contents=contents,
            story=story_of(run, records, actions, contents=contents),
            prompt=prompt_parts(self._catalogue, run) if contents else None,
            running=running,
            may_cancel=running and await self._may_cancel(visit, run),
        )

    async def _may_cancel(self, visit: Visit, run: Run) -> bool:
        """Whether the run can be cancelled, and by them."""
        if not visit.who.may("runs.cancel") or not visit.who.caller.may_run(run.workflow):
            return False
        return await self._threads.begin(self._durable.orders.get, run.id) is not None

    async def text(self, visit: Visit) -> Response:
        """`GET /console/runs/{id}/{part}`: all of an input or output, as plain text."""
        part = visit.path("part")
        if part not in _PARTS:
            raise NotFoundError("There is no such part of a run.")
        run = await self._reached(visit, contents=True)
        value: dict[str, Any] | None = getattr(run, part)
        if value is None:
            raise NotFoundError(f"The run has no {part}.")
        name = f"{run.id}-{part}.json"
        return PlainTextResponse(
            pretty(value).encode("utf-8", "backslashreplace"),
            headers={
                "content-disposition": f'attachment; filename="{name}"',
                "content-security-policy": "default-src 'none'; sandbox",
            },
        )

    async def _reached(self, visit: Visit, *, contents: bool) -> Run:
        run_id = visit.path("id")
        run = await self._threads.begin(self._repository.get, run_id, contents=contents)
        if run is None or not visit.who.reaches(run.project):
            # Not 403: whether another project has such a run is nobody else's business.
            raise NotFoundError(f"There is no run {run_id[:64]} that you may see.")
        return run

    def _filter(self, visit: Visit) -> RunFilter:
        now_us = visit.now_us
        since, until = visit.asked("since"), visit.asked("until")
        asked_status = visit.asked("status")
        return RunFilter(
            project=visit.who.project or visit.asked("project"),
            workflow=visit.asked("workflow"),
            version=visit.asked("version"),
            status=next((status for status in _STATUSES if status == asked_status), None),
            feature=visit.asked("feature"),
            since_us=None if since is None else moment_us(since, now_us=now_us),
            until_us=None if until is None else moment_us(until, now_us=now_us, param="until"),
        )

    def _search(self, wanted: RunFilter, *, limit: int, before: str | None) -> list[Run]:
        with self._database.connect() as connection:
            return search_runs(connection, wanted, limit=limit, before=before)

    def _records(self, run_id: str) -> list[CallRecord]:
        with self._database.connect() as connection:
            known = self._repository.ledger_calls(run_id)[:_MOST_CALLS]
            whole = [call_with_attempts(connection, record.id) for record in known]
        return [record for record in whole if record is not None]
