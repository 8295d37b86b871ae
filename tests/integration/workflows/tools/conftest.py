"""Processes whose models are given tools that a test scripts, on each database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from headgate.storage import Database
from scripted_tools import ScriptedTool, Works, write_workflow


@pytest.fixture
def tool() -> ScriptedTool:
    return ScriptedTool()


@pytest.fixture
def works_with(
    tmp_path: Path, database: Database, tool: ScriptedTool
) -> Iterator[Callable[..., Works]]:
    """A process with a workflow of such lines, and a model that answers so."""
    made: list[Works] = []

    def make(*answers: Any, settings: str = "") -> Works:
        project = tmp_path / f"project{len(made)}"
        write_workflow(project, *settings.splitlines())
        made.append(Works(project, database, tool, answers))
        return made[-1]

    yield make
    for one in made:
        one.close()
