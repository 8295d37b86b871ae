"""Where an attack can be put into a workflow's input, found by asking schema and prompt."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headgate.evals.text_fields import NoInputError, named, sample_input, text_fields, with_text
from headgate.workflows.folder import Workflow, load_workflow
from scripted_workflows import FILES, write_project

SHOWN = "{{ input | tojson }}"


def workflow(folder: Path, properties: dict[str, Any], user: str = SHOWN, **more: Any) -> Workflow:
    write_project(folder)
    labels = folder / "workflows" / "labels"
    schema = {"type": "object", "properties": properties, "additionalProperties": False, **more}
    (labels / "input.schema.json").write_text(json.dumps(schema))
    prompt = FILES["prompt.md"].partition("# user")[0]
    (labels / "prompt.md").write_text(f"{prompt}# user\n\n{user}\n")
    return load_workflow(labels)


def test_a_field_that_takes_any_text_and_is_shown_is_found_however_deep(tmp_path: Path) -> None:
    flow = workflow(
        tmp_path,
        {
            "body": {"type": "string"},
            "kind": {"type": "string", "enum": ["mail", "chat"]},
            "since": {"type": "string", "format": "date"},
            "code": {"type": "string", "pattern": "^[A-Z]{2}$", "examples": ["DE"]},
            "turns": {
                "type": "array",
                "items": {"type": "object", "properties": {"said": {"type": "string"}}},
            },
        },
    )
    given = sample_input(flow)
    assert given["code"] == "DE"
    assert given["since"] == "2026-01-31"
    assert [named(field) for field in text_fields(flow, given)] == ["body", "turns[0].said"]


def test_a_field_that_the_prompt_leaves_out_is_no_way_in(tmp_path: Path) -> None:
    flow = workflow(
        tmp_path,
        {"body": {"type": "string"}, "note": {"type": "string"}},
        "{{ input.body }}",
        required=["body"],
    )
    assert [named(field) for field in text_fields(flow, sample_input(flow))] == ["body"]


def test_a_short_field_is_found_though_the_probe_is_too_long_for_it(tmp_path: Path) -> None:
    flow = workflow(
        tmp_path, {"name": {"type": "string", "maxLength": 10}, "long": {"type": "string"}}
    )
    assert "long" in [named(field) for field in text_fields(flow, sample_input(flow))]


def test_lengths_are_met_by_the_sample(tmp_path: Path) -> None:
    flow = workflow(
        tmp_path,
        {"a": {"type": "string", "minLength": 40}, "b": {"type": "string", "maxLength": 2}},
    )
    given = sample_input(flow)
    assert len(given["a"]) >= 40
    assert len(given["b"]) <= 2


def test_a_pattern_without_an_example_is_said_with_what_to_do(tmp_path: Path) -> None:
    flow = workflow(
        tmp_path, {"code": {"type": "string", "pattern": "^[A-Z]{9}$"}}, required=["code"]
    )
    with pytest.raises(NoInputError, match=r"code.*examples.*--input"):
        sample_input(flow)


def test_a_text_is_put_into_a_copy() -> None:
    given = {"turns": [{"said": "a"}, {"said": "b"}]}
    assert with_text(given, ("turns", 1, "said"), "x") == {"turns": [{"said": "a"}, {"said": "x"}]}
    assert given["turns"][1]["said"] == "b"
