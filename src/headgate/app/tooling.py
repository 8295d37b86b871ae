"""Puts tools together: where they come from, what each workflow has of them, who sends actions."""

from __future__ import annotations

from headgate.app.plan import Plan
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.box import Toolbox
from headgate.workflows.tools.shelf import build_tools
from headgate.workflows.tools.using import ToolUse


class Tooling:
    """The tools of one worker."""

    def __init__(self, plan: Plan, catalogue: Catalogue, database: Database, executor: str) -> None:
        """Raises `ConfigError` where a workflow names a tool that isn't there, or on bad terms."""
        self.threads = StorageThreads("actions")
        self.store = ActionStore(database, executor)
        self._shelf = build_tools(plan.settings.tools, plan.folder)
        boxes: dict[str, Toolbox] = {}
        problems: list[str] = []
        for workflow in catalogue:
            boxes[workflow.name], found = Toolbox.of(workflow, self._shelf)
            if found:
                document = YamlFile.read(workflow.folder / "workflow.yaml")
                problems += [document.error(told, "tools", name).message for name, told in found]
        if problems:
            raise ConfigError(problems[0], problems=tuple(problems))
        self.use = ToolUse(boxes, self.store, self.threads)

    async def close(self) -> None:
        """Let go of what tools hold."""
        await self._shelf.close()
        self.threads.close()
