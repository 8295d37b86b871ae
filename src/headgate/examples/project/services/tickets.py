"""A small ticket service for Headgate's tools to act on: HTTP in front of one SQLite file.

    python services/tickets.py

It needs nothing but Python. Put your own service in its place; what Headgate asks of one is the
`Idempotency-Key`: a ticket that is asked for twice with the same key is made once.

    POST /tickets        {"title", "description"?, "priority"?, "customer_id"?, "tags"?}
    GET  /tickets        ?customer_id=…&limit=…, newest first
    GET  /tickets/{id}
    GET  /healthz
"""

from __future__ import annotations

import argparse
import datetime as dt
import hmac
import json
import os
import sqlite3
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

PRIORITIES = ("low", "medium", "high", "urgent")
LARGEST_BODY = 64 * 1024
LONGEST_KEY = 200
LONGEST_LIST = 200

DEFAULT_PORT = 8820
VARIABLE = "TICKETS_URL"
SLOW_S = "0"
"""How late it answers where start.py starts it."""

DATABASE = Path(__file__).resolve().parent.parent / "data" / "tickets.db"

SCHEMA = """
CREATE TABLE IF NOT EXISTS tickets (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    fields TEXT NOT NULL,
    customer_id TEXT,
    created_at TEXT NOT NULL,
    idempotency_key TEXT UNIQUE
)
"""


class RefusedError(Exception):
    """A request that can't be answered as it is; what the client is told."""

    def __init__(self, status: int, code: str, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.error = {"code": code, "message": message} | ({"field": field} if field else {})


def checked(body: object) -> dict:
    """The fields of a new ticket, with defaults where they are left out."""
    if not isinstance(body, dict):
        raise RefusedError(422, "invalid", "The body must be a JSON object.")
    fields = {"description": "", "priority": "medium", "customer_id": None, "tags": []} | body
    for name in sorted(fields.keys() - {"title", *Tickets.OPTIONAL}):
        raise RefusedError(422, "invalid", "There is no such field.", name)
    for name, least, most in (("title", 1, 200), ("description", 0, 10_000)):
        if not _has(fields.get(name), least, most):
            raise RefusedError(422, "invalid", f"Write {least} to {most} characters.", name)
    if fields["priority"] not in PRIORITIES:
        raise RefusedError(422, "invalid", f"Must be one of {', '.join(PRIORITIES)}.", "priority")
    if fields["customer_id"] is not None and not _has(fields["customer_id"], 1, 100):
        raise RefusedError(422, "invalid", "Write 1 to 100 characters, or null.", "customer_id")
    tags = fields["tags"]
    if not isinstance(tags, list) or len(tags) > 20 or not all(_has(tag, 1, 50) for tag in tags):
        raise RefusedError(422, "invalid", "Write a list of 20 short texts at most.", "tags")
    return {name: fields[name] for name in ("title", *Tickets.OPTIONAL)}


def _counts(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 16


def _has(text: object, least: int, most: int) -> bool:
    """Whether it is a text of so many characters, none of them half a one."""
    if not isinstance(text, str) or not least <= len(text.strip()) or len(text) > most:
        return False
    return not any("\ud800" <= character <= "\udfff" for character in text)


class Tickets:
    """The tickets, in one file. Threads take turns."""

    OPTIONAL = ("description", "priority", "customer_id", "tags")

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._turn = threading.Lock()
        self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute(SCHEMA)

    def create(self, fields: dict, key: str | None) -> tuple[dict, bool]:
        """The ticket, and whether it is new: of a key that was used before, the same again."""
        text = json.dumps(fields, sort_keys=True)
        now = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        with self._turn:
            made = self._file.execute(
                "INSERT INTO tickets (fields, customer_id, created_at, idempotency_key)"
                " VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (text, fields["customer_id"], now, key),
            )
            if made.rowcount == 1:
                return self._shown((made.lastrowid, text, now)), True
            row = self._file.execute(
                "SELECT number, fields, created_at FROM tickets WHERE idempotency_key = ?", (key,)
            ).fetchone()
        if row[1] != text:
            message = "This key was used for another ticket; take a new one."
            raise RefusedError(422, "idempotency_key_reused", message)
        return self._shown(row), False

    def get(self, ticket_id: str) -> dict:
        """The ticket with this id."""
        number = ticket_id.removeprefix("T-")
        row = None
        if ticket_id.startswith("T-") and _counts(number):
            with self._turn:
                row = self._file.execute(
                    "SELECT number, fields, created_at FROM tickets WHERE number = ?",
                    (int(number),),
                ).fetchone()
        if row is None:
            raise RefusedError(404, "not_found", "There is no such ticket.")
        return self._shown(row)

    def list(self, customer_id: str | None, limit: int) -> list[dict]:
        """The newest tickets, of one customer or of all."""
        with self._turn:
            rows = self._file.execute(
                "SELECT number, fields, created_at FROM tickets"
                " WHERE ? IS NULL OR customer_id = ? ORDER BY number DESC LIMIT ?",
                (customer_id, customer_id, limit),
            ).fetchall()
        return [self._shown(row) for row in rows]

    @staticmethod
    def _shown(row: tuple) -> dict:
        number, fields, created_at = row
        return {"id": f"T-{number}", "status": "open", "created_at": created_at} | json.loads(
            fields
        )


class Server(ThreadingHTTPServer):
    """The service, with the faults that a demonstration asks it to have."""

    daemon_threads = True

    def __init__(self, options: argparse.Namespace) -> None:
        self.tickets = Tickets(options.database)
        self.token = options.token
        self.slow_s = options.slow
        self._faults = {"refuse": options.refuse, "drop_answers": options.drop_answers}
        self._turn = threading.Lock()
        super().__init__((options.host, options.port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that left; the rest with where it came from."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)

    def takes(self, fault: str) -> bool:
        """Whether this request is one of those that are to go wrong in this way."""
        with self._turn:
            left = self._faults[fault]
            self._faults[fault] = max(0, left - 1)
            return left > 0


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "Tickets"
    sys_version = ""
    timeout = 30

    def do_GET(self) -> None:
        """One ticket, or several."""
        self._answer(self._read)

    def do_POST(self) -> None:
        """A new ticket."""
        self._answer(self._create)

    def _answer(self, work) -> None:  # noqa: ANN001 - one of the two below
        try:
            body = self._body()
            address = urlsplit(self.path)
            if address.path != "/healthz":
                self._check_token()
            answer = work(address, body)
        except RefusedError as refused:
            answer = refused.status, {"error": refused.error}
        if self.server.slow_s:
            time.sleep(self.server.slow_s)
        if answer is None:
            self.close_connection = True
            return
        status, content = answer
        encoded = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(encoded)))
        self.end_headers()
        self.wfile.write(encoded)

    def _read(self, address, _body: bytes) -> tuple[int, object]:  # noqa: ANN001 - as parsed
        match [unquote(part) for part in address.path.split("/")[1:]]:
            case ["healthz"]:
                return 200, {"status": "ok"}
            case ["tickets"]:
                asked = {name: values[-1] for name, values in parse_qs(address.query).items()}
                limit = asked.get("limit", "50")
                if not _counts(limit) or not 1 <= int(limit) <= LONGEST_LIST:
                    message = f"Write a number from 1 to {LONGEST_LIST}."
                    raise RefusedError(400, "invalid", message, "limit")
                found = self.server.tickets.list(asked.get("customer_id"), int(limit))
                return 200, {"tickets": found}
            case ["tickets", ticket_id]:
                return 200, self.server.tickets.get(ticket_id)
        raise RefusedError(404, "not_found", "There is nothing at this address.")

    def _create(self, address, body: bytes) -> tuple[int, object] | None:  # noqa: ANN001
        if address.path != "/tickets":
            raise RefusedError(404, "not_found", "There is nothing at this address.")
        if self.server.takes("refuse"):
            raise RefusedError(503, "unavailable", "Nothing was done; come back later.")
        try:
            sent = json.loads(body)
        except (ValueError, RecursionError):
            raise RefusedError(400, "not_json", "The body must be JSON.") from None
        key = self.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= LONGEST_KEY:
            message = f"Idempotency-Key must have 1 to {LONGEST_KEY} characters."
            raise RefusedError(400, "invalid", message)
        ticket, new = self.server.tickets.create(checked(sent), key)
        if new and self.server.takes("drop_answers"):
            return None
        return (201 if new else 200), ticket

    def _body(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if not _counts(length) or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            raise RefusedError(411, "length_required", "Say how long the body is.")
        if int(length) > LARGEST_BODY:
            self.close_connection = True
            raise RefusedError(413, "too_large", f"A body has {LARGEST_BODY} bytes at most.")
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionAbortedError
        return body

    def _check_token(self) -> None:
        token = self.server.token
        said = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token and not hmac.compare_digest(said.encode(), token.encode()):
            raise RefusedError(401, "unauthorized", "Send Authorization: Bearer and the token.")

    def log_request(self, code: object = "-", *_: object) -> None:
        """One line a request, without what it holds."""
        path = getattr(self, "path", "-").partition("?")[0]
        sys.stderr.write(f"{self.command} {path!r} {code}\n")

    def log_error(self, *_: object) -> None:
        """Nothing: a connection that was left alone is no error here."""


def options(arguments: list[str] | None = None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="0: any that is free")
    parser.add_argument("--database", type=Path, default=DATABASE)
    parser.add_argument(
        "--token",
        default=os.environ.get("TICKETS_TOKEN"),
        help="asked of every request, as a Bearer token; by default TICKETS_TOKEN",
    )
    faults = parser.add_argument_group("faults, to see what becomes of them")
    faults.add_argument("--slow", type=float, default=0, metavar="S", help="answer S seconds late")
    faults.add_argument(
        "--refuse", type=int, default=0, metavar="N", help="refuse the first N tickets with 503"
    )
    faults.add_argument(
        "--drop-answers",
        type=int,
        default=0,
        metavar="N",
        help="make the first N new tickets, and drop the connection without an answer",
    )
    return parser.parse_args(arguments)


def serve(port: int) -> ThreadingHTTPServer:
    """The service, listening on `port` (0: a free one) and not yet answering."""
    return Server(options(["--port", str(port), "--slow", SLOW_S]))


def main() -> None:
    """Serve until it is interrupted."""
    chosen = options()
    server = Server(chosen)
    host, port = server.server_address[:2]
    sys.stdout.write(f"Tickets at http://{host}:{port}, kept in {chosen.database}\n")
    sys.stdout.flush()
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        server.server_close()


if __name__ == "__main__":
    main()
