"""`headgate demo`: the main job from end to end, on the example project and the simulator."""

from __future__ import annotations

import contextlib
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from headgate.cli.api_client import ApiClient, error_message
from headgate.cli.demo_actions import Acts, act, approved, show, show_approved
from headgate.cli.demo_server import DemoServer
from headgate.cli.examples import Command
from headgate.cli.init import write_example
from headgate.cli.input_file import read_inputs
from headgate.cli.output import Column, print_json, print_table, progress
from headgate.cli.sample_services import sample_services
from headgate.ledger.money import shown_usd

_NANO = 1_000_000_000
_AT_ONCE = 4
_TICKETS_TAKE_S = "0.1"
"""So that some are under way when the server is killed."""

_FAULT = "503 first"
_INPUTS = {
    "ticket-triage": "tickets",
    "report-summary": "reports",
    "renewal-brief": "accounts",
}
"""What goes through which workflow; the first is where a failure is injected."""

_SDK_CALL = (
    "from openai import OpenAI; print(OpenAI().responses.create("
    'model="gpt-4.1-mini", input="Say hello").output_text)'
)


class DemoRun(msgspec.Struct, frozen=True, kw_only=True):
    """One input of the demo and what came of it."""

    workflow: str
    input: dict[str, Any]
    run: dict[str, Any]


@click.command(
    cls=Command, examples=("headgate demo", "headgate demo --keep", "headgate demo --json")
)
@click.option(
    "--keep/--no-keep", default=None,
    help="Leave the server running until Ctrl-C; by default only in a terminal.",
)  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print every run as JSON, for programs.")
def demo(*, keep: bool | None, as_json: bool) -> int:
    """See the whole way of a request: tickets and reports in, checked and priced answers out.

    Then models act: they open tickets, one after a person's approval, and a server that is killed
    goes on where it was. All in a folder of its own, with the example project and the simulator;
    it needs no key and no network. The exit status is 1 if a run failed.
    """
    stays = sys.stdout.isatty() if keep is None else keep
    with _ended_in_order(), tempfile.TemporaryDirectory(prefix="headgate-demo-") as made:
        folder = Path(made) / "project"
        write_example(folder)
        with sample_services(folder, "--slow-tickets", _TICKETS_TAKE_S) as addresses:
            server = DemoServer(folder, addresses)
            try:
                server.start()
                ok = _show(
                    server, addresses["TICKETS_URL"], as_json=as_json, stays=stays and not as_json
                )
            finally:
                server.stop()
    return 0 if ok else 1


@contextlib.contextmanager
def _ended_in_order() -> Iterator[None]:
    """Within, SIGTERM ends the demo as Ctrl-C does: with its server, its services and its folder.

    By itself it would leave them all behind, for nobody else knows of them.
    """

    def leave(*_: object) -> NoReturn:
        raise SystemExit(128 + signal.SIGTERM)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _show(server: DemoServer, tickets_url: str, *, as_json: bool, stays: bool) -> bool:
    say: Callable[[str], None] = (lambda _: None) if as_json else click.echo
    say(f"Headgate runs at {server.url}, on SQLite, with the example project.")
    say("No OpenAI key is used: the simulator answers, so no answer comes from a real model.\n")
    orders = [
        (workflow, given)
        for workflow, name in _INPUTS.items()
        for given in read_inputs(str(server.folder / "inputs" / f"{name}.jsonl"))[0]
    ]
    runs = [_decided(server, run) for run in progress(_runs(server, orders), len(orders))]
    recovered = _recover(server, orders[0])
    messages = read_inputs(str(server.folder / "inputs" / "messages.jsonl"))[0]
    acts = act(server, tickets_url, messages)
    if as_json:
        waited = [approved(server, run_id, by_hand=False, say=say) for run_id in acts.waiting]
        print_json([run.run for run in (*runs, recovered)] + acts.crashed + waited)
    else:
        _print_tickets([run for run in runs if run.workflow == "ticket-triage"])
        _print_reports([run for run in runs if run.workflow == "report-summary"])
        _print_briefs([run for run in runs if run.workflow == "renewal-brief"])
        _print_recovery(recovered)
        show(acts, messages, say)
        _decide(server, acts, by_hand=stays)
        _print_costs(server)
        _print_next(server, stays=stays)
    if stays:
        with contextlib.suppress(KeyboardInterrupt):
            server.wait()
    went_well = all(run.run.get("status") == "completed" for run in (*runs, recovered))
    return went_well and acts.went_well


def _decide(server: DemoServer, acts: Acts, *, by_hand: bool) -> None:
    """Have what waits approved, by whoever is there."""
    for run_id in acts.waiting:
        with contextlib.suppress(KeyboardInterrupt):
            run = approved(server, run_id, by_hand=by_hand, say=click.echo)
            show_approved(run, by_hand=by_hand, say=click.echo)


def _runs(server: DemoServer, orders: Sequence[tuple[str, dict[str, Any]]]) -> Iterator[DemoRun]:
    mine = threading.local()
    clients: list[ApiClient] = []

    def one(order: tuple[str, dict[str, Any]]) -> DemoRun:
        if not hasattr(mine, "client"):
            mine.client = server.client()
            clients.append(mine.client)
        return _run(mine.client, *order, {})

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        yield from threads.map(one, orders)
    for client in clients:
        client.close()


def _run(
    client: ApiClient, workflow: str, given: dict[str, Any], headers: dict[str, str]
) -> DemoRun:
    status, answer, _ = client.post(
        f"/api/workflows/{workflow}/runs",
        {"input": given},
        {"x-headgate-feature": "demo", **headers},
    )
    run = (
        answer
        if status in (200, 202)
        else {"status": "failed", "error": error_message(answer, status)}
    )
    return DemoRun(workflow=workflow, input=given, run=run)


def _recover(server: DemoServer, order: tuple[str, dict[str, Any]]) -> DemoRun:
    """One more run, whose first attempt the simulator is told to fail."""
    client = server.client()
    try:
        return _run(client, *order, {"x-simulator-fault": _FAULT})
    finally:
        client.close()


def _print_tickets(runs: Sequence[DemoRun]) -> None:
    click.echo(f"{len(runs)} tickets through ticket-triage:")
    rows = []
    for run in runs:
        output = run.run.get("output") or {}
        rows.append(
            [
                _shortened(run.input["subject"] or "(no subject)", 44),
                str(output.get("intent", run.run["status"])),
                str(output.get("severity", "")),
                str(output.get("queue", "")),
                _remark(run, output),
                _cost(run.run),
            ]
        )
    print_table(
        [Column("ticket"), Column("intent"), Column("severity"), Column("queue"), Column("remark"),
         Column("cost", "right")],
        rows,
    )  # fmt: skip


def _remark(run: DemoRun, output: dict[str, Any]) -> str:
    if run.run.get("error"):
        return _shortened(str(run.run["error"]), 40)
    if run.run.get("fallback"):
        return "fallback"
    if output.get("needs_clarification"):
        return "asks back"
    return "asked again" if len(run.run.get("calls", ())) > 1 else ""


def _print_reports(runs: Sequence[DemoRun]) -> None:
    click.echo(f"{len(runs)} reports through report-summary:")
    print_table(
        [Column("report"), Column("in short"), Column("cost", "right")],
        [
            [
                _shortened(run.input["title"], 30),
                _shortened((run.run.get("output") or {}).get("tldr", run.run["status"]), 70),
                _cost(run.run),
            ]
            for run in runs
        ],
    )


def _decided(server: DemoServer, run: DemoRun) -> DemoRun:
    """The run; one that waits for a person as it is when the demo has approved its draft."""
    if run.run["status"] != "awaiting_review":
        return run
    ended = approved(server, run.run["id"], by_hand=False, say=lambda _: None)
    return msgspec.structs.replace(run, run=ended)


def _print_briefs(runs: Sequence[DemoRun]) -> None:
    click.echo(
        f"{len(runs)} accounts through renewal-brief, from a sample CRM and a sample database; each"
        " brief\nwaited for a person, the demo approved it, and only then was it filed in the CRM:"
    )
    rows = []
    for run in runs:
        output, context = run.run.get("output") or {}, run.run.get("context") or {}
        risk = next(iter(output.get("risks", ())), {"risk": "no risk found", "source": ""})
        crm = context.get("crm", {})
        rows.append(
            [
                _shortened(str(crm.get("name", run.input["account_id"])), 24),
                str(crm.get("renewal_date", run.run["status"])),
                _shortened(risk["risk"], 56),
                risk["source"],
                _cost(run.run),
            ]
        )
    print_table(
        [Column("account"), Column("ends"), Column("first risk"), Column("known from"),
         Column("cost", "right")],
        rows,
    )  # fmt: skip


def _print_recovery(recovered: DemoRun) -> None:
    run = recovered.run
    attempts = sum(call["attempts"] for call in run.get("calls", ()))
    click.echo(
        "One failure was injected: the provider answered 503 to the first attempt of a run, which"
        f" {run['status']} all the same, after {attempts} attempts ({run.get('id', '')}).\n"
    )


def _print_costs(server: DemoServer) -> None:
    client = server.client()
    try:
        # The ledger is written in batches, at most a quarter of a second late.
        time.sleep(0.3)
        _, usage, _ = client.get("/api/usage?group_by=workflow&since=1h")
    finally:
        client.close()
    click.echo("What it used, from the ledger (prices as OpenAI's):")
    print_table(
        [Column("workflow"), Column("calls", "right"), Column("tokens in", "right"),
         Column("tokens out", "right"), Column("cost", "right")],
        [
            [
                str(row["group"].get("workflow", "total")), str(row["calls"]),
                str(row["input_tokens"]), str(row["output_tokens"]),
                shown_usd(row["cost_nanousd"]),
            ]
            for row in (*usage["data"], usage["total"])
        ],
    )  # fmt: skip


def _print_next(server: DemoServer, *, stays: bool) -> None:
    lines = ["What to try next:"]
    if stays:
        lines += [
            f"  export OPENAI_BASE_URL={server.url}/v1 OPENAI_API_KEY={server.key}",
            f"  python -c '{_SDK_CALL}'",
            f"  export HEADGATE_URL={server.url} HEADGATE_API_KEY={server.key}",
            f"  headgate run ticket-triage --input {server.folder}/inputs/tickets.jsonl",
            f"  curl {server.url}/metrics",
            "",
            f"The server runs at {server.url} until you press Ctrl-C.",
        ]
    else:
        lines += [
            "  headgate demo --keep            the same, and the server stays for you to try",
            "  headgate init support           an example project of your own",
            f"  HEADGATE_ADMIN_KEY={server.key} \\",
            "    headgate serve support        serves it at http://127.0.0.1:8800 with that key;",
            "                                  OPENAI_API_KEY=… makes the answers real",
        ]
    click.echo("\n".join(lines))


def _cost(run: dict[str, Any]) -> str:
    cost = run.get("cost_usd")
    return shown_usd(None if cost is None else int(Decimal(cost) * _NANO))


def _shortened(text: str, characters_at_most: int) -> str:
    text = " ".join(text.split())
    return text if len(text) <= characters_at_most else f"{text[: characters_at_most - 1]}…"
