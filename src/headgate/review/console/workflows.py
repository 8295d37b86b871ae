"""Workflows: which there are, what their files say, how they do, and trying one on an input."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from headgate.checks.problem import Problem
from headgate.errors import HeadgateError, InvalidRequestError, PermissionDeniedError
from headgate.ledger.rollups.figures import Figures, Wanted, figures
from headgate.ledger.rollups.sums import Sums
from headgate.review.console.period import last_days
from headgate.review.console.rendering import Renderer
from headgate.review.console.sessions import new_token
from headgate.review.console.shown import pretty
from headgate.review.console.visit import Visit, see
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.traces.lineage import trace_from
from headgate.workflows.digest import folder_files
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.folder import Workflow
from headgate.workflows.run import Order
from headgate.workflows.run_search import SeenVersion, seen_versions
from headgate.workflows.sample import sample_of

TRY_FEATURE = "console"
"""What the cost of runs that were tried here is for."""

_NONCE_CHARACTERS = 64


class File(msgspec.Struct, frozen=True):
    """A file of a workflow's folder; no text where it is none."""

    name: str
    text: str | None
    size_bytes: int


class Line(msgspec.Struct, frozen=True):
    """A workflow with its figures."""

    workflow: Workflow
    sums: Sums


class WorkflowsPages:
    """`GET /console/workflows` and what is under it."""

    def __init__(
        self, database: Database, durable: DurableRuns, threads: StorageThreads, renderer: Renderer
    ) -> None:
        self._database = database
        self._durable = durable
        self._catalogue = durable.runner.catalogue
        self._threads = threads
        self._renderer = renderer

    async def index(self, visit: Visit) -> Response:
        """`GET /console/workflows`."""
        found = await self._threads.begin(self._figures, visit, None)
        lines = [
            Line(workflow, found.by_value.get(workflow.name, Sums()))
            for workflow in self._catalogue
            if visit.who.caller.may_run(workflow.name)
        ]
        return self._renderer.page("workflows.html", visit, lines=lines)

    async def show(self, visit: Visit) -> Response:
        """`GET /console/workflows/{name}`."""
        return await self._page(visit)

    async def check(self, visit: Visit) -> Response:
        """`POST /console/workflows/{name}/check`: what is wrong with an input, as it is typed."""
        workflow = self._admitted(visit)
        problems = input_problems(workflow, visit.field("input"))
        return self._renderer.page("part_problems.html", visit, problems=problems, what="input")

    async def try_it(self, visit: Visit) -> Response:
        """`POST /console/workflows/{name}/runs`: run it on an input, and show the run."""
        visit.who.require("workflows.run")
        workflow = self._admitted(visit)
        text = visit.field("input")
        try:
            given = msgspec.json.decode(text.encode())
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            wrong = InvalidRequestError("The input is not valid JSON.", param="input")
            return await self._page(visit, text=text, error=wrong)
        trace_id, parent = trace_from(None)
        order = Order(
            workflow=workflow.name,
            input=given,
            caller=visit.who.caller,
            trace_id=trace_id,
            parent=parent,
            feature=TRY_FEATURE,
            # A form that is sent twice is run once.
            idempotency_key=visit.field("nonce")[:_NONCE_CHARACTERS] or None,
        )
        try:
            run = await self._durable.run(order)
        except HeadgateError as error:
            return await self._page(visit, text=text, error=error)
        return see(f"/console/runs/{run.id}")

    async def shown_again(self, visit: Visit, error: HeadgateError) -> Response:
        """The page with the input that was not run, and why."""
        return await self._page(visit, text=visit.field("input"), error=error)

    async def _page(
        self, visit: Visit, *, text: str | None = None, error: HeadgateError | None = None
    ) -> Response:
        workflow = self._admitted(visit)
        versions, found, files = await self._threads.begin(self._read, visit, workflow)
        return self._renderer.page(
            "workflow.html",
            visit,
            http_status=200 if error is None else error.status,
            workflow=workflow,
            tools=self._durable.runner.tools_of(workflow),
            versions=versions,
            sums=found.total,
            files=files if visit.who.may("runs.read_contents") else None,
            may_run=visit.who.may("workflows.run"),
            text=text or pretty(sample_of(workflow.input_schema.document, optional=False)),
            error=error,
            nonce=new_token(),
        )

    def _admitted(self, visit: Visit) -> Workflow:
        name = visit.path("name")
        if not visit.who.caller.may_run(name):
            raise PermissionDeniedError("Your key may not run this workflow; use one that may.")
        return self._catalogue.get(name)

    def _read(
        self, visit: Visit, workflow: Workflow
    ) -> tuple[list[SeenVersion], Figures, list[File]]:
        with self._database.connect() as connection:
            versions = seen_versions(connection, workflow.name, visit.who.project)
        return versions, self._figures(visit, workflow.name), _files(workflow)

    def _figures(self, visit: Visit, workflow: str | None) -> Figures:
        period = last_days(7, visit.now_us)
        wanted = Wanted(
            since_s=period.since_s,
            until_s=period.until_s,
            point_s=period.point_s,
            by="workflow",
            project=visit.who.project,
            workflow=workflow,
        )
        with self._database.connect() as connection:
            return figures(connection, wanted)


def input_problems(workflow: Workflow, text: str) -> tuple[Problem, ...]:
    """What keeps `text` from being an input of `workflow`."""
    try:
        given = msgspec.json.decode(text.encode())
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return (Problem("", "json", f"is not valid JSON: {error}"),)
    return workflow.input_schema.problems(given)


def _files(workflow: Workflow) -> list[File]:
    """What stands in the folder now; it is read from the disk, as the next start will."""
    try:
        contents = folder_files(workflow.folder)
    except HeadgateError:
        return []
    return [File(name, _text(content), len(content)) for name, content in contents.items()]


def _text(content: bytes) -> str | None:
    try:
        return content.decode()
    except UnicodeDecodeError:
        return None
