"""`/api/runs`: what the workflows did, to those who may see it and no further than they may."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.errors import NotFoundError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.intake.access.reach import reaches, visible_project
from headgate.intake.access.roles import RIGHTS, permits
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint, HeaderParameter
from headgate.intake.http.inputs import Input
from headgate.intake.http.run_events import Watchers
from headgate.intake.http.run_view import RunView, run_view
from headgate.workflows.durable.carrier import DurableRuns
from headgate.workflows.run import Run, RunStatus
from headgate.workflows.runner import Runner


class RunQuery(Input, frozen=True):
    """Which runs to list."""

    workflow: str | None = None
    project: str | None = None
    status: RunStatus | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str | None, Meta(description="The id of the last run of the page before.")] = (
        None
    )


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first, without contents."""

    object: Literal["list"] = "list"
    data: list[RunView]
    has_more: bool


def runs_endpoints(runner: Runner, durable: DurableRuns) -> tuple[Endpoint, ...]:
    """The endpoints over the runs that `runner` stores."""
    repository, threads = runner.repository, runner.threads
    watchers = Watchers()

    async def listed(request: ApiRequest) -> ApiReply:
        query, caller = request.query(RunQuery), request.caller
        found = await threads.begin(
            repository.newest,
            limit=query.limit + 1,
            after=query.after,
            project=visible_project(caller, query.project),
            key_ids=caller.key_ids if RIGHTS[caller.role].reach == "key" else None,
            workflow=query.workflow,
            status=query.status,
        )
        return ApiReply(
            body=RunList(
                data=[run_view(run, contents=False) for run in found[: query.limit]],
                has_more=len(found) > query.limit,
            )
        )

    async def found(request: ApiRequest, *, contents: bool) -> Run:
        caller, run_id = request.caller, request.path["id"]
        run = await threads.begin(repository.get, run_id, contents=contents)
        if run is None or not _may_see(caller, run):
            # Not 403: whether another project has such a run is nobody else's business.
            raise NotFoundError(
                f"There is no run `{run_id[:64]}` that your key reaches.", param="id"
            )
        return run

    async def shown(request: ApiRequest) -> ApiReply:
        contents = permits(request.caller.role, "runs.read_contents")
        run = await found(request, contents=contents)
        ledger = await threads.run(repository.ledger_calls, run.id)
        actions = await threads.run(repository.actions, run.id, contents=contents)
        return ApiReply(body=run_view(run, contents=contents, ledger=ledger, actions=actions))

    async def followed(request: ApiRequest) -> ApiReply:
        contents = permits(request.caller.role, "runs.read_contents")
        run = await found(request, contents=contents)

        async def look() -> Run | None:
            return await threads.run(repository.get, run.id, contents=contents)

        events = watchers.follow(
            run,
            look,
            request.headers.get("last-event-id"),
            contents=contents,
            is_stopping=request.is_stopping,
        )
        # With 204, browsers that come back by themselves stop doing so.
        status = 204 if events is None else 200
        return ApiReply(body=events, status=status, media_type="text/event-stream")

    async def cancelled(request: ApiRequest) -> ApiReply:
        run = await found(request, contents=False)
        if not request.caller.may_run(run.workflow):
            raise PermissionDeniedError(
                f"This key may not run the workflow `{run.workflow}`, nor cancel its runs; use a"
                " key that may."
            )
        await durable.cancel(run)
        return ApiReply(body=run_view(await found(request, contents=False), contents=False))

    return (
        Endpoint(
            method="GET", path="/api/runs", permission="runs.read", tag="runs",
            summary="List runs, newest first", handler=listed, query=RunQuery, response=RunList,
        ),
        Endpoint(
            method="GET", path="/api/runs/{id}", permission="runs.read", tag="runs",
            summary="Show a run: steps, calls and, to keys that may see them, input and output",
            handler=shown, response=RunView,
        ),
        Endpoint(
            method="GET", path="/api/runs/{id}/events", permission="runs.read", tag="runs",
            summary="Follow a run: server-sent events, each step and its end; resumable",
            handler=followed,
            request_headers=(
                HeaderParameter("Last-Event-ID", "The id of the last event that was heard."),
            ),
        ),
        Endpoint(
            method="POST", path="/api/runs/{id}/cancel", permission="runs.cancel", tag="runs",
            summary="Cancel an asynchronous run: it has failed, with the code `run_cancelled`",
            handler=cancelled, response=RunView,
        ),
    )  # fmt: skip


def _may_see(caller: Caller, run: Run) -> bool:
    if RIGHTS[caller.role].reach == "key":
        return caller.holds(run.key_id)
    return reaches(caller.role, caller.project, run.project)
