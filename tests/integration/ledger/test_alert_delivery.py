"""An alert reaches its channels, signed, is tried again, and is given up with a line in the log."""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, HTTPServer

import msgspec
import pytest
import sqlalchemy as sa

from headgate.config.alerts import AlertSettings, EmailSettings, SlackSettings, WebhookSettings
from headgate.errors import DatabaseUnavailableError
from headgate.ledger.alerts.alert import Alert, DeliveryError, KeyAlert
from headgate.ledger.alerts.mail import MailChannel
from headgate.ledger.alerts.outbox import AlertOutbox
from headgate.ledger.alerts.post import post_json
from headgate.ledger.alerts.sender import AlertSender, channels_of, pause_s
from headgate.ledger.alerts.slack import SlackChannel
from headgate.ledger.alerts.webhook import WebhookChannel, signature
from headgate.ledger.allowances.rule import Rule
from headgate.storage import Database
from headgate.storage.allowance_tables import alert_deliveries

SECRET = "a-secret-that-signs-alerts"

ALERT = Alert(
    id="alert_1",
    at=1_795_000_000,
    threshold=75,
    budget="usd/month per project",
    subject="project=support",
    window="month",
    window_began=1_793_491_200,
    limit_nanousd=100_000_000_000,
    spent_nanousd=75_500_000_000,
)

RULE = Rule(
    name="usd/month per project", kind="budget", measure="nanousd", window="month",
    limit=100_000_000_000, per=("project",), alerts_at=(75,),
)  # fmt: skip


class Receiver(HTTPServer):
    """Takes alerts; answers with the statuses it was given, then with 200."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.url = f"http://127.0.0.1:{self.server_port}/hook-of-a-secret-name"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.received.append(
            ({name.lower(): value for name, value in self.headers.items()}, body)
        )
        status = self.server.statuses.pop(0) if self.server.statuses else 200
        self.send_response(status)
        if status == 302:
            self.send_header("location", "/elsewhere")
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


class MailServer(socketserver.ThreadingTCPServer):
    """Speaks as much SMTP as one message needs."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _MailHandler)
        self.messages: list[str] = []


class _MailHandler(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 test\r\n")
        lines: list[str] | None = None
        for raw in self.rfile:
            line = raw.decode().rstrip("\r\n")
            if lines is not None:
                if line == ".":
                    self.server.messages.append("\n".join(lines))
                    lines = None
                    self.wfile.write(b"250 taken\r\n")
                else:
                    lines.append(line)
            elif line.upper() == "DATA":
                lines = []
                self.wfile.write(b"354 go on\r\n")
            elif line.upper() == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            else:
                self.wfile.write(b"250 fine\r\n")


@pytest.fixture
def receiver(monkeypatch) -> Iterator[Receiver]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server = Receiver()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def webhook(receiver: Receiver) -> WebhookChannel:
    return WebhookChannel(
        "ops", WebhookSettings(url=receiver.url, secret=SECRET), clock=lambda: 1_795_000_001.5
    )


def note(database: Database, outbox: AlertOutbox) -> None:
    with database.begin() as connection:
        outbox(connection, RULE, (RULE.name, "project=support", 5), 75, 76_000_000_000, 1)


def deliveries(database: Database) -> dict[str, tuple[str, int]]:
    with database.connect() as connection:
        rows = connection.execute(sa.select(alert_deliveries)).all()
    return {row.channel: (row.state, row.attempts) for row in rows}


def test_a_webhook_is_signed_over_time_and_body(receiver: Receiver):
    webhook(receiver).deliver(ALERT)
    ((headers, body),) = receiver.received
    assert headers["x-headgate-timestamp"] == "1795000001"
    assert headers["x-headgate-signature"] == signature(SECRET, 1_795_000_001, body)
    assert headers["idempotency-key"] == "alert_1"
    told = json.loads(body)
    assert told["threshold"] == 75
    assert told["spent_nanousd"] == 75_500_000_000
    assert SECRET.encode() not in body


@pytest.mark.parametrize("status", [302, 400, 503])
def test_what_is_not_answered_with_success_has_not_arrived(receiver: Receiver, status: int):
    receiver.statuses = [status]
    with pytest.raises(DeliveryError, match=str(status)) as caught:
        webhook(receiver).deliver(ALERT)
    assert "secret" not in str(caught.value)
    assert len(receiver.received) == 1, "a redirect is not followed"


@pytest.mark.parametrize("begins", [b"", b"HTTP/1.1 200 OK\r\nx-slow: "])
def test_an_answer_that_comes_byte_by_byte_keeps_nobody(monkeypatch, begins: bytes):
    monkeypatch.setattr("headgate.ledger.alerts.post._TIMEOUT_S", 0.3)
    over = threading.Event()

    def drip() -> None:
        connection, _ = listening.accept()
        with connection, suppress(OSError):
            connection.sendall(begins)
            while not over.wait(0.05):
                connection.sendall(b"a")

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=drip)
        thread.start()
        began_s = time.monotonic()
        with pytest.raises(DeliveryError, match="TimeoutError"):
            post_json(f"http://127.0.0.1:{listening.getsockname()[1]}/", b"{}", {})
        over.set()
        thread.join()
    assert time.monotonic() - began_s < 5


def test_an_address_that_nobody_answers_is_not_quoted(receiver: Receiver):
    channel = SlackChannel("ops", SlackSettings(url="http://127.0.0.1:1/services/T0/secret"))
    with pytest.raises(DeliveryError) as caught:
        channel.deliver(ALERT)
    assert "secret" not in str(caught.value)


def test_slack_gets_a_sentence(receiver: Receiver):
    SlackChannel("ops", SlackSettings(url=receiver.url)).deliver(ALERT)
    ((_, body),) = receiver.received
    text = json.loads(body)["text"]
    assert "project=support has come to 75 %" in text
    assert "$75.50 of $100.00" in text


def test_an_email_is_sent():
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        MailChannel(
            "ops",
            EmailSettings(
                host="127.0.0.1",
                port=server.server_address[1],
                security="none",
                sender="headgate@example.com",
                recipients=("ops@example.com", "finance@example.com"),
            ),
        ).deliver(ALERT)
        server.shutdown()
        thread.join()
    (message,) = server.messages
    assert "To: ops@example.com, finance@example.com" in message
    assert "Subject: 75 % of the budget usd/month per project (project=support) are" in message


def test_a_mail_server_that_will_not_encrypt_gets_nothing():
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        channel = MailChannel(
            "ops",
            EmailSettings(
                host="127.0.0.1",
                port=server.server_address[1],
                sender="headgate@example.com",
                recipients=("ops@example.com",),
            ),
        )
        with pytest.raises(DeliveryError):
            channel.deliver(ALERT)
        server.shutdown()
        thread.join()
    assert server.messages == []


def test_an_alert_goes_to_every_channel_once_whichever_process_sends_it(
    database: Database, receiver: Receiver, caplog
):
    settings = AlertSettings(
        webhooks={"ops": WebhookSettings(url=receiver.url, secret=SECRET)},
        slack={"team": SlackSettings(url=receiver.url)},
    )
    channels = channels_of(settings)
    outbox = AlertOutbox(database, [channel.name for channel in channels])
    note(database, outbox)
    note(database, outbox)
    senders = [AlertSender(outbox, channels, max_attempts=3) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        for sender in senders:
            sender.start()
        until_s = time.monotonic() + 10
        while {state for state, _ in deliveries(database).values()} != {"sent"}:
            assert time.monotonic() < until_s
            time.sleep(0.02)
        for sender in senders:
            sender.close(5)
    assert deliveries(database) == {
        "log": ("sent", 1), "webhook:ops": ("sent", 1), "slack:team": ("sent", 1),
    }  # fmt: skip
    assert len(receiver.received) == 2
    lines = [record for record in caplog.records if "threshold" in record.getMessage()]
    assert len(lines) == 1


class Hanging:
    """A channel that does not answer until it is told to."""

    name = "webhook:hangs"

    def __init__(self) -> None:
        self.goes_on = threading.Event()

    def deliver(self, _alert: object) -> None:
        self.goes_on.wait(30)


def test_a_channel_that_hangs_keeps_no_other_waiting(database: Database, receiver: Receiver):
    channels = Hanging(), webhook(receiver)
    outbox = AlertOutbox(database, [channel.name for channel in channels])
    note(database, outbox)
    sender = AlertSender(outbox, channels, max_attempts=3)
    sender.start()
    until_s = time.monotonic() + 10
    while deliveries(database)["webhook:ops"] != ("sent", 1):
        assert time.monotonic() < until_s
        time.sleep(0.02)
    assert deliveries(database)["webhook:hangs"] == ("waiting", 1)
    channels[0].goes_on.set()
    sender.close(5)
    assert deliveries(database)["webhook:hangs"] == ("sent", 1)


def test_an_alert_that_does_not_arrive_is_tried_again_and_then_given_up(
    database: Database, receiver: Receiver, caplog
):
    receiver.statuses = [500] * 10
    outbox = AlertOutbox(database, ["webhook:ops"])
    note(database, outbox)
    sender = AlertSender(outbox, [webhook(receiver)], max_attempts=2)
    with caplog.at_level(logging.WARNING):
        (first,) = outbox.claim()
        sender._deliver(first)
        assert deliveries(database) == {"webhook:ops": ("waiting", 1)}
        assert outbox.claim() == [], "it is not due yet"
        with database.begin() as connection:
            connection.execute(sa.update(alert_deliveries).values(due_at_us=1))
        (second,) = outbox.claim()
        sender._deliver(second)
    assert deliveries(database) == {"webhook:ops": ("dead", 2)}
    assert [record.levelname for record in caplog.records] == ["WARNING", "ERROR"]
    assert "secret" not in caplog.text


def test_pauses_grow_and_are_bounded():
    assert [pause_s(n, 1.0) for n in (1, 2, 3, 20, 1000)] == [2, 4, 8, 300, 300]
    assert pause_s(3, 0.0) == 4


KEY_ALERT = KeyAlert(
    id="alert_2",
    at=1_795_000_000,
    provider="openai",
    provider_key="team-a",
    status=401,
    reason="invalid_api_key",
    keys_left=0,
)


def test_a_refused_key_is_told_once_however_many_processes_see_it(
    database: Database, receiver: Receiver, caplog
):
    settings = AlertSettings(
        webhooks={"ops": WebhookSettings(url=receiver.url, secret=SECRET)},
        slack={"team": SlackSettings(url=receiver.url)},
    )
    channels = channels_of(settings)
    outbox = AlertOutbox(database, [channel.name for channel in channels])
    senders = [AlertSender(outbox, channels, max_attempts=3) for _ in range(2)]
    with caplog.at_level(logging.WARNING):
        for number, sender in enumerate(senders):
            sender.tell(msgspec.structs.replace(KEY_ALERT, id=f"alert_{number}"))
            sender.start()
        for sender in senders:
            sender.close(10)
    bodies = [json.loads(body) for _, body in receiver.received]
    assert len(bodies) == 2
    assert {"type": "provider_key.out", "keys_left": 0}.items() <= next(
        body for body in bodies if "type" in body
    ).items()
    assert "refused the key `team-a`" in next(body["text"] for body in bodies if "text" in body)
    assert caplog.records == [], "whoever saw the refusal has logged it"
    later = msgspec.structs.replace(KEY_ALERT, id="alert_3", at=KEY_ALERT.at + 900)
    outbox.note_key(later)
    assert {delivery.alert for delivery in outbox.claim()} == {later}


def test_a_key_alert_waits_for_the_database(database: Database, monkeypatch):
    outbox = AlertOutbox(database, ["log"])
    sender = AlertSender(outbox, channels_of(AlertSettings()), max_attempts=3)
    sender.tell(KEY_ALERT)
    with monkeypatch.context() as away:
        away.setattr(outbox, "note_key", _is_away)
        with pytest.raises(DatabaseUnavailableError):
            sender._note_untold()
    sender._note_untold()
    assert [delivery.alert for delivery in outbox.claim()] == [KEY_ALERT]


def _is_away(alert: KeyAlert) -> None:
    raise DatabaseUnavailableError(alert.id)
