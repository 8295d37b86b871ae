"""The channel that posts alerts as JSON, signed, so that whoever gets one knows it is ours."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable

import msgspec

from headgate.config.alerts import WebhookSettings
from headgate.ledger.alerts.alert import AnyAlert
from headgate.ledger.alerts.post import post_json

TIMESTAMP_HEADER = "x-headgate-timestamp"
SIGNATURE_HEADER = "x-headgate-signature"


def signature(secret: str, timestamp_s: int, body: bytes) -> str:
    """`v1=` and the HMAC-SHA256, in hex, of the timestamp, a dot and the body."""
    signed = b"%d.%b" % (timestamp_s, body)
    return f"v1={hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()}"


class WebhookChannel:
    """Posts to one address."""

    def __init__(
        self, name: str, settings: WebhookSettings, *, clock: Callable[[], float] = time.time
    ) -> None:
        self.name = f"webhook:{name}"
        self._settings = settings
        self._clock = clock

    def deliver(self, alert: AnyAlert) -> None:
        """See `Channel`."""
        body = msgspec.json.encode(alert)
        now_s = int(self._clock())
        post_json(
            self._settings.url,
            body,
            {
                "idempotency-key": alert.id,
                TIMESTAMP_HEADER: str(now_s),
                SIGNATURE_HEADER: signature(self._settings.secret, now_s, body),
            },
        )
