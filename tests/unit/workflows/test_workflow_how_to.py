"""The workflow of docs/how-to/write-a-workflow.md is one: it loads, runs and keeps its rules."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from headgate.workflows.folder import load_workflow
from scripted_workflows import order

PAGE = Path(__file__).parents[3] / "docs" / "how-to" / "write-a-workflow.md"
FILE = re.compile(
    r"<!-- file: (?P<name>\S+) -->\n```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
ANSWER = {"summary": "Has sold  tools.", "years_of_experience": None, "department": "sales"}


@pytest.fixture
def letters(project: Path) -> Path:
    folder = project / "workflows" / "letter-filing"
    folder.mkdir()
    for found in FILE.finditer(PAGE.read_text("utf-8")):
        (folder / found["name"]).write_text(found["text"], "utf-8")
    return folder


def letter(text: str):
    return order(workflow="letter-filing", input={"letter": text})


def test_the_page_shows_every_file_and_they_load(letters):
    names = {path.name for path in letters.iterdir()}
    assert names == {
        "workflow.yaml", "prompt.md", "input.schema.json", "output.schema.json", "rules.py",
    }  # fmt: skip
    assert load_workflow(letters).settings.owner == "people-team"


async def test_it_runs_amends_and_asks_again_as_the_page_says(letters, runner_with):
    runner = runner_with(ANSWER | {"years_of_experience": 6}, ANSWER)
    run = await runner.run(letter("I sold tools."))
    assert run.output == ANSWER | {"summary": "Has sold tools."}
    asked = runner.model.bodies[1]["messages"][-1]["content"]
    assert "years_of_experience: must be null" in asked


async def test_its_declared_rules_hold_as_the_page_says(letters, runner_with):
    runner = runner_with(ANSWER | {"department": "operations"}, ANSWER)
    given = {"letter": "I sold tools.", "position": "sales representative"}
    run = await runner.run(order(workflow="letter-filing", input=given))
    assert run.output["department"] == "sales"
    asked = runner.model.bodies[1]["messages"][-1]["content"]
    assert "department: whoever applies to sales" in asked


async def test_it_falls_back_as_the_page_says(letters, runner_with):
    run = await runner_with("no JSON").run(letter("I sold tools for six years."))
    assert run.fallback is True
    assert run.output["department"] == "unclear"
