"""All workflows of a project, read once when the server starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from headgate.config.connectors import ConnectorSettings
from headgate.errors import ConfigError, NotFoundError
from headgate.workflows.folder import Workflow, load_workflow

WORKFLOWS_AT_MOST = 1000

_NAMED_AT_MOST = 20


class Catalogue:
    """Workflows by name."""

    def __init__(self, workflows: dict[str, Workflow]) -> None:
        self._workflows = dict(sorted(workflows.items()))

    @classmethod
    def load(
        cls, project: Path | None, connectors: Mapping[str, ConnectorSettings] | None = None
    ) -> Catalogue:
        """The workflows in `project/workflows`; none where there is no such folder.

        Their context is of `connectors`. Raises `ConfigError` whose `problems` are
        those of every folder.
        """
        workflows: dict[str, Workflow] = {}
        problems: list[str] = []
        for folder in workflow_folders(project):
            try:
                workflows[folder.name] = load_workflow(folder, connectors)
            except ConfigError as error:
                problems.extend(error.problems)
        if problems:
            raise ConfigError(problems[0], problems=tuple(problems))
        return cls(workflows)

    def get(self, name: str) -> Workflow:
        """The workflow called `name`; `NotFoundError` that names those there are."""
        found = self._workflows.get(name)
        if found is None:
            known = list(self._workflows)
            more = ", …" if len(known) > _NAMED_AT_MOST else ""
            there = f"there are {', '.join(known[:_NAMED_AT_MOST])}{more}"
            raise NotFoundError(
                f"There is no workflow `{name[:64]}`;"
                f" {there if known else 'this server has no workflows'}.",
                param="workflow",
                code="workflow_not_found",
            )
        return found

    def __iter__(self) -> Iterator[Workflow]:
        return iter(self._workflows.values())

    def __len__(self) -> int:
        return len(self._workflows)


def workflow_folders(project: Path | None) -> list[Path]:
    """The folders in `project/workflows` that are not hidden, by name."""
    if project is None or not (project / "workflows").is_dir():
        return []
    folders = sorted(
        path
        for path in (project / "workflows").iterdir()
        if path.is_dir() and not path.name.startswith((".", "__"))
    )
    if len(folders) > WORKFLOWS_AT_MOST:
        raise ConfigError(f"{project / 'workflows'}: has more than {WORKFLOWS_AT_MOST} workflows")
    return folders
