"""A folder is read whole or every fault of it is told, with file, line and field."""

from __future__ import annotations

import pytest

from headgate.errors import ConfigError, NotFoundError
from headgate.workflows.catalogue import Catalogue
from headgate.workflows.digest import digest_of, folder_files
from headgate.workflows.folder import load_workflow
from scripted_workflows import FILES


def problems(folder) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_workflow(folder)
    return [problem.replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_good_folder_is_a_workflow(labels):
    workflow = load_workflow(labels)
    assert workflow.name == "labels"
    assert workflow.settings.version == "1.2.3"
    assert workflow.settings.trust == "untrusted"
    assert workflow.settings.checks.reask == 1
    assert workflow.fingerprint == f"hg_{workflow.digest[7:19]}"


def test_every_problem_of_every_file_is_told_at_once(labels):
    (labels / "workflow.yaml").write_text("version: one\nowner: me\nrout: x\nchecks: {reask: 7}\n")
    (labels / "prompt.md").write_text("# system\nS\n# usr\n")
    (labels / "input.schema.json").write_text('{\n "type": "object",\n "required": 3\n}')
    (labels / "output.schema.json").write_text("{\n nope\n}")
    (labels / "rules.py").write_text("def check(output):\n    return []\n")
    found = problems(labels)
    for start in (
        "workflow.yaml:1: version:",
        "workflow.yaml:3: rout: unknown field",
        "workflow.yaml:4: checks.reask:",
        "workflow.yaml:1: the required field `route` is missing",
        "prompt.md:3: unknown part",
        "input.schema.json:3: required:",
        "output.schema.json:2: not valid JSON",
        "rules.py:1: check: must be called as check(output, input)",
    ):
        assert any(problem.startswith(start) for problem in found), (start, found)


def test_rules_that_take_the_input_for_the_output_are_told(labels):
    (labels / "rules.py").write_text("def check(input, output):\n    return []\n")
    assert problems(labels) == ["rules.py:1: check: takes the output first, check(output, input)"]


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(labels, name):
    (labels / name).unlink()
    assert problems(labels)[0] == f"{name}: the file is missing"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("max_output_tokens: 3", "max_output_tokens: "),
        ("trust: maybe", "trust: "),
        ("temperature: 3", "temperature: "),
        ("reasoning_effort: huge", "reasoning_effort: "),
        ("limits: {timeout_s: 0}", "limits.timeout_s: "),
        ("limits: {timeout: 1}", "limits.timeout: unknown field"),
        ("fallback: {}", "fallback: write either"),
        ("fallback: {from_rules: true, output: {}}", "fallback: write either"),
        ("fallback: {from_rules: true}", "fallback.from_rules: rules.py defines no fallback"),
        (
            "fallback: {output: {label: good}}",
            "fallback.output: does not fit output.schema.json: score: is missing",
        ),
    ],
)
def test_a_wrong_setting_is_named_with_its_line(labels, line, told):
    with (labels / "workflow.yaml").open("a") as file:
        file.write(f"{line}\n")
    assert problems(labels)[0].startswith(f"workflow.yaml:4: {told}")


def test_a_wrong_setting_is_not_told_as_a_prompt_that_speaks_of_a_context_that_is_not_there(labels):
    with (labels / "workflow.yaml").open("a") as file:
        file.write("trust: maybe\n")
    with (labels / "prompt.md").open("a") as file:
        file.write("{{ context.crm.name }}\n")
    (problem,) = problems(labels)
    assert problem.startswith("workflow.yaml:4: trust: invalid enum value 'maybe'; write one of ")


def test_a_route_may_not_be_a_workflow(labels):
    (labels / "workflow.yaml").write_text("version: 1.0.0\nowner: me\nroute: workflow:labels\n")
    assert problems(labels)[0].startswith("workflow.yaml:3: route:")


def test_an_output_schema_that_strict_mode_refuses_is_told_with_its_line(labels):
    text = FILES["output.schema.json"].replace('"minimum": 0', '"default": 0')
    (labels / "output.schema.json").write_text(text.replace('["label", "score"]', '["label"]'))
    found = problems(labels)
    assert "output.schema.json:5: properties.score.default: strict" in found[0] + found[1]
    assert any("must be in `required`" in problem for problem in found)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("x = (", "rules.py:1: not valid Python"),
        ("\n\nraise ValueError('no')", "rules.py:3: raised ValueError when loaded: no"),
        ("x = 1", "rules.py:1: defines none of check, amend, fallback"),
        ("import sys\nsys.exit(3)", "rules.py:2: raised SystemExit"),
        ("check = 3", "rules.py:1: check: must be a plain function"),
        ("\nasync def check(o, i): ...", "rules.py:2: check: must be a plain function"),
        ("def fallback(): ...", "rules.py:1: fallback: must be called as fallback(input)"),
    ],
)
def test_rules_that_cannot_be_used_are_named_with_their_line(labels, code, told):
    (labels / "rules.py").write_text(code)
    assert problems(labels)[0].startswith(told)


def test_a_folder_needs_a_name_that_can_be_asked_for(labels):
    moved = labels.with_name("My Labels")
    labels.rename(moved)
    assert "rename the folder" in problems(moved)[0]


def test_any_change_to_any_file_changes_the_digest(labels):
    seen = {load_workflow(labels).digest}
    for name in FILES:
        with (labels / name).open("a") as file:
            file.write("\n")
        seen.add(load_workflow(labels).digest)
    (labels / "notes.txt").write_text("x")
    seen.add(load_workflow(labels).digest)
    assert len(seen) == len(FILES) + 2


def test_what_editors_and_python_leave_behind_does_not(labels):
    before = load_workflow(labels).digest
    (labels / "__pycache__").mkdir()
    (labels / "__pycache__" / "rules.cpython-311.pyc").write_bytes(b"x")
    (labels / ".prompt.md.swp").write_text("x")
    (labels / "prompt.md~").write_text("x")
    assert load_workflow(labels).digest == before


def test_moving_text_from_one_file_to_another_changes_the_digest():
    assert digest_of({"a": b"xy", "b": b""}) != digest_of({"a": b"x", "b": b"y"})
    assert digest_of({"a": b"", "b": b"x"}) == digest_of({"b": b"x", "a": b""})


def test_a_link_out_of_the_folder_is_refused(labels, tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    (labels / "link.txt").symlink_to(tmp_path / "secret.txt")
    with pytest.raises(ConfigError, match="leads out of"):
        folder_files(labels)


def test_a_folder_too_large_is_refused(labels, monkeypatch):
    monkeypatch.setattr("headgate.workflows.digest.SIZE_BYTES_AT_MOST", 10)
    with pytest.raises(ConfigError, match="more than"):
        load_workflow(labels)


def test_the_catalogue_tells_the_problems_of_every_workflow(project, labels):
    for name in ("second", "third"):
        folder = labels.with_name(name)
        folder.mkdir()
        (folder / "prompt.md").write_text("x")
    with pytest.raises(ConfigError) as caught:
        Catalogue.load(project)
    text = "\n".join(caught.value.problems)
    assert "second/workflow.yaml" in text
    assert "third/workflow.yaml" in text


def test_no_project_and_no_workflows_are_an_empty_catalogue(tmp_path):
    assert len(Catalogue.load(None)) == 0
    empty = Catalogue.load(tmp_path)
    with pytest.raises(NotFoundError, match="has no workflows"):
        empty.get("x")
