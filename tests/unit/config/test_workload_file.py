"""A workload file that is wrong is refused with one line: file, line, field, what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.workload import load_workload
from headgate.errors import ConfigError

GOOD = """\
workload:
  - name: tickets
    model: gpt-4.1-mini
    requests_per_day: 10
    input_tokens: 100
"""


def complaint(folder: Path, text: str) -> str:
    path = folder / "workload.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(ConfigError) as raised:
        load_workload(path)
    (line,) = raised.value.problems
    assert "\n" not in line
    return line.removeprefix(f"{path}:")


def test_what_is_left_out_has_a_default(tmp_path: Path):
    path = tmp_path / "workload.yaml"
    path.write_text(GOOD, "utf-8")
    _, found = load_workload(path)
    assert found.days_per_month == 30
    (work,) = found.workload
    assert (work.cached_share, work.batch_share, work.answered_share) == (0, 0, 0)
    assert work.movable


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("    batchshare: 0.5\n", "6: workload[0].batchshare: unknown field"),
        ("    batch_share: 1.5\n", "6: workload[0].batch_share: expected `float` <= 1.0"),
        ("    cached_share: -0.1\n", "6: workload[0].cached_share: expected `float` >= 0.0"),
        ("    output_tokens: many\n", "6: workload[0].output_tokens: expected `int`, got `str`"),
        ("    output_tokens: -1\n", "6: workload[0].output_tokens: expected `int` >= 0"),
        ("    output_tokens: 1.5\n", "6: workload[0].output_tokens: expected `int`"),
        ("days_per_month: 32\n", "6: days_per_month: expected `int` <= 31"),
        ("months: 2\n", "6: months: unknown field"),
        (GOOD.removeprefix("workload:\n"), "6: workload[1].name: `tickets` stands here twice"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path: Path, change: str, told: str):
    assert complaint(tmp_path, GOOD + change).startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "1: the required field `workload` is missing"),
        ("workload: []\n", "1: workload: expected `array` of length >= 1"),
        ("workload:\n  - name: x\n", "2: workload[0]: the required field `model` is missing"),
        ("- a\n", "1: expected `object`, got `array`"),
        ("workload: [\n", "2: not valid YAML"),
        ("workload: nothing\n", "1: workload: expected `array`, got `str`"),
    ],
)
def test_a_file_of_another_shape_is_refused(tmp_path: Path, text: str, told: str):
    assert complaint(tmp_path, text).startswith(told)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read: No such file"):
        load_workload(tmp_path / "nowhere.yaml")
