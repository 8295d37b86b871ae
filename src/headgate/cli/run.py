"""`headgate run`: one input or many through a workflow of a running server."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import click
import msgspec

from headgate.cli.api_client import ApiClient, asked, error_message, url_option
from headgate.cli.examples import Command
from headgate.cli.file_run import Asking, FileRun
from headgate.cli.input_file import read_inputs
from headgate.cli.output import Column, json_option, note, print_json, print_table, progress
from headgate.cli.shown.steps import print_steps
from headgate.errors import HeadgateError
from headgate.ledger.money import shown_usd

_NANO = 1_000_000_000

_REFUSED_TO_ALL = frozenset({401, 403, 404})
"""What is wrong with the key or the workflow's name is wrong with every input."""


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one input."""

    run: dict[str, Any] | None
    """The run as the server shows it; None where there is none, or it failed."""
    status: int
    run_id: str | None
    error: str | None

    def as_json(self) -> Any:
        """For `--json`."""
        if self.run is not None:
            return self.run
        return {"id": self.run_id, "http_status": self.status, "error": {"message": self.error}}


@click.command(
    cls=Command,
    examples=(
        "headgate run ticket-triage --input ticket.json",
        "headgate run ticket-triage --input inputs/tickets.jsonl --concurrency 8",
        "headgate run ticket-triage --input inputs/tickets.jsonl --out results.jsonl",
        'echo \'{"title": "…", "text": "…"}\' | headgate run report-summary --input - --json',
    ),
)
@click.argument("workflow")
@click.option(
    "--input", "path", required=True, metavar="FILE|-",
    help="A JSON object, a list of them, or one a line; a .csv with a line of names; `-` reads"
    " standard input.",
)  # fmt: skip
@click.option(
    "--out", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write a JSON line for each input, in their order; run again, it goes on where it was.",
)  # fmt: skip
@url_option
@click.option("--feature", help="What the cost is for, in the usage figures.")
@click.option("--user", help="The end user on whose behalf; only a keyed hash is kept.")
@click.option("--idempotency-key", metavar="KEY", help="The same key gives the same run again.")
@click.option(
    "--header", "-H", "headers", multiple=True, metavar="NAME:VALUE",
    help="A further header, such as 'x-simulator-fault: 500 first'; repeatable.",
)  # fmt: skip
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=4, show_default=True,
    help="Runs under way at once, where there are many inputs.",
)  # fmt: skip
@json_option
def run(
    *,
    workflow: str,
    path: str,
    out: Path | None,
    url: str,
    feature: str | None,
    user: str | None,
    idempotency_key: str | None,
    headers: tuple[str, ...],
    concurrency: int,
    as_json: bool,
) -> int:
    """Run WORKFLOW on an input, or on many, and show what came of it.

    Asks a running server with the key in HEADGATE_API_KEY, or else HEADGATE_ADMIN_KEY. The exit
    status is 1 if a run failed.
    """
    inputs, many = read_inputs(path)
    sent = _headers(headers, feature, user, idempotency_key, many=many or out is not None)
    if out is not None:
        return _run_file(workflow, inputs, out, Asking(url, _path(workflow), sent), concurrency)
    results = list(progress(_results(workflow, inputs, url, sent, concurrency), len(inputs)))
    if as_json:
        print_json([r.as_json() for r in results] if many else results[0].as_json())
    elif many:
        _print_many(results)
    else:
        _print_one(results[0], url)
    return 1 if any(result.run is None for result in results) else 0


def _run_file(
    workflow: str, inputs: list[dict[str, Any]], out: Path, ask: Asking, concurrency: int
) -> int:
    whole = FileRun(workflow, inputs, out)
    if whole.earlier:
        note(f"{len(whole.earlier)} of {len(inputs)} rows are there already")
    left = len(inputs) - len(whole.earlier)
    done = [*whole.earlier, *progress(whole.results(ask, concurrency), left)]
    failed = sum(result.status == "failed" for result in done)
    waiting = sum(result.status == "awaiting_review" for result in done)
    costs = [result.cost_usd for result in done if result.status != "failed"]
    note(
        f"{len(done)} rows in {out}: {len(done) - failed - waiting} completed, {failed} failed"
        + (f", {waiting} waiting for a person" if waiting else "")
        + f"; {_together(costs)}"
    )
    return 1 if failed else 0


def _headers(
    further: tuple[str, ...],
    feature: str | None,
    user: str | None,
    idempotency_key: str | None,
    *,
    many: bool,
) -> dict[str, str]:
    headers: dict[str, str] = {}
    for text in further:
        name, colon, value = text.partition(":")
        if not colon or not name.strip() or not text.isprintable():
            raise click.UsageError(f"--header {text!r} is not NAME:VALUE")
        headers[name.strip().lower()] = value.strip()
    if feature is not None:
        headers["x-headgate-feature"] = feature
    if user is not None:
        headers["x-headgate-user"] = user
    if idempotency_key is not None:
        if many:
            raise click.UsageError("--idempotency-key is for one input; the file has a list")
        headers["idempotency-key"] = idempotency_key
    return headers


def _results(
    workflow: str,
    inputs: list[dict[str, Any]],
    url: str,
    headers: dict[str, str],
    concurrency: int,
) -> Iterator[Result]:
    """In the order of the inputs, each as soon as it and those before it are there."""
    mine = threading.local()
    clients: list[ApiClient] = []
    path = _path(workflow)

    def one(given: dict[str, Any]) -> Result:
        if not hasattr(mine, "client"):
            mine.client = ApiClient(url)
            clients.append(mine.client)
        status, answer, told = mine.client.post(path, {"input": given}, headers)
        run_id = told.get("x-headgate-run-id")
        if status in (200, 202):
            return Result(run=answer, status=status, run_id=run_id, error=None)
        message = error_message(answer, status)
        if status in _REFUSED_TO_ALL:
            raise HeadgateError(message)
        return Result(run=None, status=status, run_id=run_id, error=message)

    threads = ThreadPoolExecutor(min(concurrency, len(inputs)) or 1)
    try:
        yield from threads.map(one, inputs)
    finally:
        threads.shutdown(cancel_futures=True)
        for client in clients:
            client.close()


def _path(workflow: str) -> str:
    return f"/api/workflows/{quote(workflow, safe='')}/runs"


def _print_one(result: Result, url: str) -> None:
    if result.run is None:
        note(f"headgate: {result.error}")
        if result.run_id:
            _print_failed(result.run_id, url)
        return
    run = result.run
    if run["status"] == "awaiting_review":
        note(f"{run['id']} waits for a person: headgate reviews show {run['review_id']}")
        print_steps(run)
        return
    print_json(run["output"])
    notes = "the declared fallback, not a model's answer" if run["fallback"] else ""
    told = ", ".join(filter(None, [run["status"], notes, _cost(run), _seconds(run)]))
    note(f"\n{run['workflow']} {run['version']}: {told}\n{run['id']}\n")
    print_steps(run)


def _print_failed(run_id: str, url: str) -> None:
    """The steps of a run that failed, or where they can be seen."""
    try:
        run = asked(url, "GET", f"/api/runs/{quote(run_id, safe='')}")
    except HeadgateError:
        note(f"headgate: its steps: GET /api/runs/{run_id}")
        return
    note(f"{run_id}\n")
    print_steps(run)


def _print_many(results: list[Result]) -> None:
    rows = []
    for number, result in enumerate(results, 1):
        run = result.run
        if run is None:
            rows.append([str(number), "failed", "", "", result.run_id or "", result.error or ""])
            continue
        fell_back = run["fallback"] and run["status"] == "completed"
        status = "fallback" if fell_back else run["status"]
        if run["status"] == "awaiting_review":
            output = run["review_id"]
        else:
            output = msgspec.json.encode(run["output"]).decode()
        rows.append([str(number), status, _cost(run), _seconds(run), run["id"], _shortened(output)])
    print_table(
        [Column("#", "right"), Column("status"), Column("cost", "right"), Column("time", "right"),
         Column("run"), Column("output, or the review that it waits for")],
        rows,
    )  # fmt: skip
    done = [result.run for result in results if result.run is not None]
    costs = [run["cost_usd"] for run in done]
    waiting = sum(run["status"] == "awaiting_review" for run in done)
    failed = len(results) - len(done)
    note(
        f"{sum(run['status'] == 'completed' for run in done)} of {len(results)} completed,"
        f" {sum(bool(run['fallback']) for run in done)} by fallback"
        + (f", {waiting} waiting for a person" if waiting else "")
        + (f", {failed} failed" if failed else "")
        + f"; {_together(costs)}"
    )


def _together(costs: list[str | None]) -> str:
    known = sum((int(Decimal(cost) * _NANO) for cost in costs if cost is not None), 0)
    unpriced = costs.count(None)
    return shown_usd(known) + (f" and {unpriced} unpriced" if unpriced else "")


def _cost(run: dict[str, Any]) -> str:
    cost = run["cost_usd"]
    return shown_usd(None if cost is None else int(Decimal(cost) * _NANO))


def _seconds(run: dict[str, Any]) -> str:
    # One that waits for a person has not ended, so it has taken no time yet.
    return "" if run["latency_ms"] is None else f"{run['latency_ms'] / 1e3:.2f} s"


def _shortened(text: str, characters_at_most: int = 80) -> str:
    return text if len(text) <= characters_at_most else f"{text[: characters_at_most - 1]}…"
