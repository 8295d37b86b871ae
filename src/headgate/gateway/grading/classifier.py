"""Asks small models for the grades of requests, as every call is made: recorded and paid for.

Asked only where no rule before it has decided, never for longer than the operator said, and once
for equal texts. Where no grade comes, the route's own default is taken, and a metric tells.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

from headgate.config.grading import ClassifierSettings
from headgate.gateway.call import Call
from headgate.gateway.deadline import Patience
from headgate.gateway.endpoints import ENDPOINTS
from headgate.gateway.following import follow, traits_of
from headgate.gateway.gateway import Gateway
from headgate.gateway.grading.memory import GradeMemory
from headgate.gateway.grading.question import Question
from headgate.gateway.grading.text import graded_text
from headgate.gateway.own_calls.client import InnerClient, inner_call
from headgate.gateway.request import Request, read_request
from headgate.gateway.strategies import Tiered
from headgate.gateway.target import Target
from headgate.telemetry.grading_metrics import Graded, GradingMetrics

_log = logging.getLogger(__name__)

_ENDPOINT = "chat/completions"
_PATIENCE_SHARE = 0.3
"""Of the time that a client gives: most must be left for the answer itself."""
FEATURE = "headgate:classifier"
"""What the cost of such a call is for, in the ledger."""


_Told = tuple[str | None, Graded] | None
"""What a classifier said of a text; None where nothing that others could use."""


class _Asking:
    """What one route needs to ask."""

    def __init__(self, settings: ClassifierSettings) -> None:
        self.settings = settings
        self.question = Question(settings)
        self.memory = GradeMemory(settings.remember)
        self.failing = False
        self.under_way: dict[tuple[str, str], asyncio.Future[_Told]] = {}
        """The texts of projects that are being graded now."""


class Classifier:
    """Grades the requests of those `routes` that have a classifier."""

    def __init__(self, routes: Mapping[str, ClassifierSettings], metrics: GradingMetrics) -> None:
        self._routes = {name: _Asking(settings) for name, settings in routes.items()}
        self._metrics = metrics
        self.gateway: Gateway | None = None
        """Set once there is one; it has this."""

    async def targets(
        self, call: Call, request: Request, targets: tuple[Target, ...]
    ) -> tuple[Target, ...]:
        """The targets of a call whose route grades, in the order that its grade makes.

        `targets` is the order without one, which stands where no grade is needed.
        """
        route = call.route
        if route is None or route.name is None or not isinstance(route.strategy, Tiered):
            return targets
        if not route.strategy.waits_for_grade(traits_of(call, request)):
            return targets
        call.grade, how = await self._grade(call, request, route.name)
        self._metrics.graded(route.name, how)
        return follow(call, request, route)

    async def _grade(self, call: Call, request: Request, route: str) -> tuple[str, Graded]:
        asking, record = self._routes[route], call.record
        run = (record.project, "run", record.run_id or "")
        if call.rungs_up and (known := asking.memory.recall(*run)):
            # What failed its checks is asked again, with the faults: it is no other request.
            return known, "remembered"
        text = graded_text(request, asking.settings.max_input_characters)
        if text is None:
            return asking.settings.otherwise, "no_text"
        grade = asking.memory.recall(record.project, "text", text)
        how: Graded = "remembered"
        if grade is None:
            grade, how = await self._asked_once(call, asking, route, text)
        if grade is None:
            return asking.settings.otherwise, how
        asking.memory.keep(grade, record.project, "text", text)
        if record.run_id is not None:
            asking.memory.keep(grade, *run)
        return grade, how

    async def _asked_once(
        self, call: Call, asking: _Asking, route: str, text: str
    ) -> tuple[str | None, Graded]:
        """As `_asked`; of calls with equal texts at the same time one asks, the others wait.

        None waits longer than it would for a grade of its own. Where the one that asks fails or its
        client leaves, another asks.
        """
        loop, key = asyncio.get_running_loop(), (call.record.project, text)
        until_s = loop.time() + _within(asking.settings.timeout_s, call.patience)
        try:
            async with asyncio.timeout_at(until_s):
                while (under_way := asking.under_way.get(key)) is not None:
                    if (told := await asyncio.shield(under_way)) is not None:
                        grade, how = told
                        return grade, "remembered" if grade else how
        except TimeoutError:
            return None, "late"
        mine = asking.under_way[key] = loop.create_future()
        told = None
        try:
            grade, how = await self._asked(call, asking, route, text, until_s)
            if how in ("asked", "no_grade"):
                told = grade, how
            return grade, how
        finally:
            del asking.under_way[key]
            mine.set_result(told)

    async def _asked(
        self, call: Call, asking: _Asking, route: str, text: str, until_s: float
    ) -> tuple[str | None, Graded]:
        if self.gateway is None:
            return None, "failed"
        inner = _call_for(call, asking.settings.model)
        request = read_request(ENDPOINTS[_ENDPOINT], asking.question.body(text))
        client = InnerClient()
        try:
            async with asyncio.timeout_at(until_s):
                await self.gateway.carry(inner, request, client)
        except TimeoutError:
            self._note(asking, route, "late")
            return None, "late"
        if inner.record.status != 200:
            self._note(asking, route, inner.record.error_class or "failed")
            return None, "failed"
        grade = asking.question.grade(client.body)
        self._note(asking, route, None if grade else "no grade")
        return grade, "asked" if grade else "no_grade"

    def _note(self, asking: _Asking, route: str, failure: str | None) -> None:
        """Say it once when a classifier begins to fail, and when it answers again."""
        if failure is not None and not asking.failing:
            _log.warning(
                "a classifier gives no grades; its route's `otherwise` is taken",
                extra={"route": route, "reason": failure},
            )
        elif failure is None and asking.failing:
            _log.warning("a classifier gives grades again", extra={"route": route})
        asking.failing = failure is not None


def _within(timeout_s: float, patience: Patience | None) -> float:
    """How long to wait for a grade."""
    waits = () if patience is None else (patience.begin_s, patience.whole_s)
    return min([timeout_s, *(wait_s * _PATIENCE_SHARE for wait_s in waits if wait_s is not None)])


def _call_for(call: Call, model: str) -> Call:
    """The call that asks for the grade of `call`: its own in the ledger, and linked to that."""
    inner = inner_call(call, _ENDPOINT, model)
    inner.priority = call.priority
    inner.record.id = grading_id(call.record.id)
    inner.record.feature = FEATURE
    return inner


def grading_id(call_id: str) -> str:
    """The id of the call that asked for the grade of the call `call_id`."""
    return f"{call_id}.grade"
