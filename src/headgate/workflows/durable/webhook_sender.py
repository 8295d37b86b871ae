"""Tells addresses of the end of runs: one thread a process, and a few that post."""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait

from headgate.errors import DatabaseUnavailableError, InvalidRequestError
from headgate.ledger.alerts.alert import DeliveryError
from headgate.ledger.alerts.post import post_json
from headgate.ledger.alerts.sender import pause_s
from headgate.ledger.alerts.webhook import SIGNATURE_HEADER, TIMESTAMP_HEADER, signature
from headgate.telemetry.faults import log_fault
from headgate.workflows.durable.webhook_rule import WebhookRule
from headgate.workflows.durable.webhooks import Telling, WebhookOutbox

_log = logging.getLogger(__name__)

_LOOK_EVERY_S = 0.5
_FORGET_EVERY_S = 3600.0
_POSTS_AT_ONCE = 8
_QUICK_S = 0.1
"""Posts that arrive within it make room together; slower ones keep nobody waiting longer."""

ID_HEADER = "x-headgate-event-id"


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
        self._posting = ThreadPoolExecutor(_POSTS_AT_ONCE, thread_name_prefix="headgate-webhooks")
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
        posts: set[Future[None]] = set()
        while not self._stopping.is_set():
            pause_s = _LOOK_EVERY_S
            try:
                claimed = self._outbox.claim(_POSTS_AT_ONCE - len(posts))
                posts |= {self._posting.submit(self._deliver, telling) for telling in claimed}
                if claimed or len(posts) == _POSTS_AT_ONCE:
                    pause_s = 0.0
                    posts = wait(posts, _QUICK_S).not_done
                if time.monotonic() >= forget_at_s:
                    forget_at_s = time.monotonic() + _FORGET_EVERY_S
                    self._outbox.forget_old()
            except DatabaseUnavailableError:
                pass  # what is due stays due
            except Exception as fault:  # noqa: BLE001 - the thread must go on
                log_fault("webhooks could not be delivered", fault)
            self._stopping.wait(pause_s)
            posts = {post for post in posts if not post.done()}

    def _deliver(self, telling: Telling) -> None:
        try:
            self._post(telling)
        except DatabaseUnavailableError:
            pass  # it is told again, under the same id
        except Exception as fault:  # noqa: BLE001 - nobody asks what became of this thread's work
            log_fault("a webhook could not be delivered", fault, run_id=telling.run_id)

    def _post(self, telling: Telling) -> None:
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
            self._failed(telling, "the address is not allowed any more", dead=True)
        except DeliveryError as error:
            dead = telling.attempts >= self._max_attempts
            self._failed(telling, str(error), dead=dead)
        else:
            self._outbox.sent(telling)

    def _failed(self, telling: Telling, reason: str, *, dead: bool) -> None:
        again_in_s = None if dead else pause_s(telling.attempts, random.random())  # noqa: S311
        self._outbox.failed(telling, again_in_s=again_in_s)
        _log.log(
            logging.ERROR if dead else logging.WARNING,
            "a webhook is given up" if dead else "a webhook did not arrive; it is tried again",
            extra={
                "event_id": telling.id,
                "run_id": telling.run_id,
                "attempts": telling.attempts,
                "reason": reason,
            },
        )
