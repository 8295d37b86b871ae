"""The figures of tools: bounded, whatever workflows and tools there are."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, generate_latest

from headgate.telemetry import tool_metrics
from headgate.telemetry.tool_metrics import ToolMetrics


def told(registry: CollectorRegistry) -> str:
    return generate_latest(registry).decode()


def test_actions_are_counted_by_state_and_calls_are_timed_by_outcome():
    registry = CollectorRegistry()
    metrics = ToolMetrics(registry, max_label_values=5)
    for state in ("requested", "approved", "started", "done", "done"):
        metrics.note_action("intake", "create", state)
    metrics.note_call("intake", "create", "unknown", 0.3)
    text = told(registry)
    assert 'headgate_actions_total{state="done",tool="create",workflow="intake"} 2.0' in text
    labels = 'outcome="unknown",tool="create",workflow="intake"'
    assert f"headgate_tool_call_seconds_sum{{{labels}}} 0.3" in text


def test_beyond_their_bounds_workflows_and_tools_are_counted_together(monkeypatch):
    monkeypatch.setattr(tool_metrics, "_MAX_PAIRS", 3)
    registry = CollectorRegistry()
    metrics = ToolMetrics(registry, max_label_values=2)
    for number in range(50):
        metrics.note_action(f"w{number}", f"t{number}", "done")
        metrics.note_action("w0", f"t{number}", "done")
    lines = [line for line in told(registry).splitlines() if line.startswith("headgate_actions_t")]
    assert len(lines) <= 3 + 3
    assert any('tool="other",workflow="other"' in line for line in lines)
    assert sum(float(line.rpartition(" ")[2]) for line in lines) == 100
