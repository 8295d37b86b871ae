"""The first page: how much, how fast, at what cost, what failed, and what waits for a person."""

from __future__ import annotations

from typing import get_args

import msgspec
from starlette.responses import Response

from headgate.ledger.allowances.report import states
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.rollups.figures import Dimension, Figures, Wanted, figures
from headgate.ledger.rollups.sums import Sums
from headgate.review.console.allowance import Allowance, allowance_of
from headgate.review.console.charts import Chart, chart_by_value, chart_of_total
from headgate.review.console.period import NAMES, Period, period_of
from headgate.review.console.rendering import Renderer
from headgate.review.console.reviews import Reviews
from headgate.review.console.visit import Visit, see
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

NAMELESS: dict[Dimension, str] = {
    "project": "no project",
    "workflow": "direct calls",
    "model": "no model",
    "feature": "no feature",
}
"""How calls are called that name none."""

_MOST_ROWS = 50
_MOST_BUDGETS = 5
_SPLITS: tuple[Dimension, ...] = ("workflow", "model", "feature")


class Row(msgspec.Struct, frozen=True):
    """A line of the table by value."""

    value: str
    title: str
    sums: Sums


class OverviewPage:
    """`GET /console`."""

    def __init__(
        self,
        database: Database,
        threads: StorageThreads,
        renderer: Renderer,
        rules: Rules,
        reviews: Reviews,
    ) -> None:
        self._database = database
        self._threads = threads
        self._renderer = renderer
        self._rules = rules
        self._reviews = reviews

    async def show(self, visit: Visit) -> Response:
        """The page; who has no business in usage is shown the reviews."""
        if not visit.who.may("usage.read"):
            return see("/console/reviews")
        period = period_of(visit.asked("period"), visit.now_us)
        by: Dimension = next((name for name in _SPLITS if name == visit.asked("by")), _SPLITS[0])
        wanted = Wanted(
            since_s=period.since_s,
            until_s=period.until_s,
            point_s=period.point_s,
            by=by,
            project=visit.who.project or visit.asked("project"),
            workflow=visit.asked("workflow"),
            model=visit.asked("model"),
            feature=visit.asked("feature"),
        )
        found, budgets = await self._threads.begin(self._read, wanted, visit.now_us)
        return self._renderer.page(
            "overview.html",
            visit,
            period=period,
            periods=NAMES,
            by=by,
            splits=_SPLITS,
            filters={
                name: getattr(wanted, name)
                for name in get_args(Dimension)
                if getattr(wanted, name) is not None and visit.asked(name) is not None
            },
            total=found.total,
            complete=found.complete,
            rows=_rows(found, by),
            charts=_charts(period, found, by),
            budgets=budgets,
            open_actions=await self._reviews.actions_waiting(visit.who)
            if visit.open_reviews
            else 0,
        )

    def _read(self, wanted: Wanted, now_us: int) -> tuple[Figures, list[Allowance]]:
        with self._database.connect() as connection:
            found = figures(connection, wanted)
            budgets, _ = states(connection, self._rules, now_us, project=wanted.project)
        fullest = sorted(
            (state for state in budgets if state.rule.kind == "budget"),
            key=lambda state: -state.spent / state.rule.limit,
        )
        return found, [allowance_of(state) for state in fullest[:_MOST_BUDGETS]]


def _rows(found: Figures, by: Dimension) -> list[Row]:
    ranked = sorted(found.by_value.items(), key=lambda item: (-item[1]["calls"], item[0]))
    return [Row(value, value or NAMELESS[by], sums) for value, sums in ranked[:_MOST_ROWS]]


def _charts(period: Period, found: Figures, by: Dimension) -> list[Chart]:
    nameless = NAMELESS[by]
    return [
        chart_by_value(
            "calls", f"Calls by {by}", "count", period, found,
            read=lambda sums: sums["calls"], nameless=nameless,
        ),
        chart_of_total(
            "latency", "Latency", "ms", period, found,
            read=(("p50", lambda s: _ms(s, 0.5)), ("p95", lambda s: _ms(s, 0.95))),
        ),
        chart_by_value(
            "cost", f"Cost by {by}", "usd", period, found,
            read=lambda sums: sums["cost_nanousd"] / 1e9, nameless=nameless,
        ),
        chart_of_total(
            "errors", "Errors", "count", period, found,
            read=(
                ("errors", lambda s: s["errors"] - s["limited"]),
                ("429, over a limit", lambda s: s["limited"]),
            ),
        ),
    ]  # fmt: skip


def _ms(sums: Sums, share: float) -> float | None:
    found_us = sums.latency_us(share)
    return None if found_us is None else found_us / 1000
