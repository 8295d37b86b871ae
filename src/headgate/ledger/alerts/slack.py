"""The channel that posts alerts as Slack's incoming webhooks take them."""

from __future__ import annotations

import msgspec

from headgate.config.alerts import SlackSettings
from headgate.ledger.alerts.alert import AnyAlert
from headgate.ledger.alerts.post import post_json


class SlackChannel:
    """Posts to one address."""

    def __init__(self, name: str, settings: SlackSettings) -> None:
        self.name = f"slack:{name}"
        self._settings = settings

    def deliver(self, alert: AnyAlert) -> None:
        """See `Channel`."""
        post_json(self._settings.url, msgspec.json.encode({"text": alert.text}), {})
