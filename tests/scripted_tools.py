"""Runs whose model is given tools that a test scripts, and the board that people decide on."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import msgspec

from headgate.config.tools import ToolTerms
from headgate.gateway.caller import Caller
from headgate.review.board import Board
from headgate.review.holding import ReviewHolding
from headgate.review.repository import ReviewRepository, Wanted
from headgate.review.review import Review
from headgate.storage import Database
from headgate.storage.identifiers import new_id
from headgate.storage.threads import StorageThreads
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.durable.leases import LeaseStore, Whereabouts
from headgate.workflows.durable.orders import OrderStore, Terms
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.runner import Runner
from headgate.workflows.tools.action import Action
from headgate.workflows.tools.action_store import ActionStore
from headgate.workflows.tools.box import Toolbox
from headgate.workflows.tools.talk import talk_of
from headgate.workflows.tools.tool import Sent, ToolAnswer, ToolCall, ToolSpec
from headgate.workflows.tools.using import ToolUse
from review_people import GROUPS
from scripted_workflows import FILES, Kept, ScriptedModel, asks, order

UNSENDABLE = "../.."
TICKET = {"title": "Broken", "priority": "high"}
PARAMETERS = {
    "type": "object",
    "properties": {
        "title": {"type": "string"},
        "priority": {"type": "string", "enum": ["low", "high"]},
        "customer_id": {"type": "string"},
    },
    "required": ["title", "priority"],
    "additionalProperties": False,
}

NEVER = "tools: {make: {source: it/make, effect: write, approval: never, needs: untrusted}}"
ALWAYS = "tools: {make: {source: it/make, effect: write}}"
IDEMPOTENT = NEVER.replace("it/", "again/")
ASKED = asks(("make", TICKET))


class Killed(BaseException):
    """Stands for `kill -9`."""


class ScriptedTool:
    """A tool that notes what it is sent, and answers what it is told to."""

    def __init__(self) -> None:
        self.answers: list[ToolAnswer | BaseException] = []
        self.calls: list[tuple[dict[str, Any], str]] = []
        self.parameters = PARAMETERS
        self.delay_s = 0.0
        self.known = None
        self.address = "POST /it"

    async def spec(self) -> ToolSpec:
        return ToolSpec("Does it.", self.parameters)

    def sent(self, arguments: dict[str, Any], key: str) -> Sent:
        details: dict[str, Any] = {"body": arguments, "key": key}
        if arguments.get("title") == UNSENDABLE:
            details["refused"] = "the title leads elsewhere"
        return Sent(self.address, details)

    async def call(self, arguments: dict[str, Any], call: ToolCall) -> ToolAnswer:
        self.calls.append((arguments, call.key))
        await asyncio.sleep(self.delay_s)
        answer = self.answers.pop(0) if self.answers else done({"id": f"t{len(self.calls)}"})
        if isinstance(answer, BaseException):
            raise answer
        return answer

    async def close(self) -> None:
        pass


def done(content: Any) -> ToolAnswer:
    return ToolAnswer(outcome="done", content=content)


def unknown() -> ToolAnswer:
    return ToolAnswer(outcome="unknown", content="no answer came", code="timeout")


class OneShelf:
    """Every tool of the sources `it` and `again` is the same one; the second says it may repeat."""

    def __init__(self, tool: ScriptedTool) -> None:
        self.tool = tool

    def __contains__(self, name: str) -> bool:
        return name.startswith(("it/", "again/"))

    def get(self, name: str) -> ScriptedTool:
        return self.tool

    def terms(self, name: str) -> ToolTerms:
        effect = "read" if name.endswith("/look") else None
        return ToolTerms(idempotent=name.startswith("again/"), effect=effect)


class Works:
    """One process that carries runs with tools; a test carries each leg by hand."""

    def __init__(self, project: Path, database: Database, tool: ScriptedTool, answers: Any) -> None:
        self.tool = tool
        self.executor = new_id("executor")
        self.leases = LeaseStore(database, self.executor, Whereabouts.mine())
        self.leases.enter()
        self.actions = ActionStore(database, self.executor)
        self.runs = RunRepository(database)
        self.orders = OrderStore(database)
        self.reviews = ReviewRepository(database)
        catalogue = Catalogue.load(project)
        self.threads = StorageThreads("test")
        boxes = {}
        for workflow in catalogue:
            boxes[workflow.name], problems = Toolbox.of(workflow, OneShelf(tool))
            assert not problems
        self.tools = ToolUse(boxes, self.actions, self.threads)
        self.runner = Runner(
            catalogue,
            ScriptedModel(*answers),
            self.runs,
            lambda user: f"#{user}",
            holding=ReviewHolding(self.reviews),
            tools=self.tools,
        )
        self.board = Board(
            self.reviews,
            self.runs,
            catalogue,
            self.threads,
            GROUPS,
            lease_s=60,
            preview=lambda _workflow, _tool, given, key: tool.sent(given, key),
        )

    async def begun(self, **changes: Any) -> Run:
        return await self.runner.accept(order(**changes), None, Terms(body="{}", priority=2))

    async def carried(
        self, run: Run, journal: Kept | None = None, *, caller: Caller | None = None
    ) -> Run:
        """The run after its next leg, as it is stored."""
        ordered = order(**({} if caller is None else {"caller": caller}))
        ordered = msgspec.structs.replace(ordered, input=run.input)
        terms = self.orders.get(run.id)
        talk = talk_of(self.runs.talk(run.id)) if terms is not None and terms.leg else None
        fresh = self.runs.get(run.id)
        leg = 0 if terms is None else terms.leg
        await self.runner.carry(fresh, ordered, None, journal or Kept(), leg=leg, talk=talk)
        return self.runs.get(run.id)

    async def waiting(self, run: Run) -> Review:
        """The open review that the run waits for."""
        assert run.status == "awaiting_review", (run.status, run.error)
        (review,) = await self.board.list(Wanted(run_id=run.id))
        return review

    def contents(self, number: int) -> list[Any]:
        """What tools told the model before its call of that number, from 0."""
        return [
            msgspec.json.decode(message["content"])
            for message in self.runner.model.bodies[number]["messages"]
            if message["role"] == "tool"
        ]

    def die_while_sending(self) -> None:
        """Let it die when its action is on its way: nothing is stored any more."""
        self.actions.end = lambda *_: (_ for _ in ()).throw(Killed())

    def close(self) -> None:
        self.threads.close()
        self.runner.threads.close()


def action_of(works: Works, run: Run) -> Action:
    """The only action of a run."""
    (action,) = works.actions.of_run(run.id)
    return action


def write_workflow(project: Path, *lines: str) -> None:
    """The workflow `labels` with these lines at the end of its workflow.yaml."""
    folder = project / "workflows" / "labels"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(text)
    with (folder / "workflow.yaml").open("a") as file:
        file.write("".join(f"{line}\n" for line in lines))
