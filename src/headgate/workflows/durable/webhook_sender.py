"""Tells addresses of the end of runs: one thread a process, and a few that post."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import NamedTuple

from headgate.errors import DatabaseUnavailableError, InvalidRequestError
from headgate.ledger.alerts.alert import DeliveryError
from headgate.ledger.alerts.post import post_json
from headgate.ledger.alerts.sender import pause_s
from headgate.ledger.alerts.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from headgate.telemetry.faults import log_fault
from headgate.workflows.durable.webhook_lanes import QUICK_AT_ONCE, SLOW_AT_ONCE, Lanes
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.durable.webhooks import Telling, WebhookOutbox

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_FORGET_EVERY_S = 3600.0
_BUSY_LOOK_EVERY_S = 0.1
"""How often it looks for more while some are on their way."""

ID_HEADER = "x-headgate-event-id"


class _Failure(NamedTuple):
    """Why a message did not arrive."""

    reason: str
    dead: bool
    """Whether it is given up."""


class WebhookSender:
    """The thread that delivers; `start()` it, and `close()` it at the end."""

    def __init__(
        self,
        outbox: WebhookOutbox,
        rule: WebhookRule,
        secret: str,
        *,
        max_attempts: int,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._outbox = outbox
        self._rule = rule
        self._secret = secret
        self._max_attempts = max_attempts
        self._clock = clock
        self._stopping = threading.Event()
        self._lanes = Lanes()
        self._posts: dict[Future[float], str] = {}
        """What is on its way: the messages' identifiers, by what tells when they were posted."""
        self._posting = ThreadPoolExecutor(
            QUICK_AT_ONCE + SLOW_AT_ONCE, thread_name_prefix="headgate-webhooks"
        )
        self._thread = threading.Thread(target=self._run, name="headgate-webhooks", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    def close(self, timeout_s: float) -> None:
        """Stop; blocks. What has not arrived is delivered by another process or the next start."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        self._posting.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        forget_at_s = 0.0
        while not self._stopping.is_set():
            try:
                begun = self._begin_more()
                if time.monotonic() >= forget_at_s:
                    forget_at_s = time.monotonic() + _FORGET_EVERY_S
                    self._outbox.forget_old()
            except DatabaseUnavailableError:
                begun = []  # what is due stays due
            except Exception as fault:  # noqa: BLE001 - the thread must go on
                begun = []
                log_fault("webhooks could not be delivered", fault)
            if begun:
                wait(begun, _BUSY_LOOK_EVERY_S)
            else:
                self._stopping.wait(_BUSY_LOOK_EVERY_S if self._posts else _LOOK_EVERY_S)

    def _begin_more(self) -> list[Future[float]]:
        """Begin what is due and has room."""
        lanes, now_s = self._lanes, time.monotonic()
        for post in [post for post in self._posts if post.done()]:
            lanes.ended(self._posts.pop(post), post.result())
        lanes.look(now_s)
        claimed = self._outbox.claim_others(lanes.quick_room, lanes.slow)
        claimed += self._outbox.claim_one_each(lanes.slow_room, lanes.slow_free)
        begun = []
        for telling in claimed:
            lanes.began(telling.id, telling.url, time.monotonic())
            begun.append(self._posting.submit(self._deliver, telling))
            self._posts[begun[-1]] = telling.id
        return begun

    def _deliver(self, telling: Telling) -> float:
        """Post it and note what came of it; return when it was posted."""
        posted_s = None
        try:
            failure = self._post(telling)
            posted_s = time.monotonic()
            if failure is None:
                self._outbox.sent(telling)
            else:
                self._failed(telling, failure)
        except DatabaseUnavailableError:
            pass  # it is told again, under the same id
        except Exception as fault:  # noqa: BLE001 - nobody else looks after this thread's work
            log_fault("a webhook could not be delivered", fault, run_id=telling.run_id)
        return posted_s or time.monotonic()

    def _post(self, telling: Telling) -> _Failure | None:
        """What went wrong; None where it has arrived."""
        try:
            # What was allowed when the run was taken may not be any more.
            self._rule.check(telling.url)
            now_s = int(self._clock())
            post_json(
                telling.url,
                telling.body,
                {
                    ID_HEADER: telling.id,
                    "idempotency-key": telling.id,
                    TIMESTAMP_HEADER: str(now_s),
                    SIGNATURE_HEADER: signature(self._secret, now_s, telling.body),
                },
            )
        except InvalidRequestError:
            return _Failure("the address is not allowed any more", dead=True)
        except DeliveryError as error:
            return _Failure(str(error), dead=telling.attempts >= self._max_attempts)
        return None

    def _failed(self, telling: Telling, failure: _Failure) -> None:
        dead = failure.dead
        again_in_s = None if dead else pause_s(telling.attempts, random.random())  # noqa: S311
        self._outbox.failed(telling, again_in_s=again_in_s)
        _log.log(
            logging.ERROR if dead else logging.WARNING,
            "a webhook is given up" if dead else "a webhook did not arrive; it is tried again",
            extra={
                "event_id": telling.id,
                "run_id": telling.run_id,
                "attempts": telling.attempts,
                "reason": failure.reason,
            },
        )
