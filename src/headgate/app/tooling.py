"""Puts tools together: where they come from, what each workflow has of them, who sends actions."""

from __future__ import annotations

from headgate.app.plan import Plan
from headgate.errors import ConfigError
from headgate.storage import Database
from headgate.storage.threads import StorageThreads
from headgate.telemetry.tool_metrics import ToolMetrics
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.boxes import boxes_of
from headgate.workflows.tools.shelf import build_tools
from headgate.workflows.tools.using import ToolUse


class Tooling:
    """The tools of one worker."""

    def __init__(
        self,
        plan: Plan,
        catalogue: Catalogue,
        database: Database,
        executor: str,
        metrics: ToolMetrics,
    ) -> None:
        """Raises `ConfigError` where a workflow names a tool that isn't there, or on bad terms."""
        self.threads = StorageThreads("actions")
        self.store = ActionStore(
            database, executor, lambda one: metrics.note_action(one.workflow, one.tool, one.state)
        )
        self._shelf = build_tools(plan.settings.tools, plan.folder)
        boxes, problems = boxes_of(catalogue, self._shelf, metrics.note_call)
        if problems:
            raise ConfigError(problems[0], problems=tuple(problems))
        self.use = ToolUse(boxes, self.store, self.threads)

    async def close(self) -> None:
        """Let go of what tools hold."""
        await self._shelf.close()
        self.threads.close()
