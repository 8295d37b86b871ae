"""The figures of detection count what was found, what was missed, and what was wrong."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks.detection.sample import Found, Label, Sample, read, write
from benchmarks.detection.scores import best_only, scored, total

SAMPLE = Sample("call +1 212 736 5000 now", "en", False, [Label("phone", "us", 5, 20)])


def score(*found: Found):
    return scored([SAMPLE], [found])


def test_a_label_that_is_covered_for_four_fifths_is_found():
    assert score(Found("phone", 8, 20, 1))["phone"].recall == 1
    assert score(Found("phone", 9, 20, 1))["phone"].recall == 0
    assert score(Found("phone", 9, 20, 1))["phone"].missed_forms == {"us": 1}


def test_a_finding_of_another_kind_is_wrong_and_finds_nothing():
    scores = score(Found("email", 5, 20, 1))
    assert scores["phone"].recall == 0
    assert scores["email"].precision == 0
    assert total(scores, ["phone", "email"]).precision == 0


def test_a_finding_that_lies_half_outside_is_right_and_one_further_out_is_not():
    assert score(Found("phone", 0, 20, 1))["phone"].precision == 1
    assert score(Found("phone", 18, 24, 1))["phone"].precision == 0


def test_of_findings_that_overlap_the_surest_is_judged():
    sure, longer = Found("a", 2, 5, 0.9), Found("b", 0, 9, 0.5)
    assert best_only([longer, sure, Found("a", 9, 10, 0.1)]) == [sure, Found("a", 9, 10, 0.1)]


def test_a_set_is_read_as_it_was_written(tmp_path):
    odd = Sample("a\u2028b 日本", "zh", True, [])
    write([SAMPLE, odd], tmp_path / "set.jsonl")
    assert read(tmp_path / "set.jsonl") == [SAMPLE, odd]
