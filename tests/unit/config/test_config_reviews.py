"""What is written of reviews is what can be meant, or an error with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.app.reviewing import check_groups
from headgate.cli.check import check_project
from headgate.config.load import load_settings
from headgate.errors import ConfigError
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.folder import load_workflow
from scripted_workflows import write_project

WRONG = {
    "review: {always: yes please}": "review.always",
    "review: {fields: [{field: label}]}": "review.fields[0]: write one of `one_of`,",
    "review: {fields: [{field: score, above: 1, below: 2}]}": "review.fields[0]: write one of",
    "review: {fields: [{field: mood, above: 1}]}": "has no `mood`; it has label, score",
    "review: {fields: [{field: label, one_of: [god]}]}": 'one_of[0]: "god" is not among',
    "review: {fields: [{field: score, one_of: ['1']}]}": 'says integer, never "1"',
    "review: {fields: [{field: label, above: 1}]}": "`above` is for numbers; output.schema",
    "review: {fields: [{field: 'score[]', above: 1}]}": "`score` is no list; leave out the `[]`",
    "review: {sample: 2}": "review.sample",
    "review: {deadline: {then: reject}}": "within_hours",
    "review: {deadline: {within_hours: 1, then: escalate}}": "name the group: `escalate_to`",
    "review: {deadline: {within_hours: 1, then: fall_back}}": "declares no fallback that needs no",
    "fallback: review\nreview: {deadline: {within_hours: 1, then: fall_back}}": "no fallback that",
    "review: {deadline: {within_hours: 1, after_escalation: reject}}": "means nothing without `",
    "review: {unless: never}": "review.unless: unknown field",
    "fallback: person": "fallback",
}


@pytest.mark.parametrize(("lines", "says"), WRONG.items(), ids=WRONG)
def test_a_workflow_that_cannot_be_meant_is_refused(tmp_path: Path, lines: str, says: str):
    folder = write_project(tmp_path)
    file = folder / "workflow.yaml"
    file.write_text(f"{file.read_text()}{lines}\n")
    with pytest.raises(ConfigError) as caught:
        load_workflow(folder)
    assert says in "\n".join(caught.value.problems)
    assert "workflow.yaml:" in caught.value.problems[0]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("reviews: {groups: {leads: {}}}", ":1: reviews.groups.leads: nobody is in it"),
        ("reviews: {groups: {leads: {keys: [ann]}}}", "is no key's id"),
        ("reviews: {groups: {leads: {roles: [app]}}}", "reviews.groups.leads.roles"),
        ("reviews: {claim_minutes: 0}", "reviews.claim_minutes"),
    ],
)
def test_groups_that_cannot_be_meant_are_refused(tmp_path: Path, text: str, says: str):
    (tmp_path / "headgate.yaml").write_text(f"{text}\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert says in caught.value.message


SOURCE = """\
tools:
  desk:
    kind: http
    base_url: http://127.0.0.1:9000
    tools:
      open:
        description: Open one.
        path: /tickets
        reviewers: nobody
        parameters: { type: object, properties: {}, additionalProperties: false }
"""
TOOLS_PY = '''\
def act(text: str) -> str:
    """Act."""
    return text
'''


def test_a_source_whose_tool_is_for_a_group_that_is_not_there_is_refused(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(SOURCE)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert ":9: tools.desk.tools.open.reviewers: there is no group `nobody`" in str(caught.value)


def test_a_workflow_whose_tool_is_for_a_group_that_is_not_there_is_refused(tmp_path: Path):
    folder = write_project(tmp_path)
    file = folder / "workflow.yaml"
    file.write_text(f"{file.read_text()}tools:\n  act: {{effect: write, reviewers: nobody}}\n")
    (folder / "tools.py").write_text(TOOLS_PY)
    (tmp_path / "headgate.yaml").write_text("")
    told = "tools.act.reviewers: there is no group `nobody` in `reviews.groups`"
    assert any(told in problem for problem in check_project(tmp_path).problems)
    with pytest.raises(ConfigError) as caught:
        check_groups(load_settings(tmp_path, {}), Catalogue.load(tmp_path))
    assert f"workflow.yaml:5: {told}" in caught.value.message


def test_a_tool_that_is_not_there_is_told_with_its_line(tmp_path: Path):
    folder = write_project(tmp_path)
    file = folder / "workflow.yaml"
    file.write_text(f"{file.read_text()}tools:\n  act: {{source: desk/act}}\n")
    (tmp_path / "headgate.yaml").write_text("")
    (told,) = (p for p in check_project(tmp_path).problems if "desk/act" in p)
    assert "workflow.yaml:5: tools.act.source: there is no tool `desk/act` in headgate.yaml" in told
