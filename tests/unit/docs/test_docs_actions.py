"""What the page on actions shows of the example's workflows is what stands there."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from pages import samples

import headgate.examples

_WORKFLOWS = Path(headgate.examples.__file__).parent / "project" / "workflows"


@pytest.mark.parametrize("name", ["ticket-intake", "renewal-brief"])
def test_the_example_is_shown_as_it_is(name: str):
    (sample,) = samples("yaml", f"action: {name}")
    shown = yaml.safe_load(sample.text)
    whole = yaml.safe_load((_WORKFLOWS / name / "workflow.yaml").read_text("utf-8"))
    shown_review, review = shown.pop("review", {}), whole["review"]
    assert shown == {key: whole[key] for key in shown}
    assert shown_review.items() <= review.items()
