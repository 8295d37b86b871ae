"""A small CRM that also knows how the product is used: real HTTP, invented customers.

    GET /accounts/{id}           the account and its contract
    GET /accounts/{id}/notes     what was noted about it, newest first
    GET /accounts/{id}/usage     how it used the product in the last weeks
    GET /accounts/{id}/briefs    briefs that were filed with it, newest first
    POST /accounts/{id}/briefs   files one; twice with the same Idempotency-Key is once

It wants `Authorization: Bearer …` with the token that the environment's CRM_TOKEN says.
"""

import hmac
import json
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from accounts import ACCOUNTS

DEFAULT_PORT = 8810
VARIABLE = "CRM_URL"
"""What headgate.yaml takes the service's address from."""

LARGEST_BODY = 64 * 1024
MOST_BRIEFS = 1000
"""Of all accounts; they are kept until the service ends."""

_TOKEN = os.environ.get("CRM_TOKEN", "sample-token")


def serve(port: int) -> ThreadingHTTPServer:
    """The service, listening on `port` of this machine; 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), _Crm)


class _Crm(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server_version = "sample-crm"

    def do_GET(self) -> None:
        if self._is_welcome():
            self._answer(*_found(_steps(self.path)))

    def do_POST(self) -> None:
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._answer(413, {"error": f"send {LARGEST_BODY} bytes at most, and say how many"})
            return
        content = self.rfile.read(int(length))
        if self._is_welcome():
            key = self.headers.get("idempotency-key")
            self._answer(*_filed(_steps(self.path), content, key))

    def _is_welcome(self) -> bool:
        said = self.headers.get("authorization", "")
        if hmac.compare_digest(said.encode(), f"Bearer {_TOKEN}".encode()):
            return True
        self._answer(401, {"error": "send the token of CRM_TOKEN"})
        return False

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing: what is asked for is somebody's business."""


def _steps(target: str) -> list[str]:
    return [unquote(step) for step in urlsplit(target).path.strip("/").split("/")]


def _found(steps: list[str]) -> tuple[int, dict[str, Any]]:
    if steps == ["healthz"]:
        return 200, {"status": "ok"}
    account = ACCOUNTS.get(steps[1]) if len(steps) > 1 and steps[0] == "accounts" else None
    if account is None:
        return 404, {"error": "no such account"}
    match steps[2:]:
        case []:
            shown = {name: account[name] for name in account if name not in ("notes", "usage")}
            return 200, {"account": {"id": steps[1], **shown}}
        case ["notes"]:
            return 200, {"notes": account["notes"]}
        case ["usage"] if account["usage"] is not None:
            return 200, {"usage": account["usage"]}
        case ["briefs"]:
            filed = [brief for brief in _briefs.values() if brief["account_id"] == steps[1]]
            return 200, {"briefs": filed[::-1]}
    return 404, {"error": "no such thing"}


_briefs: dict[str, dict[str, Any]] = {}
"""By the Idempotency-Key that each came with."""

_filing = threading.Lock()


def _filed(steps: list[str], content: bytes, key: str | None) -> tuple[int, dict[str, Any]]:
    if len(steps) != 3 or steps[0] != "accounts" or steps[2] != "briefs":
        return 404, {"error": "no such thing"}
    if steps[1] not in ACCOUNTS:
        return 404, {"error": "no such account"}
    if not key:
        return 400, {"error": "send an Idempotency-Key"}
    try:
        brief = json.loads(content)
    except ValueError:
        brief = None
    if not isinstance(brief, dict) or not brief:
        return 422, {"error": "a brief is a JSON object"}
    with _filing:
        if (earlier := _briefs.get(key)) is not None:
            same = earlier["brief"] == brief and earlier["account_id"] == steps[1]
            return (200, earlier) if same else (422, {"error": "the key is of another brief"})
        if len(_briefs) >= MOST_BRIEFS:
            return 503, {"error": "there is no room for more briefs"}
        made = {"id": f"B-{len(_briefs) + 1}", "account_id": steps[1], "brief": brief}
        _briefs[key] = made
    return 201, made
