"""Whether a server answers where the other commands look for it, and is ready."""

from __future__ import annotations

import http.client

import msgspec

from headgate.cli.api_client import connection_to
from headgate.cli.diagnosis.finding import Finding
from headgate.intake.http.health_api import ReadinessView

_OF = "server"
_TIMEOUT_S = 5.0
_MAX_REPLY_BYTES = 64 * 1024


def look_at_server(url: str) -> Finding:
    """What a server at `url` says of itself. Raises `click.UsageError` where that is no address."""
    connection, prefix = connection_to(url, _TIMEOUT_S)
    try:
        connection.request("GET", f"{prefix}/readyz")
        reply = connection.getresponse()
        body = reply.read(_MAX_REPLY_BYTES)
    except ConnectionRefusedError:
        return Finding(of=_OF, state="not_asked", says=f"none answers at {url}")
    except (OSError, http.client.HTTPException) as error:
        return Finding(
            of=_OF,
            state="failed",
            says=f"{url} does not answer as it should ({type(error).__name__})",
            remedy="name another with --url or HEADGATE_URL",
        )
    finally:
        connection.close()
    try:
        ready = msgspec.json.decode(body, type=ReadinessView)
    except msgspec.DecodeError:
        return Finding(
            of=_OF,
            state="failed",
            says=f"what answers at {url} is no Headgate ({reply.status})",
            remedy="name another with --url or HEADGATE_URL",
        )
    if ready.status == "ready":
        return Finding(of=_OF, state="ok", says=f"ready at {url}")
    wrong = "; ".join(
        f"{name}: {check.message or 'failed'}"
        for name, check in ready.checks.items()
        if not check.ok
    )
    return Finding(of=_OF, state="failed", says=f"not ready at {url}: {wrong}")
