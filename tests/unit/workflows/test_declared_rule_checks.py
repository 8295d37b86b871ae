"""A rule that can't be judged is told when its workflow is loaded, with file, line and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from headgate.errors import ConfigError
from headgate.workflows.folder import load_workflow

OUTPUT = {
    "type": "object",
    "properties": {
        "label": {"type": "string", "enum": ["good", "bad"]},
        "sum": {"type": ["number", "null"]},
        "day": {"type": "string"},
        "items": {"type": "array", "items": {"$ref": "#/$defs/item"}},
        "maybe": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/item"}]},
    },
    "required": ["label", "sum", "day", "items", "maybe"],
    "additionalProperties": False,
    "$defs": {
        "item": {
            "type": "object",
            "properties": {"price": {"type": "number"}, "sources": {"type": "array",
                           "items": {"type": "string"}}},
            "required": ["price", "sources"],
            "additionalProperties": False,
        }
    },
}  # fmt: skip
INPUT = {
    "type": "object",
    "properties": {
        "text": {"type": "string"},
        "kind": {"enum": ["a", "b"]},
        "documents": {"type": "array", "items": {"properties": {"id": {}}}},
        "open": {"type": "object", "additionalProperties": True},
    },
    "required": ["text"],
    "additionalProperties": False,
}


@pytest.fixture
def folder(labels: Path) -> Path:
    (labels / "output.schema.json").write_text(json.dumps(OUTPUT))
    (labels / "input.schema.json").write_text(json.dumps(INPUT))
    (labels / "prompt.md").write_text("# system\n\nLabel.\n\n# user\n\n{{ input.text }}\n")
    return labels


def with_rules(folder: Path, *rules: str) -> None:
    lines = "".join(f"    - {rule}\n" for rule in rules)
    (folder / "workflow.yaml").write_text(
        f"version: 1.0.0\nowner: t\nroute: m\nchecks:\n  rules:\n{lines}"
    )


@pytest.mark.parametrize(
    "rule",
    [
        "{field: label, allowed: [good]}",
        "{field: 'items[].price', range: {at_least: 0}}",
        "{field: maybe.price, range: {above: 0, at_most: {input: open.most}}}",
        "{field: 'items', length: {at_most: 9}}",
        "{field: day, dates: {not_before: 2026-01-01}}",
        "{field: 'items[].sources', must_cite: {ids: 'documents[].id'}}",
        "{field: 'items[].sources[]', must_cite: {passage_of: text}}",
        "{field: day, must_cite: {ids: 'documents[].id', pattern: '\\[(\\w+)\\]'}}",
        "{must_not_mention: {words: [x]}, when: {input: kind, is: [a, b]}}",
        "{field: label, equals_input: text, when: {field: sum, is_not: null}}",
    ],
)
def test_a_rule_that_fits_its_schemas_is_taken(folder: Path, rule: str):
    with_rules(folder, rule)
    assert load_workflow(folder).declared_rules


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{field: label}", ": write exactly one of allowed, range"),
        ("{field: label, allowed: [good], equals_input: text}", ": write exactly one of"),
        ("{allowed: [good]}", ": `allowed` needs a `field`"),
        ("{field: lable, allowed: [good]}", ".field: output.schema.json has no `lable`"),
        ("{field: maybe.prize, range: {above: 0}}", ".field: output.schema.json has no `prize`"),
        ("{field: items.price, range: {above: 0}}", "`items` is a list; write `items[].price`"),
        ("{field: 'label[]', allowed: [good]}", "`label` is no list; leave out the `[]`"),
        ("{field: items, allowed: [good]}", ".field: is a list; write `items[]`"),
        ("{field: label, range: {above: 0}}", "is for numbers; output.schema.json says string"),
        ("{field: sum, length: {at_most: 1}}", "`length` is for texts and lists"),
        ("{field: label, allowed: [goood]}", '.allowed: "goood" is not among the values'),
        ("{field: sum, allowed: ['1']}", '.allowed: output.schema.json says number, never "1"'),
        ("{field: sum, range: {}}", ".range: bounds nothing"),
        ("{field: sum, range: {at_least: 2, at_most: 1}}", ".at_most: is less than `at_least`"),
        ("{field: sum, range: {at_least: 2, at_most: 0}}", ".at_most: is less than `at_least`"),
        ("{field: sum, range: {at_least: 0, at_most: -1}}", ".at_most: is less than `at_least`"),
        ("{field: sum, range: {at_most: {input: most}}}", "input.schema.json has no `most`"),
        ("{field: day, must_cite: {}}", ".must_cite: write one of `ids`, `passage_of`, `context`"),
        ("{field: day, must_cite: {ids: documents.id}}", "write `documents[].id`"),
        (
            "{field: day, must_cite: {passage_of: text, pattern: '(a)'}}",
            "goes with `ids` and `context` only",
        ),
        ("{field: day, must_cite: {ids: text, pattern: a}}", "must have exactly one group"),
        ("{must_not_mention: {words: [x, ' ']}}", ".words[1]: is blank"),
        ("{must_not_mention: {}}", ".must_not_mention: looks for nothing"),
        ("{must_not_mention: {patterns: ['(a']}}", ".patterns[0]: is not a regular expression"),
        ("{field: label, equals_input: 'documents[].id'}", "must be one field"),
        ("{field: day, allowed: [x], when: {}}", ".when: write either `field` or `input`"),
        ("{field: day, allowed: [x], when: {field: sum}}", ".when: write either `is` or `is_not`"),
        ("{field: day, allowed: [x], when: {input: kid, is: a}}", "input.schema.json has no `kid`"),
        ("{field: day, allowed: [x], when: {input: kind, is: c}}", '.is: "c" is not among'),
        ("{field: day, allowed: [x], when: {field: sum, is: '1'}}", 'says number, never "1"'),
        ("{field: day, allowed: [x], when: {field: 'items[].price', is: 1}}", "must be one field"),
        ("{field: 'a b', allowed: [x]}", ".field: is no path to a field"),
        ("{field: day, equals_input: a..b}", ".equals_input: is no path to a field"),
        ("{field: day, alowed: [x]}", ".alowed: unknown field"),
        ("{field: day, range: {at_most: much}}", ".range.at_most: expected"),
    ],
)
def test_one_that_does_not_is_told_with_its_line(folder: Path, rule: str, told: str):
    with_rules(folder, "{field: day, allowed: [x]}", rule)
    with pytest.raises(ConfigError) as error:
        load_workflow(folder)
    (problem,) = error.value.problems
    assert problem.startswith(f"{folder / 'workflow.yaml'}:7: checks.rules[1]")
    assert told in problem
