"""docs/how-to/connect-your-data.md is right: its project loads, and runs as the page says."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from headgate.cli.check import check_project
from headgate.config.load import load_settings
from headgate.context.connectors import Connectors
from headgate.storage import Database
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.repository import RunRepository
from headgate.workflows.run import Run
from headgate.workflows.runner import Runner
from scripted_workflows import ScriptedModel, order
from upstreams import Upstream, reply, upstream_running

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "connect-your-data.md"
FILE = re.compile(
    r"<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
ACCOUNT = {
    "name": "Orrin", "seats": 8, "contract": {"end": "2027-01-09"}, "rating": "C",
    "owner": {"name": "Jonas", "phone": "555"},
}  # fmt: skip
ROWS = [
    ("acc-1", "INV-1", "2026-02-09", 10.0, "overdue"),
    ("acc-2", "INV-2", "2026-02-09", 10.0, "paid"),
]
BRIEF = {"summary": "s", "risks": [{"risk": "r", "source": "invoices[0].status"}]}


@pytest.fixture
def crm() -> Iterator[Upstream]:
    with upstream_running() as running:
        running.answers("/v1/accounts/acc-1", reply({"data": {"account": ACCOUNT}}))
        yield running


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "workflows" / "brief"
    folder.mkdir(parents=True)
    for found in FILE.finditer(PAGE.read_text("utf-8")):
        place = tmp_path if found["name"] == "headgate.yaml" else folder
        (place / found["name"]).write_text(found["text"], "utf-8")
    with closing(sqlite3.connect(tmp_path / "billing.db")) as connection:
        connection.execute("CREATE TABLE invoices (account_id, number, due_on, amount_usd, status)")
        connection.executemany("INSERT INTO invoices VALUES (?, ?, ?, ?, ?)", ROWS)
        connection.commit()
    return tmp_path


@pytest.fixture
async def runner(project: Path, crm: Upstream, sqlite_url: str):
    settings = load_settings(project, {"CRM_URL": crm.base_url, "CRM_TOKEN": "t"})
    database = Database(sqlite_url)
    connectors = Connectors(settings.connectors, project)

    def build(*answers: Any) -> Runner:
        return Runner(
            Catalogue.load(project, settings.connectors),
            ScriptedModel(*answers),
            RunRepository(database),
            str,
            connectors=connectors,
        )

    yield build
    await connectors.close()
    database.close()


async def run(runner: Runner, account: str = "acc-1") -> Run:
    return await runner.run(order(workflow="brief", input={"account_id": account}))


def test_headgate_check_finds_nothing_wrong_with_it(project, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    found = check_project(project)
    assert (found.problems, found.warnings) == ((), ())


async def test_a_run_is_given_what_the_page_says_and_nothing_else(runner, crm):
    made = runner(BRIEF)
    done = await run(made)
    assert done.context == {
        "crm": {"name": "Orrin", "seats": 8, "renewal_date": "2027-01-09", "owner": "Jonas"},
        "invoices": [{"number": "INV-1", "due_on": "2026-02-09", "status": "overdue"}],
    }
    said = made.model.bodies[0]["messages"][-1]["content"]
    assert said.split("\n")[-1] == (
        "- [invoices[0].status] Invoice INV-1, due on 2026-02-09, is overdue."
    )
    assert not any(word in said for word in ("rating", "555", "INV-2"))
    assert crm.wait_for("/v1/accounts/acc-1").header("authorization") == "Bearer t"


async def test_a_made_up_source_is_asked_again_with_those_there_are(runner):
    made_up = BRIEF | {"risks": [{"risk": "r", "source": "crm.rating"}]}
    made = runner(made_up, BRIEF)
    done = await run(made)
    asked = made.model.bodies[1]["messages"][-1]["content"]
    assert "risks[0].source: must name a source" in asked
    assert "crm.renewal_date" in asked
    checks = [step.verdict for step in done.steps if step.kind == "rules"]
    assert checks == ["failed", "passed"]


async def test_the_errors_are_those_of_the_table(runner, crm, project):
    for script, status, code in (
        (reply({}, status=503), 503, "context_unavailable"),
        (reply({"data": {"account": {}}}), 502, "context_unavailable"),
        (reply({}, status=404), 404, "context_not_found"),
    ):
        crm.answers("/v1/accounts/acc-2", script)
        failed = await run(runner(BRIEF), "acc-2")
        assert (failed.error.status, failed.error.code) == (status, code)
    (project / "billing.db").unlink()
    done = await run(runner(BRIEF | {"risks": []}))
    assert "invoices" not in done.context
