"""A small CRM that also knows how the product is used: real HTTP, invented customers.

    GET /accounts/{id}           the account and its contract
    GET /accounts/{id}/notes     what was noted about it, newest first
    GET /accounts/{id}/usage     how it used the product in the last weeks

It wants `Authorization: Bearer …` with the token that the environment's CRM_TOKEN says.
"""

import hmac
import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from accounts import ACCOUNTS

DEFAULT_PORT = 8810
VARIABLE = "CRM_URL"
"""What headgate.yaml takes the service's address from."""

_TOKEN = os.environ.get("CRM_TOKEN", "sample-token")


def serve(port: int) -> ThreadingHTTPServer:
    """The service, listening on `port` of this machine; 0 takes a free one."""
    return ThreadingHTTPServer(("127.0.0.1", port), _Crm)


class _Crm(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    server_version = "sample-crm"

    def do_GET(self) -> None:
        said = self.headers.get("authorization", "")
        if not hmac.compare_digest(said.encode(), f"Bearer {_TOKEN}".encode()):
            self._answer(401, {"error": "send the token of CRM_TOKEN"})
            return
        status, body = _found(urlsplit(self.path).path)
        self._answer(status, body)

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *args: object) -> None:
        """Say nothing: what is asked for is somebody's business."""


def _found(path: str) -> tuple[int, dict[str, Any]]:
    steps = [unquote(step) for step in path.strip("/").split("/")]
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
    return 404, {"error": "no such thing"}
