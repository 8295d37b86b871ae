"""How often tools were called in this hour and on this day: counted exactly, over all processes.

The function works in the transaction of whoever keeps the call; it blocks.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from headgate.storage.action_tables import tool_windows
from headgate.storage.insertion import insert_into
from headgate.workflows.tools.terms import Terms

_HOUR_S, _DAY_S = 3600, 86_400
_WINDOWS_KEPT_S = 2 * _DAY_S
"""How long after its beginning a window is kept; more than it lasts, as clocks differ."""


def taken(connection: Connection, tool: str, terms: Terms, now_us: int) -> bool:
    """Count a call in each window that has a limit; False, and none counts it, if one is full."""
    now_s = now_us // 1_000_000
    limits = (("hour", _HOUR_S, terms.per_hour), ("day", _DAY_S, terms.per_day))
    wanted = [
        (window, now_s - now_s % length_s, limit) for window, length_s, limit in limits if limit
    ]
    # All are looked at under their locks before one is counted, so that none counts for nothing.
    begun = [
        connection.execute(
            insert_into(connection, tool_windows)
            .values(tool=tool, window=window, began_s=began_s, used=0)
            .on_conflict_do_nothing()
            .returning(tool_windows.c.began_s)
        ).first()
        for window, began_s, _ in wanted
    ]
    if any(begun):
        # One transaction begins a window, so nobody else is at the old ones meanwhile.
        connection.execute(
            sa.delete(tool_windows).where(
                tool_windows.c.tool == tool, tool_windows.c.began_s < now_s - _WINDOWS_KEPT_S
            )
        )
    used = {
        row.window: row.used
        for row in connection.execute(
            sa.select(tool_windows)
            .where(
                tool_windows.c.tool == tool,
                sa.tuple_(tool_windows.c.window, tool_windows.c.began_s).in_(
                    [(window, began_s) for window, began_s, _ in wanted]
                ),
            )
            .order_by(tool_windows.c.window)
            .with_for_update()
        )
    }
    if any(used[window] >= limit for window, _, limit in wanted):
        return False
    for window, began_s, _ in wanted:
        connection.execute(
            sa.update(tool_windows)
            .where(
                tool_windows.c.tool == tool,
                tool_windows.c.window == window,
                tool_windows.c.began_s == began_s,
            )
            .values(used=tool_windows.c.used + 1)
        )
    return True
