"""A process that is killed while it sends an alert: another sends it later, under the same id."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sqlalchemy as sa

from headgate.config.alerts import AlertSettings, WebhookSettings
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.alerts.sender import AlertSender, channels_of
from headgate.ledger.allowances.rule import Rule
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries

SECRET = "a-secret-that-signs-alerts"
RULE = Rule(
    name="usd/month per project", kind="budget", measure="nanousd", window="month",
    limit=100_000_000_000, per=("project",), alerts_at=(75,),
)  # fmt: skip

SENDS = """
import sys, time
from headgate.config.alerts import AlertSettings, WebhookSettings
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.alerts.sender import AlertSender, channels_of
from headgate.storage import Database
webhook = WebhookSettings(url=sys.argv[2], secret=sys.argv[3])
channels = channels_of(AlertSettings(webhooks={"ops": webhook}))
outbox = AlertOutbox(Database(sys.argv[1]), ["webhook:ops"])
AlertSender(outbox, channels, max_attempts=3).start()
time.sleep(60)
"""


class _Handler(BaseHTTPRequestHandler):
    received: list[dict[str, object]]
    came: threading.Event
    answers: threading.Event

    def do_POST(self) -> None:
        self.received.append(json.loads(self.rfile.read(int(self.headers["content-length"]))))
        self.came.set()
        if not self.answers.wait(30):
            return
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass

    def handle(self) -> None:
        # Whoever sent it may have been killed.
        with contextlib.suppress(OSError):
            super().handle()


class Receiver:
    """Takes alerts, and answers none before `answers` is set."""

    def __init__(self) -> None:
        self.received: list[dict[str, object]] = []
        self.came, self.answers = threading.Event(), threading.Event()
        handler = type(
            "Handler",
            (_Handler,),
            {"received": self.received, "came": self.came, "answers": self.answers},
        )
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}/"
        self.thread = threading.Thread(
            target=self.server.serve_forever, kwargs={"poll_interval": 0.02}
        )


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    receiver = Receiver()
    receiver.thread.start()
    yield receiver
    receiver.answers.set()
    receiver.server.shutdown()
    receiver.thread.join()
    receiver.server.server_close()


def state(database: Database) -> tuple[str, int]:
    with database.connect() as connection:
        row = connection.execute(sa.select(alert_deliveries)).one()
    return row.state, row.attempts


def test_what_a_killed_process_was_sending_is_sent_by_another(
    database_url: str, receiver: Receiver
):
    database = Database(database_url)
    outbox = AlertOutbox(database, ["webhook:ops"])
    for _ in range(2):
        with database.begin() as connection:
            key = (RULE.name, "project=support", 5)
            outbox(connection, RULE, key, 75, 76_000_000_000, 1)
    sender = subprocess.Popen([sys.executable, "-c", SENDS, database_url, receiver.url, SECRET])
    assert receiver.came.wait(20)
    sender.kill()
    sender.wait()
    assert state(database) == ("waiting", 1)
    assert outbox.claim() == [], "for a minute it is the killed one's"
    with database.begin() as connection:
        connection.execute(sa.update(alert_deliveries).values(due_at_us=0))
    receiver.answers.set()
    channels = channels_of(
        AlertSettings(webhooks={"ops": WebhookSettings(url=receiver.url, secret=SECRET)})
    )
    other = AlertSender(outbox, channels, max_attempts=3)
    other.start()
    other.close(20)
    assert state(database) == ("sent", 2)
    assert len(receiver.received) == 2, "at least once: nobody knows whether the first arrived"
    assert len({alert["id"] for alert in receiver.received}) == 1
    database.close()
