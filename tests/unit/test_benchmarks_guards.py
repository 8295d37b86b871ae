"""What the figures of the guards are measured on is what they say: sizes, guards, ratios."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import report
from benchmarks.figures import Figures, Sample
from benchmarks.guards.report import markdown
from benchmarks.guards.setups import NONE, RESTORING, SETUPS, configuration
from benchmarks.guards.texts import ADDRESS, SIZES_BYTES, asked, asked_to_stream
from benchmarks.payloads import completion
from benchmarks.processes import BenchmarkError

from headgate.config.load import load_settings


def test_every_setup_is_a_route_with_its_guards(tmp_path: Path) -> None:
    (tmp_path / "headgate.yaml").write_text(
        configuration().replace("{upstream_url}", "http://127.0.0.1:1/v1")
    )
    settings = load_settings(tmp_path, {})
    assert set(settings.routes) == {*(setup.name for setup in SETUPS), RESTORING}
    for setup in SETUPS:
        policy = settings.guard_policies.get(setup.name)
        assert (policy.guards if policy else ()) == setup.guards


@pytest.mark.parametrize(("size", "size_bytes"), SIZES_BYTES.items())
def test_letters_have_the_size_that_the_table_names(size: str, size_bytes: int) -> None:
    first, second = (json.loads(asked("route", size_bytes, number)) for number in (1, 2))
    letter = first["messages"][1]["content"]
    assert len(letter.encode()) == size_bytes
    assert letter != second["messages"][1]["content"]
    assert first["tools"] == second["tools"]


def test_a_stream_is_asked_for_with_something_to_hide() -> None:
    request = json.loads(asked_to_stream(RESTORING))
    assert request["stream"] is True
    assert ADDRESS in request["messages"][1]["content"]


def test_a_made_completion_says_what_it_was_told() -> None:
    told = json.loads(completion('{"injection": 2}'))
    assert told["choices"][0]["message"]["content"] == '{"injection": 2}'
    assert told["usage"]["total_tokens"] > 0


def test_the_report_tells_what_is_added_and_judges_the_streams() -> None:
    figures = Figures(machine={"machine": "a test"}, parts=frozenset({"guards"}))
    for setup in SETUPS:
        for size in SIZES_BYTES:
            for point in ("p50", "p99"):
                value = 1_000.0 if setup.name == NONE else 3_500.0
                figures.add(setup.name, f"{point}_us {size}", Sample(value))
            figures.add(setup.name, f"added_p50_us {size}", Sample(2_500.0))
    for name, per_s in ((NONE, 10_000), (RESTORING, 5_000)):
        for flow in ("freely", "in_step"):
            figures.add(name, f"chunks_per_s_{flow}", Sample(per_s))
    told = markdown(figures)
    assert "| no guard | (1.00) | (1.00) | (1.00) | (1.00) |" in told
    assert "| `links` | 2.50 | 2.50 | 2.50 | 2.50 |" in told
    assert "| written freely | 10,000 | 5,000 | 0.50 |" in told
    assert told.count("| met |") == 2


def test_each_table_of_the_page_has_its_place() -> None:
    page = (Path(__file__).parents[2] / "docs" / "benchmarks.md").read_text()
    for markers in (report.GUARDS, report.INJECTION, report.FIGURES, *report.PARTS.values()):
        assert "\nnew\n" in report.replace_block(page, "new", markers)
    with pytest.raises(BenchmarkError):
        report.replace_block("no page", "new", report.GUARDS)
