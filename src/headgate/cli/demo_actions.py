"""The second half of `headgate demo`: models that act, a person who approves, a server that dies.

Messages go through `ticket-intake`, whose model opens tickets in the example's ticket service. One
of them waits for a person; the server is killed while others are under way, and started again.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from headgate.cli.api_client import ApiClient, error_message
from headgate.cli.demo_server import DemoServer
from headgate.cli.output import Column, print_table
from headgate.errors import UnavailableError

WORKFLOW = "ticket-intake"
AT_THE_CRASH = 8
"""Runs that are under way when the server is killed."""

_LOOK_EVERY_S = 0.2
_PATIENCE_S = 60.0
_MESSAGE_CHARACTERS = 52

Say = Callable[[str], None]


class Acts(msgspec.Struct, frozen=True, kw_only=True):
    """What came of the messages, and of the crash."""

    messages: list[dict[str, Any]]
    """The run of each, or its error, as `{"status", "error"}`."""
    waiting: list[str]
    """The runs that wait for a person."""
    crashed: list[dict[str, Any]]
    """The runs that were under way when the server was killed, at their ends."""
    tickets: int
    """What the ticket service has of those."""

    @property
    def went_well(self) -> bool:
        """Whether every run that was taken has its one ticket."""
        return self.tickets == len(self.crashed) and all(
            run["status"] == "completed" for run in self.crashed
        )


def act(server: DemoServer, tickets_url: str, messages: Sequence[dict[str, Any]]) -> Acts:
    """Send the messages, then kill the server among other ones and start it again."""
    client = server.client()
    try:
        found = [_opened(client, message) for message in messages]
        waiting = [run["id"] for run in found if run["status"] == "awaiting_review"]
        before = len(_tickets(tickets_url))
        taken = [_taken(client, number) for number in range(AT_THE_CRASH)]
        _until(lambda: len(_tickets(tickets_url)) > before, "no ticket was opened")
    finally:
        client.close()
    server.kill()
    server.start()
    client = server.client()
    try:
        crashed = [_ended(client, run_id) for run_id in taken]
    finally:
        client.close()
    ours = [one for one in _tickets(tickets_url) if str(one["customer_id"]).startswith("C-9")]
    return Acts(messages=found, waiting=waiting, crashed=crashed, tickets=len(ours))


def show(acts: Acts, messages: Sequence[dict[str, Any]], say: Say) -> None:
    """Tell what came of it."""
    say(f"{len(messages)} messages through {WORKFLOW}, whose model may open tickets:")
    print_table(
        [Column("message"), Column("ticket"), Column("what became of it")],
        [
            [_shortened(given["message"]), *_became(run)]
            for given, run in zip(messages, acts.messages, strict=True)
        ],
    )
    again = "none twice" if acts.went_well else "NOT one for each"
    ends = ", ".join(
        f"{count} {status}" for status, count in Counter(r["status"] for r in acts.crashed).items()
    )
    say(
        f"{len(acts.crashed)} more were under way when the server was killed (kill -9). Started"
        f" again, it went on by itself: {ends}, {acts.tickets} tickets, {again}.\n"
    )


def approved(server: DemoServer, run_id: str, *, by_hand: bool, say: Say) -> dict[str, Any]:
    """The run after its action was approved: in the browser where somebody is there to do it."""
    client = server.client()
    try:
        run = client.asked("GET", f"/api/runs/{run_id}")
        if by_hand:
            say(
                f"Your turn: {server.url}/console/reviews/{run['review_id']}\n"
                f"  sign in with {server.key}\n"
                "  look at what would be sent, then approve it (or change or refuse it).\n"
                "Waiting for you; Ctrl-C goes on without."
            )
        else:
            client.post(f"/api/reviews/{run['review_id']}/decision", {"decision": "approve"}, {})
        return _ended(client, run_id, patience_s=float("inf") if by_hand else _PATIENCE_S)
    finally:
        client.close()


def _opened(client: ApiClient, message: dict[str, Any]) -> dict[str, Any]:
    status, answer, _ = client.post(f"/api/workflows/{WORKFLOW}/runs", {"input": message}, {})
    if status in (200, 202):
        return dict(answer)
    return {"status": "failed", "error": error_message(answer, status)}


def _taken(client: ApiClient, number: int) -> str:
    message = f"How do I change the language of the weekly mail for account {number}? No hurry."
    given = {"customer_id": f"C-9{number:03d}", "message": message}
    status, answer, _ = client.post(
        f"/api/workflows/{WORKFLOW}/runs", {"input": given}, {"prefer": "respond-async"}
    )
    if status != 202:
        raise UnavailableError(error_message(answer, status))
    return str(answer["id"])


def _ended(client: ApiClient, run_id: str, patience_s: float = _PATIENCE_S) -> dict[str, Any]:
    deadline_s = time.monotonic() + patience_s
    while True:
        run: dict[str, Any] = client.asked("GET", f"/api/runs/{run_id}")
        if run["status"] in ("completed", "rejected", "failed") or time.monotonic() > deadline_s:
            return run
        time.sleep(_LOOK_EVERY_S)


def _tickets(url: str) -> list[dict[str, Any]]:
    client = ApiClient(url, {"HEADGATE_API_KEY": "-"})
    try:
        return list(client.asked("GET", "/tickets?limit=200")["tickets"])
    finally:
        client.close()


def _until(true: Callable[[], bool], otherwise: str) -> None:
    deadline_s = time.monotonic() + _PATIENCE_S
    while not true():
        if time.monotonic() > deadline_s:
            raise UnavailableError(otherwise)
        time.sleep(0.02)


def _became(run: dict[str, Any]) -> Iterator[str]:
    if run["status"] == "awaiting_review":
        yield from ("", "waits: a person must approve the ticket before it is opened")
    elif run["status"] == "completed":
        yield from (str(run["output"]["ticket_id"] or ""), "done")
    else:
        yield from ("", str(run["error"]))


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    if len(text) <= _MESSAGE_CHARACTERS:
        return text
    return f"{text[: _MESSAGE_CHARACTERS - 1]}…"


def show_approved(run: dict[str, Any], *, by_hand: bool, say: Say) -> None:
    """Tell what came of the run that waited."""
    who = "You decided" if by_hand else "The one that waited was approved"
    ticket = (run.get("output") or {}).get("ticket_id")
    then = f"ticket {ticket} was opened" if ticket else "no ticket was opened"
    say(f"{who}; it waited through the crash, and then {then}: the run is {run['status']}.\n")
