"""How an evaluation is shown to people: a table by family, what came through, what it cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from headgate.cli.output import Column, note, print_table
from headgate.ledger.money import shown_usd

if TYPE_CHECKING:
    from headgate.evals.attack_report import Family, Report

_SHOWN_AT_MOST = 20


def print_report(report: Report) -> None:
    """Print it."""
    print_table(
        [Column("attacks"), Column("tried", "right"), Column("succeeded", "right"),
         Column("%", "right"), Column("unjudged", "right"), Column("held by")],
        [_row(family) for family in (*report.families, report.attacks)],
    )  # fmt: skip
    if report.look_alikes.tried or report.look_alikes.unjudged:
        print_table(
            [Column("look-alikes"), Column("tried", "right"), Column("blocked", "right"),
             Column("%", "right"), Column("unjudged", "right"), Column("blocked by")],
            [_row(kind) for kind in (*report.kinds, report.look_alikes)],
        )  # fmt: skip
    for what, results in (("came through", report.succeeded), ("was blocked", report.blocked)):
        for result in results[:_SHOWN_AT_MOST]:
            note(f"{result.id} {what} in {result.field}: {result.run_id}")
        if len(results) > _SHOWN_AT_MOST:
            note(f"… and {len(results) - _SHOWN_AT_MOST} more; --json has them all")
    for code, count in report.unjudged.items():
        note(f"{count} could not be judged: {code}")
    for why, count in report.left_out.items():
        note(f"{count} were left out: they {why}")
    unpriced = f" and {report.unpriced} unpriced" if report.unpriced else ""
    note(
        f"{'within' if report.passed else 'NOT within'} {report.at_most_percent:g} %;"
        f" {shown_usd(report.cost_nanousd)}{unpriced}"
        f"{', which nobody pays: it was simulated' if report.simulated else ''}"
    )


def _row(family: Family) -> list[str]:
    by = ", ".join(f"{layer} {count}" for layer, count in sorted(family.by.items()))
    return [
        family.name.replace("_", " "), str(family.tried), str(family.hit), f"{family.percent:.1f}",
        str(family.unjudged or ""), by,
    ]  # fmt: skip
