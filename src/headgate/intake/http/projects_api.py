"""`/api/projects`: create, list and archive projects over HTTP."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from headgate.errors import ConflictError, NotFoundError
from headgate.intake.access.projects import Project, ProjectStore
from headgate.intake.access.reach import reaches, visible_project
from headgate.intake.http.endpoint import ApiReply, ApiRequest, Endpoint
from headgate.intake.http.inputs import Input
from headgate.storage.threads import StorageThreads

_SECOND_US = 1_000_000


class CreateProject(Input, frozen=True):
    """A project that is wanted."""

    name: Annotated[
        str, Meta(description="Lower-case letters, digits, `-`, `_` and `.`; at most 63.")
    ]
    description: str = ""


class ProjectQuery(Input, frozen=True):
    """Which projects to list."""

    limit: Annotated[int, Meta(ge=1, le=1000)] = 100
    after: Annotated[str, Meta(description="The name of the last project of the page before.")] = ""


class ProjectView(msgspec.Struct, frozen=True, kw_only=True):
    """A project as it is shown."""

    name: str
    object: Literal["project"] = "project"
    description: str
    status: Literal["live", "archived"]
    created_at: Annotated[int, Meta(description="Seconds since 1970 UTC.")]
    archived_at: Annotated[int | None, Meta(description="Seconds since 1970 UTC.")]


class ProjectList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of projects, by name."""

    object: Literal["list"] = "list"
    data: list[ProjectView]
    has_more: bool


class ProjectsApi:
    """Handlers over one project store. `changed` is awaited after a project was archived."""

    def __init__(
        self,
        projects: ProjectStore,
        threads: StorageThreads,
        changed: Callable[[], Awaitable[None]],
    ) -> None:
        self._projects = projects
        self._threads = threads
        self._changed = changed

    def endpoints(self) -> tuple[Endpoint, ...]:
        """What this API serves."""
        return (
            Endpoint(
                method="GET", path="/api/projects", permission="projects.read", tag="projects",
                summary="List projects", handler=self.list, query=ProjectQuery,
                response=ProjectList,
            ),
            Endpoint(
                method="POST", path="/api/projects", permission="projects.manage", tag="projects",
                summary="Create a project", handler=self.create, request=CreateProject,
                response=ProjectView, status=201,
            ),
            Endpoint(
                method="GET", path="/api/projects/{name}", permission="projects.read",
                tag="projects", summary="Show a project", handler=self.show, response=ProjectView,
            ),
            Endpoint(
                method="POST", path="/api/projects/{name}/archive", permission="projects.manage",
                tag="projects", summary="Archive a project: its keys open nothing from then on",
                handler=self.archive, response=ProjectView,
            ),
        )  # fmt: skip

    async def list(self, request: ApiRequest) -> ApiReply:
        """`GET /api/projects`."""
        query = request.query(ProjectQuery)
        found = await self._threads.begin(
            self._projects.list,
            limit=query.limit + 1, after=query.after, only=visible_project(request.caller, None),
        )  # fmt: skip
        return ApiReply(
            body=ProjectList(
                data=[project_view(project) for project in found[: query.limit]],
                has_more=len(found) > query.limit,
            )
        )

    async def create(self, request: ApiRequest) -> ApiReply:
        """`POST /api/projects`."""
        wanted = request.json(CreateProject)
        project = await self._threads.begin(self._projects.create, wanted.name, wanted.description)
        return ApiReply(body=project_view(project), status=201)

    async def show(self, request: ApiRequest) -> ApiReply:
        """`GET /api/projects/{name}`."""
        name = request.path["name"]
        if not reaches(request.caller.role, request.caller.project, name):
            raise NotFoundError(f"There is no project `{name}` here.", param="name")
        return ApiReply(body=project_view(await self._threads.begin(self._projects.get, name)))

    async def archive(self, request: ApiRequest) -> ApiReply:
        """`POST /api/projects/{name}/archive`."""
        name = request.path["name"]
        if name == request.caller.project:
            raise ConflictError(
                "That would close the project of the key you use; archive it with another's."
            )
        project = await self._threads.begin(self._projects.archive, name)
        await self._changed()
        return ApiReply(body=project_view(project))


def project_view(project: Project) -> ProjectView:
    """`project` as it is shown."""
    return ProjectView(
        name=project.name,
        description=project.description,
        status="live" if project.archived_at_us is None else "archived",
        created_at=project.created_at_us // _SECOND_US,
        archived_at=(
            None if project.archived_at_us is None else project.archived_at_us // _SECOND_US
        ),
    )
