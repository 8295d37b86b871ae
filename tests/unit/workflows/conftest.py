"""A workflow's folder to change, and a runner with a model that a test scripts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.repository import RunRepository
from headgate.workflows.runner import Runner
from scripted_workflows import ScriptedModel, write_project


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with one workflow, `labels`."""
    write_project(tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def labels(project: Path) -> Path:
    """The folder of that workflow."""
    return project / "workflows" / "labels"


@pytest.fixture
def repository(sqlite_url: str):
    database = Database(sqlite_url)
    yield RunRepository(database)
    database.close()


@pytest.fixture
def runner_with(project: Path, repository: RunRepository) -> Callable[..., Runner]:
    """A runner of the project as it stands, with a model that gives these answers."""

    def build(*answers: Any) -> Runner:
        return Runner(
            Catalogue.load(project), ScriptedModel(*answers), repository, lambda user: f"#{user}"
        )

    return build
