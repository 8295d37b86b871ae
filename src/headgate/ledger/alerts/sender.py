"""Carries alerts to their channels, and tries again what did not arrive.

Each channel has a thread of its own, so that one which hangs keeps no other waiting.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections import deque
from collections.abc import Sequence

from headgate.config.alerts import AlertSettings
from headgate.errors import DatabaseUnavailableError
from headgate.ledger.alerts.alert import Channel, DeliveryError, KeyAlert
from headgate.ledger.alerts.log import LogChannel
from headgate.ledger.alerts.outbox import AlertOutbox, Delivery
from headgate.ledger.alerts.slack import SlackChannel
from headgate.ledger.alerts.webhook import WebhookChannel
from headgate.telemetry.faults import log_fault

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_FORGET_EVERY_S = 3600.0
_LONGEST_PAUSE_S = 300.0
_UNTOLD_AT_MOST = 100


def channels_of(settings: AlertSettings) -> tuple[Channel, ...]:
    """The channels of the configuration, the log first."""
    mail: list[Channel] = []
    if settings.email:
        # 1.5 MB that a server without such a channel can do without.
        from headgate.ledger.alerts.mail import MailChannel  # noqa: PLC0415

        mail = [MailChannel(name, email) for name, email in settings.email.items()]
    return (
        LogChannel(),
        *(WebhookChannel(name, webhook) for name, webhook in settings.webhooks.items()),
        *(SlackChannel(name, slack) for name, slack in settings.slack.items()),
        *mail,
    )


def pause_s(attempts: int, jitter: float) -> float:
    """How long to wait after so many tries; `jitter` is uniform in [0, 1)."""
    return float(min(_LONGEST_PAUSE_S, 2.0 ** min(attempts, 20)) * (0.5 + jitter / 2))


class AlertSender:
    """The threads that deliver; `start()` them, and `close()` them at the end."""

    def __init__(
        self, outbox: AlertOutbox, channels: Sequence[Channel], *, max_attempts: int
    ) -> None:
        self._outbox = outbox
        self._channels = {channel.name: channel for channel in channels}
        self._max_attempts = max_attempts
        self._untold: deque[KeyAlert] = deque(maxlen=_UNTOLD_AT_MOST)
        self._stopping = threading.Event()
        self._noted = threading.Event()
        """Set once nothing more is noted, so that a last look finds all there is."""
        self._threads = [
            threading.Thread(target=self._note, name="alert-sender", daemon=True),
            *(
                threading.Thread(
                    target=self._carry, args=(name,), name=f"alert-sender-{name}", daemon=True
                )
                for name in self._channels
            ),
        ]

    def start(self) -> None:
        """Begin to deliver."""
        for thread in self._threads:
            thread.start()

    def tell(self, alert: KeyAlert) -> None:
        """Have `alert` noted and delivered; doesn't block.

        While the database is away the newest wait in memory.
        """
        self._untold.append(alert)

    def close(self, timeout_s: float) -> None:
        """Deliver what is due, then stop; blocks. What is under way for longer is left to others.

        Another process, or the next start, delivers what this one did not.
        """
        self._stopping.set()
        until_s = time.monotonic() + timeout_s
        for thread in self._threads:
            if thread.is_alive():
                thread.join(max(0.0, until_s - time.monotonic()))

    def _note(self) -> None:
        forget_at_s = time.monotonic() + _FORGET_EVERY_S
        while True:
            stopping = self._stopping.is_set()
            try:
                self._note_untold()
                if time.monotonic() >= forget_at_s:
                    forget_at_s = time.monotonic() + _FORGET_EVERY_S
                    self._outbox.forget_old()
            except DatabaseUnavailableError:
                pass  # what is untold stays untold
            except Exception as fault:  # noqa: BLE001 - the thread must go on
                log_fault("alerts could not be noted", fault)
            if stopping:
                self._noted.set()
                return
            self._stopping.wait(_LOOK_EVERY_S)

    def _carry(self, channel: str) -> None:
        while True:
            stopping = self._noted.is_set()
            try:
                while claimed := self._outbox.claim_of(channel):
                    for delivery in claimed:
                        self._deliver(delivery)
            except DatabaseUnavailableError:
                pass  # what is due stays due
            except Exception as fault:  # noqa: BLE001 - the thread must go on
                log_fault("alerts could not be delivered", fault)
            if stopping:
                return
            self._noted.wait(_LOOK_EVERY_S)

    def _note_untold(self) -> None:
        while self._untold:
            alert = self._untold.popleft()
            try:
                self._outbox.note_key(alert)
            except DatabaseUnavailableError:
                self._untold.appendleft(alert)
                raise

    def _deliver(self, delivery: Delivery) -> None:
        failure = self._failure(delivery)
        if failure is None:
            self._outbox.sent(delivery)
        else:
            dead = delivery.attempts >= self._max_attempts
            again_in_s = None if dead else pause_s(delivery.attempts, random.random())  # noqa: S311
            self._outbox.failed(delivery, again_in_s=again_in_s)
            _log.log(
                logging.ERROR if dead else logging.WARNING,
                "an alert is given up" if dead else "an alert did not arrive; it is tried again",
                extra={
                    "alert_id": delivery.alert.id,
                    "channel": delivery.channel,
                    "attempts": delivery.attempts,
                    "reason": failure,
                },
            )

    def _failure(self, delivery: Delivery) -> str | None:
        """Why an alert did not arrive; None if it did."""
        try:
            self._channels[delivery.channel].deliver(delivery.alert)
        except DeliveryError as error:
            return str(error)
        except Exception as fault:  # noqa: BLE001 - one channel must not keep the others waiting
            log_fault("a channel of alerts failed", fault, channel=delivery.channel)
            return f"a fault of Headgate's own ({type(fault).__name__})"
        return None
