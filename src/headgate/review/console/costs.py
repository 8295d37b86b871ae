"""Costs and budgets: what was spent on what, by day, and how much of each allowance is left."""

from __future__ import annotations

from starlette.responses import Response

from headgate.ledger.allowances.report import states
from headgate.ledger.allowances.rule import Rules
from headgate.ledger.rollups.figures import DIMENSIONS, Figures, Wanted, figures
from headgate.review.console.allowance import Allowance, allowance_of
from headgate.review.console.charts import chart_by_value
from headgate.review.console.overview import NAMELESS, Row
from headgate.review.console.period import period_of
from headgate.review.console.rendering import Renderer
from headgate.review.console.visit import Visit
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

_MOST_ROWS = 100


class CostsPage:
    """`GET /console/costs`."""

    def __init__(
        self, database: Database, threads: StorageThreads, renderer: Renderer, rules: Rules
    ) -> None:
        self._database = database
        self._threads = threads
        self._renderer = renderer
        self._rules = rules

    async def show(self, visit: Visit) -> Response:
        """The page."""
        period = period_of(visit.asked("period"), visit.now_us, "30d")
        splits = DIMENSIONS if visit.who.all_projects else DIMENSIONS[1:]
        by = next((name for name in splits if name == visit.asked("by")), splits[0])
        wanted = Wanted(
            since_s=period.since_s,
            until_s=period.until_s,
            point_s=period.point_s,
            by=by,
            project=visit.who.project,
        )
        found, allowances, more = await self._threads.begin(self._read, wanted, visit.now_us)
        ranked = sorted(
            found.by_value.items(), key=lambda item: (-item[1]["cost_nanousd"], item[0])
        )
        return self._renderer.page(
            "costs.html",
            visit,
            period=period,
            periods=("24h", "7d", "30d", "90d"),
            by=by,
            splits=splits,
            total=found.total,
            complete=found.complete,
            rows=[Row(value, value or NAMELESS[by], sums) for value, sums in ranked[:_MOST_ROWS]],
            chart=chart_by_value(
                "cost", f"Cost by {by}", "usd", period, found,
                read=lambda sums: sums["cost_nanousd"] / 1e9, nameless=NAMELESS[by],
            ),
            allowances=allowances,
            more=more,
        )  # fmt: skip

    def _read(self, wanted: Wanted, now_us: int) -> tuple[Figures, list[Allowance], bool]:
        with self._database.connect() as connection:
            found = figures(connection, wanted)
            standing, more = states(connection, self._rules, now_us, project=wanted.project)
        shown = sorted(map(allowance_of, standing), key=lambda a: -a.percent)
        return found, shown[:_MOST_ROWS], more or len(shown) > _MOST_ROWS
