"""What can't be meant of a tool's arguments is told when the files are loaded, with its line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from headgate.cli.check import check_project

CANCEL = {
    "description": "Cancel an order.",
    "path": "/cancel",
    "parameters": {
        "type": "object",
        "required": ["order", "why"],
        "properties": {
            "order": {"type": "string", "pattern": "^O-"},
            "why": {"type": "string", "enum": ["late", "broken"]},
            "cents": {"type": ["integer", "null"]},
            "lines": {"type": "array", "items": {"type": "object"}},
            "at": {"type": "object", "properties": {"place": {"type": "string"}}},
        },
    },
}
GIVEN = {
    "type": "object",
    "required": ["text"],
    "properties": {
        "text": {"type": "string"},
        "tone": {"type": "string"},
        "order": {"type": "string"},
        "count": {"type": "integer"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"n": {}}}},
        "buyer": {"type": "object", "properties": {"id": {"type": "string"}}},
        "more": {"type": "object"},
    },
}


@pytest.fixture
def check(labels: Path):
    """The problems of a project whose `labels` has the tool `cancel`, with `said` of it."""
    (labels / "input.schema.json").write_text(json.dumps(GIVEN))
    project = labels.parent.parent

    def problems(
        said: str, deliver: str | None = None, *, source: str = "", taken: str = "shop/cancel"
    ) -> list[str]:
        tool = CANCEL | yaml.safe_load(f"{{{source}}}")
        shop = {"kind": "http", "base_url": "http://shop.example", "tools": {"cancel": tool}}
        (project / "headgate.yaml").write_text(
            yaml.safe_dump({"tools": {"shop": shop}}, sort_keys=False)
        )
        with (labels / "workflow.yaml").open("a") as file:
            file.write(f"tools:\n  cancel: {{ source: {taken}, {said} }}\n")
            if deliver is not None:
                file.write(f"deliver: {{ tool: cancel, arguments: {{ {deliver} }} }}\n")
        folders = f"{labels}/", f"{project}/"
        return [
            problem.replace(folders[0], "").replace(folders[1], "")
            for problem in check_project(project).problems
        ]

    return problems


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("order: input.ordr", "order: input.schema.json has no `ordr`"),
        ("order: input.buyer.ib", "order: input.schema.json has no `ib` in `buyer`"),
        ("ordr: input.order", "ordr: the tool has no such argument; it has order, why, cents"),
        ("order: input.count", "order: `input.count` is integer; the tool takes string"),
        ("order: input.buyer", "order: `input.buyer` is object; the tool takes string"),
        ("order: input.items.n", "order: `input.items` is a list; take all of it"),
        ("order: 'input.items[].n'", "order: write `input.FIELD`, a path of names"),
        ("order: output.score", "order: there is no output yet; write `input.FIELD`"),
        ("order: 17", "order: must be of type string"),
        ("order: P-1", "order: must match the pattern ^O-"),
        ("why: boredom", "why: must be one of late, broken"),
        ("at: { place: 1 }", "at: place: must be of type string"),
    ],
)
def test_an_argument_that_can_never_be_filled_in_is_told(check, arguments, told):
    (problem,) = check(f"arguments: {{ {arguments} }}")
    assert problem.startswith(f"workflow.yaml:5: tools.cancel.arguments.{told}")


def test_what_can_be_filled_in_is_let_be(check):
    taken = "order: input.buyer.id, why: late, cents: input.count, at: input.more.place"
    assert check(f"arguments: {{ {taken}, lines: input.items }}") == []


def test_a_schema_that_is_open_takes_any_argument(check):
    parameters = {"type": "object", "properties": {}, "additionalProperties": True}
    source = f"parameters: {json.dumps(parameters)}"
    assert check("arguments: { anything: input.order }", source=source) == []


@pytest.mark.parametrize(
    ("deliver", "told"),
    [
        ("order: O-1", "arguments: the tool needs `why`; give it a value, `output.FIELD` or"),
        ("order: O-1, why: late, whi: x", "arguments.whi: the tool has no such argument"),
        ("order: output.labl, why: late", "arguments.order: output.schema.json has no `labl`"),
        ("order: output, why: late", "arguments.order: `output` is object; the tool takes string"),
        ("order: input.x, why: late", "arguments.order: input.schema.json has no `x`"),
        ("order: output.score, why: late", "arguments.order: `output.score` is "),
    ],
)
def test_a_delivery_that_can_never_be_made_is_told(check, deliver, told):
    (problem,) = check("effect: write", deliver)
    assert problem.startswith(f"workflow.yaml:6: deliver.{told}")


def test_a_delivery_may_have_some_of_its_arguments_from_the_tool(check):
    assert check("arguments: { why: late }", "order: output.label") == []


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("field: cent, above: 1", ".field: the tool's schema has no `cent`; it has"),
        ("field: cents", ": write one of `one_of`, `below`, `above`"),
        ("field: cents, above: 1, below: 0", ": write one of `one_of`, `below`, `above`"),
        ("field: why, above: 1", ".field: `above` is for numbers; the tool's schema says string"),
        ("field: why, one_of: [late, Broken]", '.one_of[1]: "Broken" is not among the values'),
        (
            "field: lines, one_of: [x]",
            '.one_of[0]: the tool\'s schema says array, never "x"; write',
        ),
        ("field: order, one_of: [O-1, 17]", ".one_of[1]: the tool's schema says string, never 17"),
    ],
)
@pytest.mark.parametrize("whose", ["the workflow's", "the source's"])
def test_a_rule_by_which_nobody_would_ever_be_asked_is_told(check, rule, told, whose):
    approval = f"approval: {{ when: [{{ {rule} }}] }}, needs: untrusted"
    if whose == "the workflow's":
        (problem,) = check(approval)
        assert problem.startswith(f"workflow.yaml:5: tools.cancel.approval.when[0]{told}")
    else:
        (problem,) = check("effect: write", source=approval)
        assert problem.startswith("headgate.yaml:")
        assert f"tools.shop.tools.cancel.approval.when[0]{told}" in problem


def test_a_rule_on_what_the_tool_takes_is_let_be(check):
    rules = (
        "{ field: cents, below: 5 }, { field: 'lines[].x', one_of: [1] },"
        " { field: at.place, one_of: [x, null] }, { field: cents, one_of: [1.0] }"
    )
    assert check(f"approval: {{ when: [{rules}] }}, needs: untrusted") == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("shop/cancle", "there is no tool `shop/cancle` in headgate.yaml; `shop` has cancel"),
        ("shp/cancel", "there is no tool `shp/cancel` in headgate.yaml; its sources are shop"),
        ("shop.cancel", "must match the pattern '^["),
    ],
)
def test_a_tool_that_is_not_there_is_told_with_those_there_are(check, source, told):
    (problem,) = check("effect: write", taken=source)
    assert problem.startswith(f"workflow.yaml:5: tools.cancel.source: {told}")
