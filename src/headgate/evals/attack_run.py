"""Takes the texts of a pack through a workflow, as anybody's input goes, and tells what came of it.

Each text goes into one field of a valid input; the fields take turns. The runs are the runner's
own: limits, guards, checks, fallback and the ledger are those of every run.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final, Protocol, TypeVar

import msgspec

from headgate.errors import HeadgateError
from headgate.evals.attack_result import (
    Result,
    failure_of,
    held_by,
    result_of_attack,
    result_of_look_alike,
)
from headgate.evals.packs import Attack, Lookalike
from headgate.evals.text_fields import Path, named, with_text
from headgate.gateway.caller import Caller
from headgate.workflows.folder import Workflow
from headgate.workflows.run import Order, Run

FEATURE: Final = "headgate:eval"
"""What the cost of these runs is for, in the usage figures."""

MAX_AT_ONCE: Final = 64

_Case = TypeVar("_Case", Attack, Lookalike)


class RunsWorkflows(Protocol):
    """As much of `workflows.runner.Runner` as is needed."""

    async def run(self, order: Order) -> Run:
        """Carry an order through its workflow; raises `HeadgateError` where it became no run."""


class ControlFailedError(HeadgateError):
    """The workflow does not answer a harmless input, so nothing can be said about attacks."""

    status = 400
    type = "invalid_request_error"
    code = "control_failed"


class Placed(msgspec.Struct, frozen=True):
    """A text of the pack and the field that it goes into."""

    case: Attack | Lookalike
    field: Path


def family_of(case: Attack | Lookalike) -> str:
    """The attack's family, or the look-alike's kind."""
    return case.family if isinstance(case, Attack) else case.kind


class AttackRun:
    """One workflow under attack."""

    def __init__(
        self, runner: RunsWorkflows, workflow: Workflow, given: dict[str, Any], caller: Caller
    ) -> None:
        """`given` is a valid input without any attack in it."""
        self._runner = runner
        self._workflow = workflow
        self._given = given
        self._caller = caller

    def place(
        self, cases: Sequence[_Case], fields: Sequence[Path], *, every_field: bool
    ) -> tuple[list[Placed], list[_Case]]:
        """Where each case goes, and the cases that fit nowhere.

        A case goes into the first field, in an order that its id decides, that is long enough.
        """
        placed: list[Placed] = []
        homeless: list[_Case] = []
        for case in cases:
            start = int.from_bytes(hashlib.sha256(case.id.encode()).digest()[:4])
            turned = [fields[(start + step) % len(fields)] for step in range(len(fields))]
            fitting = [field for field in turned if self._fits(field, case.text)]
            placed += [Placed(case, field) for field in (fitting if every_field else fitting[:1])]
            if not fitting:
                homeless.append(case)
        return placed, homeless

    async def check_control(self) -> Run:
        """Run the input as it is. Raises `ControlFailedError` where the model gives no answer."""
        run = await self._run(self._given)
        if run.output is None or run.fallback:
            layer = held_by(run)
            raise ControlFailedError(
                f"{self._workflow.name} gives no answer to an input without any attack"
                f" ({failure_of(run) if layer is None else f'held by {layer}'}; {run.id}), so"
                " nothing could be told; name an input that works with --input."
            )
        return run

    async def results(self, placed: Sequence[Placed], at_once: int) -> AsyncIterator[Result]:
        """Run `placed`, so many at once, and give each result when it is there."""
        waiting = iter(placed)
        running: set[asyncio.Task[Result]] = set()
        try:
            while True:
                for one in waiting:
                    running.add(asyncio.create_task(self._result(one)))
                    if len(running) >= min(at_once, MAX_AT_ONCE):
                        break
                if not running:
                    return
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    yield task.result()
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    async def _result(self, placed: Placed) -> Result:
        case, field = placed.case, named(placed.field)
        try:
            run = await self._run(with_text(self._given, placed.field, case.text))
        except HeadgateError as error:
            return Result(
                id=case.id,
                kind="attack" if isinstance(case, Attack) else "look_alike",
                family=family_of(case),
                field=field,
                ended="unjudged",
                code=error.code,
            )
        if isinstance(case, Attack):
            return result_of_attack(case, field, run, self._instructions())
        return result_of_look_alike(case.id, case.kind, field, run)

    def _instructions(self) -> str:
        """What the workflow tells the model, without what guards add."""
        shape = self._workflow.context
        context = None if shape is None else shape.example
        messages = self._workflow.prompt.render(self._given, context)
        return "\n".join(one.content for one in messages if one.role == "system")

    async def _run(self, given: dict[str, Any]) -> Run:
        return await self._runner.run(
            Order(
                workflow=self._workflow.name,
                input=given,
                caller=self._caller,
                trace_id=secrets.token_hex(16),
                feature=FEATURE,
                # An answer out of the cache would tell of a day when other guards stood there.
                no_store=True,
            )
        )

    def _fits(self, field: Path, text: str) -> bool:
        return not self._workflow.input_schema.problems(with_text(self._given, field, text))
