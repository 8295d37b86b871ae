"""`headgate eval --pack injection`, as a workflow's owner runs it, against a gullible model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from scripted_workflows import FILES
from servers import headgate

OUTPUT = """{"type": "object", "properties": {"note": {"type": "string"}}, "required": ["note"],
"additionalProperties": false}"""

GUARDED = """
guards:
  injected: { injection: { threshold: 50, spotlight: encode } }
  canary: { canary: {} }
  links: { links: { hosts: [example.com] } }
guard_policies:
  outsiders: { guards: [injected, canary, links], of: { trust: untrusted } }
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("eval") / "project"
    notes = folder / "workflows" / "eval-notes"
    notes.mkdir(parents=True)
    for name, text in (FILES | {"output.schema.json": OUTPUT}).items():
        (notes / name).write_text(text.replace("small-model", "gpt-4.1-mini"))
    house = folder / "workflows" / "eval-house"
    house.mkdir()
    for name, text in FILES.items():
        (house / name).write_text(text + "trust: trusted\n" if name == "workflow.yaml" else text)
    return folder


def evaluated(project: Path, *arguments: str):
    return headgate(
        "eval", "eval-notes", "--pack", "injection", "--limit", "60", *arguments, folder=project
    )


def test_what_a_workflow_without_guards_lets_through_is_told_and_fails(project: Path) -> None:
    (project / "headgate.yaml").write_text("")
    told = evaluated(project, "--json")
    assert told.returncode == 1, told.stderr
    report = json.loads(told.stdout)
    assert not report["passed"]
    assert report["attacks"]["tried"] == report["look_alikes"]["tried"] == 60
    assert report["attacks"]["hit"] > 40
    assert report["look_alikes"]["hit"] == 0
    assert len(report["families"]) > 10
    assert report["fields"] == ["text", "tone"]
    assert {one["field"] for one in report["succeeded"]} == {"text", "tone"}
    assert report["cost_nanousd"] > 0
    assert "SIMULATED" in told.stderr
    # Nobody is to call it, so no key is made that nobody would ever see.
    assert "key" not in told.stderr.replace("no OPENAI_API_KEY is set", "")
    # A line a call would bury the rest.
    assert '"event"' not in told.stderr


def test_guards_are_told_by_name_and_what_they_hold_is_counted(project: Path) -> None:
    (project / "headgate.yaml").write_text(GUARDED)
    told = evaluated(project)
    assert told.returncode == 0, told.stdout + told.stderr
    last = told.stdout.splitlines()
    assert any("injected" in line for line in last)
    assert "within 2 %" in told.stderr


def test_one_family_into_one_field(project: Path) -> None:
    (project / "headgate.yaml").write_text("")
    told = evaluated(
        project, "--family", "override", "--field", "text", "--no-look-alikes", "--at-most", "100%",
        "--json",
    )  # fmt: skip
    assert told.returncode == 0, told.stderr
    report = json.loads(told.stdout)
    assert [family["name"] for family in report["families"]] == ["override"]
    assert report["fields"] == ["text"]
    assert report["look_alikes"]["tried"] == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("eval-notes",), "--pack"),
        (("eval-notes", "--pack", "injection", "--family", "charm"), "there is override"),
        (("eval-notes", "--pack", "injection", "--field", "label"), "there is text, tone"),
        (("eval-notes", "--pack", "injection", "--at-most", "many"), "no share such as 2%"),
        (("eval-notes", "--pack", "injection", "--as-project", "moon"), "there is no project"),
        (("eval-house", "--pack", "injection"), "trust: trusted"),
    ],
)
def test_wrong_use_is_said_in_a_line_and_is_a_2(
    project: Path, arguments: tuple[str, ...], says: str
) -> None:
    (project / "headgate.yaml").write_text("")
    told = headgate("eval", *arguments, folder=project)
    assert told.returncode == 2, told.stderr
    assert says in told.stderr


def test_no_such_workflow_is_a_1_that_names_those_there_are(project: Path) -> None:
    told = headgate("eval", "nothing", "--pack", "injection", folder=project)
    assert told.returncode == 1
    assert "eval-house, eval-notes" in told.stderr
