"""The figures of limits and budgets follow what is used, up and down."""

from __future__ import annotations

from types import SimpleNamespace

from prometheus_client import CollectorRegistry

from headgate.telemetry.allowance_metrics import AllowanceMetrics

BUDGET = SimpleNamespace(name="per user", measure="nanousd", limit=5_000_000_000)
LIMIT = SimpleNamespace(name="a minute", measure="requests", limit=60)


def share(rule, subject: str, taken: int, known_at_us: int = 1) -> SimpleNamespace:
    return SimpleNamespace(rule=rule, subject=subject, taken=taken, known_at_us=known_at_us)


def shown(shares, metrics: AllowanceMetrics, registry: CollectorRegistry):
    metrics.note(shares, {}, 0)
    return lambda name, **labels: registry.get_sample_value(f"headgate_allowance_{name}", labels)


def test_money_is_told_in_dollars_and_a_new_window_begins_at_nothing():
    registry = CollectorRegistry()
    metrics = AllowanceMetrics(registry, max_label_values=10)
    anna = share(BUDGET, "anna", 2_500_000_000)
    at = shown([anna, share(LIMIT, "anna", 7)], metrics, registry)
    assert at("used", rule="per user", subject="anna") == 2.5
    assert at("limit", rule="per user") == 5
    assert at("used", rule="a minute", subject="anna") == 7
    anna.taken = 0
    at = shown([anna], metrics, registry)
    assert at("used", rule="per user", subject="anna") == 0
    assert at("used", rule="a minute", subject="anna") == 7, "of what is not told nothing is known"


def test_what_the_database_has_not_told_yet_is_not_shown():
    registry = CollectorRegistry()
    metrics = AllowanceMetrics(registry, max_label_values=10)
    at = shown([share(BUDGET, "anna", 9, known_at_us=0)], metrics, registry)
    assert at("used", rule="per user", subject="anna") is None


def test_those_beyond_the_bound_are_told_by_the_one_that_has_used_most():
    registry = CollectorRegistry()
    metrics = AllowanceMetrics(registry, max_label_values=2)
    shares = [share(LIMIT, f"u{number}", number) for number in (1, 2, 30, 4)]
    at = shown(shares, metrics, registry)
    assert at("used", rule="a minute", subject="u2") == 2
    assert at("used", rule="a minute", subject="other") == 30
    shares[2].taken = 3
    assert shown(shares, metrics, registry)("used", rule="a minute", subject="other") == 4
