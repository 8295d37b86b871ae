"""Whether what a project's files name is there: providers, models, groups, guards of its own."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

from headgate.config.checks.reviews import groups_of_workflow, unknown_group
from headgate.config.load import FILE_NAME
from headgate.config.settings import ProviderSettings, Settings
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.workflows.folder import Workflow

if TYPE_CHECKING:
    from headgate.workflows.tools.box import Toolbox


def route_problems(settings: Settings, providers: dict[str, ProviderSettings]) -> list[str]:
    """What is wrong where a route names a provider that is not there."""
    named = [
        (f"routes.{name}.{place}", target.provider)
        for name, route in settings.routes.items()
        for place, target in (
            *((f"targets[{index}]", target) for index, target in enumerate(route.targets)),
            *((("larger_context", route.larger_context),) if route.larger_context else ()),
        )
    ]
    return [
        f"{FILE_NAME}: {place}.provider: there is no provider `{provider}`;"
        f" there is {', '.join(providers)}"
        for place, provider in named
        if provider not in providers
    ]


def unserved(
    workflow: Workflow, settings: Settings, providers: dict[str, ProviderSettings]
) -> list[str]:
    """What is wrong where nothing answers to the name that a workflow's calls ask for."""
    route = workflow.settings.route
    patterns = [pattern for provider in providers.values() for pattern in provider.models]
    if route in settings.routes or any(fnmatchcase(route, pattern) for pattern in patterns):
        return []
    document = YamlFile.read(workflow.folder / "workflow.yaml")
    return [
        document.error(
            f"{route} is neither a route in {FILE_NAME} nor a model that a provider serves", "route"
        ).message
    ]


def guard_problems(settings: Settings, folder: Path | None) -> list[str]:
    """What keeps guards of the project's own from being made, as a server would make them."""
    if not any(guard.custom is not None for guard in settings.guards.values()):
        return []
    # Here, because most projects have none, and every command pays for what is loaded above.
    from headgate.checks.guards.custom import custom_guard  # noqa: PLC0415

    problems: list[str] = []
    for name, guard in settings.guards.items():
        if guard.custom is not None:
            try:
                custom_guard(name, guard.custom, folder, {})
            except ConfigError as error:
                problems += error.problems
    return problems


def tool_boxes(
    settings: Settings, folder: Path | None, workflows: Sequence[Workflow]
) -> tuple[dict[str, Toolbox], list[str]]:
    """The tools of each workflow as a server would put them together, and what keeps it from it."""
    if not settings.tools and not any(workflow.settings.tools for workflow in workflows):
        return {}, []
    from headgate.workflows.tools.boxes import boxes_of  # noqa: PLC0415 - as above
    from headgate.workflows.tools.shelf import build_tools  # noqa: PLC0415

    try:
        return boxes_of(workflows, build_tools(settings.tools, folder))
    except ConfigError as error:
        return {}, list(error.problems)


def unknown_groups(workflow: Workflow, settings: Settings) -> list[str]:
    """What is wrong where a workflow's reviews or tools are for a group that is not there."""
    groups = settings.reviews.groups
    return [
        YamlFile.read(workflow.folder / "workflow.yaml")
        .error(unknown_group(name, groups), *steps)
        .message
        for steps, name in groups_of_workflow(workflow.settings)
        if name not in groups
    ]
