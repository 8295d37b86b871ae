"""Actions on a real server: what a model wants done, a person decides, and a service does."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from headgate.cli.init import write_example
from headgate.cli.sample_services import sample_services
from servers import ADMIN_KEY, Reply, RunningServer, end_server, start_server, until

URGENT = "Since 8 this morning the login page answers 503 for everybody in our office."
QUIET = "Could you add a dark mode to the dashboard? It would be nice. No hurry."
PATH = "/api/workflows/ticket-intake/runs"


class Desk:
    """The example's server with its sample services, which all tests here share."""

    def __init__(self, server: RunningServer, addresses: dict[str, str]) -> None:
        self.server = server
        self._tickets_url = addresses["TICKETS_URL"]

    def open(self, customer: str, message: str, **options: Any) -> Reply:
        """What a message is answered with."""
        given = {"customer_id": customer, "message": message}
        return self.server.post(PATH, {"input": given}, **options)

    def decide(self, review_id: str, decision: str, **more: Any) -> Reply:
        return self.server.post(
            f"/api/reviews/{review_id}/decision", {"decision": decision, **more}
        )

    def ended(self, run_id: str) -> dict[str, Any]:
        """The run, once it has ended."""
        found: dict[str, Any] = {}

        def look() -> bool:
            found.update(self.server.get(f"/api/runs/{run_id}").json())
            return found["status"] in ("completed", "rejected", "failed")

        assert until(look, 15), found
        return found

    def tickets(self, customer: str) -> list[dict[str, Any]]:
        """What the ticket service has of a customer."""
        url = f"{self._tickets_url}/tickets?customer_id={customer}"
        with urllib.request.urlopen(url) as answer:
            found: list[dict[str, Any]] = json.load(answer)["tickets"]
        return found


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("actions") / "example"
    write_example(folder)
    with sample_services(folder) as addresses:
        server = start_server(folder, env=addresses)
        yield Desk(server, addresses)
        end_server(server)


def test_a_ticket_that_needs_nobody_is_opened_while_its_caller_waits(desk: Desk):
    answer = desk.open("C-2001", QUIET)
    assert answer.status == 200
    (ticket,) = desk.tickets("C-2001")
    assert answer.json()["output"]["ticket_id"] == ticket["id"]
    assert ticket["priority"] == "low"


def test_an_urgent_one_waits_for_a_person_and_is_opened_once_after(desk: Desk):
    answer = desk.open("C-2002", URGENT)
    run = answer.json()
    assert (answer.status, run["status"], run["output"]) == (202, "awaiting_review", None)
    assert answer.headers["location"] == f"/api/runs/{run['id']}"
    assert desk.tickets("C-2002") == []
    review = desk.server.get(f"/api/reviews/{run['review_id']}").json()
    assert review["kind"] == "action"
    assert review["draft"]["customer_id"] == "C-2002"
    assert desk.decide(review["id"], "approve").status == 200
    assert desk.decide(review["id"], "approve").status == 409
    ended = desk.ended(run["id"])
    (ticket,) = desk.tickets("C-2002")
    assert (ended["status"], ended["output"]["ticket_id"]) == ("completed", ticket["id"])
    assert ticket["description"] == review["draft"]["description"]


def test_what_a_person_changed_is_what_is_sent(desk: Desk):
    run = desk.open("C-2003", URGENT).json()
    review = desk.server.get(f"/api/reviews/{run['review_id']}").json()
    wrong = {**review["draft"], "priority": "whenever"}
    refused = desk.decide(review["id"], "edit", output=wrong)
    assert (refused.status, refused.error["param"]) == (400, "output.priority")
    mended = {**review["draft"], "title": "Login answers 503", "priority": "high"}
    assert desk.decide(review["id"], "edit", output=mended).status == 200
    assert desk.ended(run["id"])["status"] == "completed"
    (ticket,) = desk.tickets("C-2003")
    assert (ticket["title"], ticket["priority"]) == ("Login answers 503", "high")


def test_what_a_person_refuses_is_never_sent(desk: Desk):
    run = desk.open("C-2004", URGENT).json()
    assert desk.decide(run["review_id"], "reject", note="a duplicate").status == 200
    ended = desk.ended(run["id"])
    assert (ended["status"], ended["output"]["ticket_id"]) == ("completed", None)
    assert desk.tickets("C-2004") == []


def test_the_same_request_again_is_the_same_run_and_the_same_ticket(desk: Desk):
    key = {"idempotency-key": "twice"}
    first, second = (desk.open("C-2005", QUIET, headers=key) for _ in range(2))
    assert first.json()["id"] == second.json()["id"]
    assert second.headers["idempotency-replayed"] == "true"
    assert len(desk.tickets("C-2005")) == 1


def test_what_the_input_lacks_is_asked_for_and_nothing_is_made_up(desk: Desk):
    answer = desk.server.post(PATH, {"input": {"message": QUIET}})
    assert (answer.status, answer.error["code"]) == (422, "clarification_needed")
    assert answer.error["param"] == "input.customer_id"


def test_an_sdk_opens_tickets_too_and_is_told_when_a_person_must_look(desk: Desk):
    with openai.OpenAI(
        base_url=f"{desk.server.address}/v1", api_key=ADMIN_KEY, max_retries=0
    ) as client:
        ask = json.dumps({"customer_id": "C-2006", "message": QUIET})
        answer = client.responses.create(model="workflow:ticket-intake", input=ask)
        assert json.loads(answer.output_text)["ticket_id"] == desk.tickets("C-2006")[0]["id"]
        urgent = json.dumps({"customer_id": "C-2007", "message": URGENT})
        with pytest.raises(openai.UnprocessableEntityError) as caught:
            client.responses.create(model="workflow:ticket-intake", input=urgent)
    assert caught.value.code == "awaiting_review"
    assert desk.tickets("C-2007") == []


def test_a_brief_is_filed_only_when_its_owner_has_approved_it(desk: Desk):
    path = "/api/workflows/renewal-brief/runs"
    run = desk.server.post(path, {"input": {"account_id": "acc-1001"}}).json()
    assert run["status"] == "awaiting_review"
    review = desk.server.get(f"/api/reviews/{run['review_id']}").json()
    assert review["kind"] == "output"
    edited = {**review["draft"], "summary": "They will renew if the outage is explained."}
    assert desk.decide(review["id"], "edit", output=edited).status == 200
    ended = desk.ended(run["id"])
    assert (ended["status"], ended["output"]) == ("completed", edited)
    (action,) = ended["actions"]
    assert (action["tool"], action["state"]) == ("file_brief", "done")
    assert action["arguments"]["summary"] == edited["summary"]
    assert action["result"]["account_id"] == "acc-1001"
