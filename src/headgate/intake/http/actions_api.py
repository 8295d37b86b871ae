"""`/api/actions`: what runs want done out there, or have done, to those who may see the runs."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.intake.access.reach import visible_project
from headgate.intake.access.roles import RIGHTS
from headgate.intake.http.action_view import ActionView, action_view
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.tools.action import Action, ActionState
from headgate.workflows.tools.action_search import ActionFilter, search_actions


class ActionQuery(Input, frozen=True):
    """Which actions to list."""

    state: ActionState | None = None
    workflow: str | None = None
    run_id: str | None = None
    project: str | None = None
    limit: Annotated[int, Meta(ge=1, le=100)] = 20
    after: Annotated[
        str | None, Meta(description="The id of the last action of the page before.")
    ] = None


class ActionList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of actions, newest first, without contents."""

    object: Literal["list"] = "list"
    data: list[ActionView]
    has_more: bool


def actions_endpoints(database: Database, threads: StorageThreads) -> tuple[Endpoint, ...]:
    """The endpoint over the actions in `database`."""

    async def listed(request: ApiRequest) -> ApiReply:
        query, caller = request.query(ActionQuery), request.caller
        wanted = ActionFilter(
            project=visible_project(caller, query.project),
            workflow=query.workflow,
            run_id=query.run_id,
            state=query.state,
            key_ids=caller.key_ids if RIGHTS[caller.role].reach == "key" else None,
        )

        def search() -> list[Action]:
            with database.connect() as connection:
                return search_actions(connection, wanted, limit=query.limit + 1, after=query.after)

        found = await threads.begin(search)
        return ApiReply(
            body=ActionList(
                data=[action_view(one, contents=False) for one in found[: query.limit]],
                has_more=len(found) > query.limit,
            )
        )

    return (
        Endpoint(
            method="GET", path="/api/actions", permission="runs.read", tag="actions",
            summary="List what runs want done, or have done, newest first", handler=listed,
            query=ActionQuery, response=ActionList,
        ),
    )  # fmt: skip
