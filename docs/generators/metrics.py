"""docs/reference/metrics.md: the figures of `/metrics`, read from the figures themselves."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from docs.generators.markdown import code, table
from headgate.ledger.allowances.rule import Rule
from headgate.ledger.allowances.share import Share
from headgate.ledger.record import CallRecord
from headgate.telemetry.metrics import Metrics

_INTRODUCTION = """\
# Metrics

`GET /metrics` answers in Prometheus' text form. The figures are the whole server's, whichever \
worker process is asked. Loopback addresses may read them without a key \
([`server.metrics_open_to`](configuration.md#server)); others need a key with the permission \
`metrics.read`.

The figures are made from the ledger's records, batch by batch, so they follow a call's end by up \
to [`ledger.flush_interval_ms`](configuration.md#ledger) and its commit. Labels are bounded: at \
most [`metrics.max_label_values`](configuration.md#metrics) models, projects and features are \
named, the rest are counted as `other`. `model` is the name that the application asked for.
"""

_FAILED_CALL = CallRecord(
    id="call_0",
    started_at_us=0,
    project="default",
    key_id="key_0",
    endpoint="chat/completions",
    status=429,
    error_class="rate_limit_exceeded",
    attempts=1,
    cache="hit",
    saved_nanousd=1,
    input_tokens=1,
    cached_tokens=1,
    output_tokens=1,
    reasoning_tokens=1,
    cost_nanousd=1,
    latency_us=1,
    first_token_us=1,
    trace_id="0" * 32,
)
_UNPRICED_CALL = CallRecord(
    id="call_1",
    started_at_us=0,
    project="default",
    key_id="key_0",
    endpoint="chat/completions",
    status=200,
    trace_id="0" * 32,
)
_RULE = Rule(name="usd/day", kind="budget", measure="nanousd", window="day", limit=1, per=())
_SHARE = Share(_RULE, "organisation")
_SHARE.known_at_us = 1
"""Together they touch every figure, since one that was never touched shows no labels."""


def page() -> str:
    """The page's Markdown."""
    metrics = Metrics(max_label_values=2)
    metrics.observe([_FAILED_CALL, _UNPRICED_CALL])
    metrics.targets.breaker("openai/gpt-5-mini", is_open=True)
    metrics.targets.retry_denied("openai")
    metrics.targets.key_out("openai", "default")
    metrics.targets.keys_out("openai", 1)
    metrics.allowances.note([_SHARE], {_RULE.name: 1}, waiting=0)
    metrics.grading.graded("chat", "asked")
    metrics.reviews.note_open({("output", "w"): 1})
    metrics.reviews.note_decided(
        kind="output", workflow="w", decision="edited", by="person", seconds=1, edit_share=0.1
    )
    metrics.tools.note_action("w", "t", "done")
    metrics.tools.note_call("w", "t", "done", 0.1)
    metrics.traces.lost("queue_full", 1)
    metrics.note_state(in_flight=0, lag_s=0.0, waiting_records=0)
    rows, buckets = [], []
    for family in text_string_to_metric_families(metrics.render().decode()):
        if family.name.endswith("_created"):
            continue
        labels = sorted({label for sample in family.samples for label in sample.labels} - {"le"})
        name = f"{family.name}_total" if family.type == "counter" else family.name
        shown = ", ".join(code(label) for label in labels)
        rows.append([code(name), family.type, shown, family.documentation])
        bounds = dict.fromkeys(
            sample.labels["le"] for sample in family.samples if "le" in sample.labels
        )
        if bounds:
            buckets.append(f"- {code(family.name)}: {', '.join(bounds)}")
    return (
        f"{_INTRODUCTION}\n{table(['name', 'type', 'labels', 'what it tells'], rows)}\n\n"
        "The buckets of the histograms, in the unit that their names tell:\n\n" + "\n".join(buckets)
    )
