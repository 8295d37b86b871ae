"""The response headers that tell of a run, the same on every surface."""

from __future__ import annotations

from headgate.ledger.money import header_usd
from headgate.workflows.durable.orders import UNDER_WAY
from headgate.workflows.run import Run


def run_headers(run: Run) -> dict[str, str]:
    """Which run, of which version, what it cost, and whether a model answered."""
    headers = {
        "x-headgate-run-id": run.id,
        "x-headgate-workflow-version": run.version,
    }
    if run.status not in UNDER_WAY and (cost_nanousd := run.cost_nanousd) is not None:
        headers["x-headgate-cost-usd"] = header_usd(cost_nanousd)
    if run.simulated:
        headers["x-headgate-simulated"] = "true"
    if run.fallback:
        headers["x-headgate-fallback"] = "true"
    if run.review_id is not None:
        headers["x-headgate-review-id"] = run.review_id
    if run.replayed:
        headers["idempotency-replayed"] = "true"
    if run.error is not None and run.error.retryable is not None:
        headers["x-should-retry"] = "true" if run.error.retryable else "false"
    return headers
