"""Providers reuse the beginnings of prompts: what stands in their way is said."""

from __future__ import annotations

from pathlib import Path

from headgate.cli.check import check_project
from headgate.workflows.folder import load_workflow
from scripted_workflows import GOOD, order

FIXED = "Weigh the tone, the words and what is left out. " * 10


def warnings_of(labels: Path, user: str, system: str = "Label.", front: str = "") -> list[str]:
    text = f"{front}# system\n\n{system}\n\n# user\n\n{user}\n"
    (labels / "prompt.md").write_text(text)
    return list(load_workflow(labels).prompt.warnings)


def test_fixed_text_after_text_that_varies_is_warned_of(labels):
    (warning,) = warnings_of(labels, f"Text: {{{{ input.text }}}}\n\n{FIXED}")
    assert warning.startswith(f"{labels / 'prompt.md'}:9: {len(FIXED.strip())} characters")


def test_a_condition_varies_too(labels):
    user = "{% if input.tone is defined %}\nTone: {{ input.tone }}\n{% endif %}\n" + FIXED
    (warning,) = warnings_of(labels, user)
    assert ":10: " in warning


def test_fixed_text_that_comes_first_or_is_short_is_no_matter(labels):
    assert warnings_of(labels, f"{FIXED}\n\nText: {{{{ input.text }}}}") == []
    assert warnings_of(labels, "Text: {{ input.text }}\n\nAnswer in one line.") == []
    assert warnings_of(labels, f"Only this. {FIXED}") == []


def test_what_puts_no_text_there_does_not_vary(labels):
    user = f'{{% set tone = "polite" %}}\n{{{{ "Be kind." }}}} {FIXED}\n{{{{ input.text }}}}'
    assert warnings_of(labels, user) == []


def test_a_system_part_that_varies_is_warned_of(labels):
    front = "---\nsystem_uses_input: true\n---\n"
    (warning,) = warnings_of(labels, "x", "Be {{ input.text }}.", front)
    assert "system_uses_input" in warning


def test_headgate_check_shows_warnings_and_finds_no_problem_in_them(project, labels):
    warnings_of(labels, f"{{{{ input.text }}}} {FIXED}")
    (labels / "workflow.yaml").write_text("version: 1.0.0\nowner: tests\nroute: gpt-5-mini\n")
    found = check_project(project)
    assert found.problems == ()
    assert len(found.warnings) == 1


async def test_a_run_names_its_version_to_the_providers_prompt_cache(runner_with):
    runner = runner_with(GOOD)
    await runner.run(order())
    request = runner.model.requests[0]
    assert request.prompt_cache_key == runner.catalogue.get("labels").fingerprint
