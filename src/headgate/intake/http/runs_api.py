"""`/api/runs`: what the workflows did, to those who may see it and no further than they may."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.errors import NotFoundError
from headgate.gateway.caller import Caller
from headgate.intake.access.reach import reaches, visible_project
from headgate.intake.access.roles import RIGHTS, permits
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.intake.http.run_view import RunView, run_view
from headgate.workflows.run import Run
from headgate.workflows.runner import Runner


class RunQuery(Input, frozen=True):
    """Which runs to list."""

    workflow: str | None = None
    project: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[str | None, Meta(description="The id of the last run of the page before.")] = (
        None
    )


class RunList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of runs, newest first, without contents."""

    object: Literal["list"] = "list"
    data: list[RunView]
    has_more: bool


def runs_endpoints(runner: Runner) -> tuple[Endpoint, ...]:
    """The endpoints over the runs that `runner` stores."""
    repository, threads = runner.repository, runner.threads

    async def listed(request: ApiRequest) -> ApiReply:
        query, caller = request.query(RunQuery), request.caller
        found = await threads.begin(
            repository.newest,
            limit=query.limit + 1,
            after=query.after,
            project=visible_project(caller, query.project),
            key_id=caller.key_id if RIGHTS[caller.role].reach == "key" else None,
            workflow=query.workflow,
        )
        return ApiReply(
            body=RunList(
                data=[run_view(run, contents=False) for run in found[: query.limit]],
                has_more=len(found) > query.limit,
            )
        )

    async def shown(request: ApiRequest) -> ApiReply:
        caller, run_id = request.caller, request.path["id"]
        contents = permits(caller.role, "runs.read_contents")
        run = await threads.begin(repository.get, run_id, contents=contents)
        if run is None or not _may_see(caller, run):
            # Not 403: whether another project has such a run is nobody else's business.
            raise NotFoundError(
                f"There is no run `{run_id[:64]}` that your key reaches.", param="id"
            )
        ledger = await threads.run(repository.ledger_calls, run.id)
        return ApiReply(body=run_view(run, contents=contents, ledger=ledger))

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
    )  # fmt: skip


def _may_see(caller: Caller, run: Run) -> bool:
    if RIGHTS[caller.role].reach == "key":
        return run.key_id == caller.key_id
    return reaches(caller.role, caller.project, run.project)
