"""`headgate reviews`: what waits for people on a running server, and deciding it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import quote

import click

from headgate.cli.api_client import asked, url_option
from headgate.cli.examples import Group
from headgate.cli.input_file import read_inputs
from headgate.cli.output import (
    Column,
    json_option,
    note,
    print_json,
    print_page,
    print_table,
    printable,
)
from headgate.cli.shown import actions
from headgate.review.review import Decision, ReviewKind, ReviewStatus

_HOUR_S = 3600
_DAY_S = 86_400

_OF_ACTIONS = {"draft": "arguments", "output": "what went out"}
"""How the parts of a review of an action are called."""

_version = click.option(
    "--version", type=click.IntRange(min=1),
    help="The version that you saw; refused where it has changed since.",
)  # fmt: skip


@click.group(
    cls=Group,
    examples=(
        "headgate reviews list",
        "headgate reviews show rev_0660c4a0…",
        "headgate reviews decide rev_0660c4a0… approve",
        "headgate reviews decide rev_0660c4a0… edit --output mended.json --note 'too kind'",
    ),
)
def reviews() -> None:
    """See what waits for people, and decide it.

    Asks a running server with the key in HEADGATE_API_KEY, or else HEADGATE_ADMIN_KEY.
    """


@reviews.command(
    "list",
    examples=("headgate reviews list --workflow ticket-triage", "headgate reviews list --mine"),
)
@click.option("--status", type=click.Choice(get_args(ReviewStatus)), help="Else all undecided.")
@click.option("--kind", type=click.Choice(get_args(ReviewKind)), help="Only these.")
@click.option("--workflow", help="Only this workflow's.")
@click.option("--group", help="Only those that this group decides.")
@click.option("--project", help="Only this project's.")
@click.option("--run", help="Only of the run with this id.")
@click.option("--mine", is_flag=True, help="Only those that your key has claimed.")
@click.option("--limit", type=click.IntRange(1, 100), default=20, show_default=True)
@click.option("--after", metavar="REVIEW", help="The last one of the page before.")
@json_option
@url_option
def list_reviews(*, as_json: bool, url: str, mine: bool, **wanted: Any) -> None:
    """List reviews, the most urgent first."""
    found = asked(url, "GET", "/api/reviews", query={**wanted, "mine": "true" if mine else None})
    none = "Nothing waits." if wanted["status"] != "decided" else "None are decided."
    print_page(found, _print_reviews, as_json=as_json, none=none)


def _print_reviews(found: list[dict[str, Any]]) -> None:
    print_table(
        [
            Column("review"), Column("kind"), Column("about"), Column("why"), Column("for"),
            Column("status"), Column("due"),
        ],
        [_row(review) for review in found],
    )  # fmt: skip


@reviews.command()
@click.argument("review")
@json_option
@url_option
def show(*, review: str, as_json: bool, url: str) -> None:
    """Show a review with all that is needed to decide it."""
    _print(asked(url, "GET", f"/api/reviews/{quote(review, safe='')}"), as_json=as_json)


@reviews.command()
@click.argument("review")
@_version
@json_option
@url_option
def claim(*, review: str, version: int | None, as_json: bool, url: str) -> None:
    """Keep others from a review for a while."""
    found = _post(url, review, "claim", {"version": version})
    if as_json:
        print_json(found)
    else:
        note(f"Yours until {_time(found['claimed_until'])} UTC, version {found['version']}.")


@reviews.command()
@click.argument("review")
@_version
@json_option
@url_option
def release(*, review: str, version: int | None, as_json: bool, url: str) -> None:
    """Let others have a review again."""
    found = _post(url, review, "release", {"version": version})
    if as_json:
        print_json(found)
    else:
        note(f"Released, version {found['version']}.")


@reviews.command(
    examples=(
        "headgate reviews decide rev_0660c4a0… approve",
        "headgate reviews decide rev_0660c4a0… edit --output mended.json",
        "headgate reviews decide rev_0660c4a0… reject --note 'not our customer'",
        "headgate reviews decide rev_0660c4a0… escalate --to leads",
        "headgate reviews decide rev_0660c4a0… approve --usd 25",
        "headgate reviews decide rev_0660c4a0… edit --output arguments.json",
    )
)
@click.argument("review")
@click.argument("decision", type=click.Choice(get_args(Decision)))
@click.option(
    "--output",
    metavar="FILE|-",
    help="With edit: the whole output as JSON, of an action its arguments; `-` reads it in.",
)
@click.option("--note", help="Why; kept with the review.")
@click.option("--to", metavar="GROUP", help="With escalate: the group that it goes to.")
@click.option("--usd", metavar="AMOUNT", help="Approving more money: how much, in this window.")
@_version
@json_option
@url_option
def decide(
    *,
    review: str,
    decision: Decision,
    output: str | None,
    version: int | None,
    as_json: bool,
    url: str,
    **more: str | None,
) -> None:
    """Approve a draft, send an edited one, reject it, or give it to others.

    Of an action, approve sends it, edit sends it with the arguments in --output, and reject does
    not. Where nobody knows whether it was done, approve sends it again, edit says that it was done
    and what came of it, and reject that it was not.
    """
    if (output is not None) != (decision == "edit"):
        raise click.UsageError("--output goes with edit, and edit needs it")
    body: dict[str, Any] = {"decision": decision, "version": version, **more}
    if output is not None:
        inputs, many = read_inputs(output)
        if many:
            raise click.UsageError(f"{output} holds a list; an output is one object")
        body["output"] = inputs[0]
    found = _post(url, review, "decision", body)
    if as_json:
        print_json(found)
    elif found["decision"] is None:
        note(f"{found['id']} is for the group {found['may_decide']['reviewers']} now.")
    else:
        about = f"; run {found['run_id']}" if found["run_id"] else ""
        if found["action"] is not None:
            about = f": {actions.decided(found)}{about} goes on"
        note(f"{found['id']}: {found['decision'].replace('_', ' ')}{about}")


@reviews.command(examples=("headgate reviews case rev_0660c4a0… >> workflows/NAME/cases.yaml",))
@click.argument("review")
@json_option
@url_option
def case(*, review: str, as_json: bool, url: str) -> None:
    """Print a decision as an evaluation case, an entry for the workflow's cases.yaml."""
    found = _post(url, review, "case", {})
    if as_json:
        print_json(found["case"])
    else:
        click.echo(found["yaml"], nl=False)


@reviews.command(
    examples=("headgate reviews signals", "headgate reviews signals --workflow ticket-triage")
)
@click.option("--since", default="30d", show_default=True, help="How long ago, or a date in UTC.")
@click.option("--workflow", help="Only this workflow's.")
@click.option("--project", help="Only this project's.")
@json_option
@url_option
def signals(
    *, since: str, workflow: str | None, project: str | None, as_json: bool, url: str
) -> None:
    """Show how often people agree with what workflows draft, by version."""
    query = {"since": since, "workflow": workflow, "project": project}
    found = asked(url, "GET", "/api/reviews/signals", query=query)
    if as_json:
        print_json(found)
        return
    if not found["data"]:
        note("Nothing was decided since then.")
        return
    print_table(
        [
            Column("workflow or guard"), Column("version"),
            *(
                Column(title, "right")
                for title in (
                    "decisions", "accepted", "edited", "overridden", "words changed",
                    "hours to decide", "by deadline",
                )
            ),
        ],
        [_signals_row(one) for one in found["data"]],
    )  # fmt: skip


def _signals_row(one: dict[str, Any]) -> list[str]:
    seconds = one["median_seconds_to_decision"]
    return [
        one["workflow"] or one["guard"] or "",
        one["version"] or "",
        str(one["decisions"]),
        *(_share(one[name]) for name in ("acceptance_rate", "edit_rate", "override_rate")),
        _share(one["mean_edit_share"]),
        "" if seconds is None else f"{seconds / _HOUR_S:.1f}",
        str(one["by_deadline"]),
    ]


def _share(value: float | None) -> str:
    return "" if value is None else f"{value:.0%}"


def _post(url: str, review: str, what: str, body: dict[str, Any]) -> Any:
    sent = {name: value for name, value in body.items() if value is not None}
    return asked(url, "POST", f"/api/reviews/{quote(review, safe='')}/{what}", sent)


def _row(review: dict[str, Any]) -> list[str]:
    return [
        review["id"],
        review["kind"],
        _about(review),
        ", ".join(f"{r['code']} {r['detail']}".strip() for r in review["reasons"]),
        _whom(review),
        (review["decision"] or review["status"]).replace("_", " "),
        _due(review["clock"]),
    ]


def _about(review: dict[str, Any]) -> str:
    if review["budget"] is not None:
        return f"{review['budget']['rule']} ({review['budget']['subject']})"
    if review["guard"] is not None:
        return f"{review['guard']['guard']}, call {review['guard']['call_id']}"
    workflow = f"{review['workflow']} {review['workflow_version']}"
    if review["action"] is not None:
        return f"{actions.asked(review['action'])} {workflow}"
    return workflow


def _whom(review: dict[str, Any]) -> str:
    may = review["may_decide"]
    return may["reviewers"] or ", ".join(may["roles"])


def _due(clock: dict[str, Any]) -> str:
    left_s = clock["seconds_left"]
    if left_s is None:
        return ""
    text = f"{abs(left_s) / _HOUR_S:.1f} h"
    if abs(left_s) >= 2 * _DAY_S:
        text = f"{abs(left_s) / _DAY_S:.1f} d"
    return f"in {text}" if left_s >= 0 else f"{text} ago"


def _time(seconds: float | None) -> str:
    return "" if seconds is None else f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M}"


def _print(review: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        print_json(review)
        return
    clock, may = review["clock"], review["may_decide"]
    rows = [
        ["kind", review["kind"]],
        ["about", _about(review)],
        ["status", (review["decision"] or review["status"]).replace("_", " ")],
        ["version", str(review["version"])],
        ["run", review["run_id"] or ""],
        ["asked by", f"{review['requested_by']}, {_time(review['created_at'])} UTC"],
        ["for", _whom(review) + (", not whoever asked" if may["four_eyes"] else "")],
        ["you may decide", "yes" if may["you"] else "no"],
        ["due", f"{_due(clock)}, then {clock['then']}" if clock["due_at"] else "never"],
        ["in hand of", review["claimed_by"] or "nobody"],
    ]
    rows += [["why", one["text"] or f"{one['code']} {one['detail']}"] for one in review["reasons"]]
    if review["decided_by"] is not None:
        rows.append(["decided by", f"{review['decided_by']}, {_time(review['decided_at'])} UTC"])
    if review["budget"] is not None:
        rows += [
            [name.replace("_", " "), str(value)]
            for name, value in review["budget"].items()
            if value is not None and name not in ("rule", "subject")
        ]
    action = review["action"]
    if action is not None and action["state"] is not None:
        rows.append(["action", f"{action['id']}, {action['state']}"])
    print_table([Column("review"), Column(review["id"])], rows)
    for part in ("input", "context", "draft", "output"):
        if review[part] is not None:
            title = part if action is None else _OF_ACTIONS.get(part, part)
            click.echo(f"{title}\n{actions.json_lines(review[part])}\n")
        if part == "draft" and action is not None:
            actions.print_sent(action)
    if action is not None and review["decision"] is None:
        actions.print_choices(review)
    for event in review["events"]:
        said = f": {printable(event['note'])}" if event["note"] else ""
        detail = f" ({event['detail']})" if event["detail"] else ""
        click.echo(f"{_time(event['at'])}  {event['what']}{detail} by {event['actor']}{said}")
