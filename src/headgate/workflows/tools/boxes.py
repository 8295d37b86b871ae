"""The toolboxes of all workflows, and what is wrong with them, with file and line."""

from __future__ import annotations

from collections.abc import Iterable

from headgate.config.yaml_file import YamlFile
from headgate.workflows.folder import Workflow
from headgate.workflows.tools.box import NoteCall, Shelf, Toolbox


def boxes_of(
    workflows: Iterable[Workflow],
    shelf: Shelf,
    note_call: NoteCall = lambda _workflow, _tool, _outcome, _seconds: None,
) -> tuple[dict[str, Toolbox], list[str]]:
    """The boxes by workflow, and the problems: a tool that isn't there, terms that can't be."""
    boxes: dict[str, Toolbox] = {}
    problems: list[str] = []
    for workflow in workflows:
        boxes[workflow.name], found = Toolbox.of(workflow, shelf, note_call)
        if found:
            document = YamlFile.read(workflow.folder / "workflow.yaml")
            problems += [document.error(told, *steps).message for steps, told in found]
    return boxes, problems
