"""What is used of each allowance now, read from the database for people and programs."""

from __future__ import annotations

import msgspec
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.ledger.allowances.rule import Rule, Rules
from headgate.ledger.allowances.standing import Ask, Standing, take_turn
from headgate.ledger.allowances.window import FOR_EVER_US, Period, period_at
from headgate.storage.allowance_tables import allowances

MOST_ROWS = 1000


class AllowanceState(msgspec.Struct, frozen=True):
    """One allowance in its present window."""

    rule: Rule
    subject: str
    period: Period
    taken: int
    """What was spent, is reserved for calls in flight, or is leased to a process."""
    spent: int
    """What calls that have ended used; of limits by the minute and of calls in flight, `taken`."""
    extra: int = 0
    """What people granted beyond the limit."""

    @property
    def left(self) -> int:
        """What nobody has taken."""
        return max(0, self.rule.limit + self.extra - self.taken)


def states(
    connection: Connection, rules: Rules, now_us: int, *, project: str | None = None
) -> tuple[list[AllowanceState], bool]:
    """The allowances that were used in their present window, and whether there are more.

    With `project` only those that are this project's alone.
    """
    found: list[AllowanceState] = []
    more = False
    for rule in rules.rules:
        if project is not None and "project" not in rule.per:
            continue
        period = period_at(rule.window, rule.zone, now_us)
        statement = (
            sa.select(allowances)
            .where(allowances.c.rule == rule.name, allowances.c.period_us == period.start_us)
            .order_by(allowances.c.taken.desc(), allowances.c.subject)
            .limit(MOST_ROWS + 1)
        )
        if project is not None:
            # Dimensions stand in the order of the alphabet, so a project's may stand anywhere.
            mine = sa.literal(",") + allowances.c.subject + sa.literal(",")
            statement = statement.where(mine.contains(f",project={project},", autoescape=True))
        rows = connection.execute(statement).all()
        more = more or len(rows) > MOST_ROWS
        for row in rows[:MOST_ROWS]:
            standing = msgspec.json.decode(row.detail, type=Standing)
            standing.taken, standing.spent = row.taken, row.spent
            if rule.window in ("minute", "now"):
                # What has passed since the last turn is forgotten at the next.
                take_turn(
                    standing, rule.window, rule.limit, Ask(),
                    holder="", processes=1, now_us=now_us,
                )  # fmt: skip
                standing.spent = standing.taken
            if standing.taken or standing.spent:
                found.append(
                    AllowanceState(
                        rule, row.subject, period, standing.taken, standing.spent, row.extra
                    )
                )
    return found, more


def ends_at_s(state: AllowanceState) -> int | None:
    """When the window ends, in seconds since 1970 UTC; None where no calendar ends it."""
    return None if state.period.end_us >= FOR_EVER_US else state.period.end_us // 1_000_000
