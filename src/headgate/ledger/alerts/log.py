"""The channel that is always there: a line of the log."""

from __future__ import annotations

import logging

from headgate.ledger.alerts.alert import Alert, AnyAlert, ReviewAlert

_log = logging.getLogger(__name__)


class LogChannel:
    """Writes each alert as a warning."""

    name = "log"

    def deliver(self, alert: AnyAlert) -> None:
        """See `Channel`; of a key, whoever saw it refused has written a line already."""
        if isinstance(alert, ReviewAlert):
            _log.warning(
                "a review waits for a person",
                extra={
                    "alert_id": alert.id,
                    "review": alert.review,
                    "kind": alert.kind,
                    "happened": alert.happened,
                    "reviewers": alert.reviewers,
                },
            )
        if not isinstance(alert, Alert):
            return
        _log.warning(
            "a budget has come to a threshold",
            extra={
                "alert_id": alert.id,
                "budget": alert.budget,
                "subject": alert.subject,
                "threshold_percent": alert.threshold,
                "spent_nanousd": alert.spent_nanousd,
                "limit_nanousd": alert.limit_nanousd,
            },
        )
