"""POST /v1/realtime/client_secrets: a secret that opens nothing here."""

from __future__ import annotations

import time
from typing import Any

from headgate.simulator.endpoints.identifier import new_id
from headgate.simulator.exchange import Exchange
from headgate.simulator.wire.reply import Reply, json_reply


def create_client_secret(exchange: Exchange, _: str) -> Reply:
    """A secret and the session it would begin."""
    body = exchange.request.json_object() if exchange.request.body else {}
    asked: Any = body.get("session") or {}
    expires: Any = body.get("expires_after") or {}
    session = {
        "id": new_id("sess_"),
        "object": "realtime.session",
        "type": "realtime",
        "model": "gpt-realtime",
        **asked,
    }
    return json_reply(
        {
            "value": new_id("ek_"),
            "expires_at": int(time.time()) + int(expires.get("seconds") or 600),
            "session": session,
        }
    )
