"""Posts spans to a collector over OTLP/HTTP, again where it may pass, until the batch's time is up.

A collector that answers 429, 502, 503 or 504 wants the same again, later; any other error it would
repeat (https://opentelemetry.io/docs/specs/otlp/#failures). Redirects are not followed: spans, and
the token that goes with them, go where the operator wrote.
"""

from __future__ import annotations

import gzip
import random
import ssl
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from http.client import HTTPException

from headgate import __version__
from headgate.config.trace_plan import TracePlan
from headgate.errors import ConfigError
from headgate.telemetry.no_redirects import NoRedirects
from headgate.telemetry.traces.otlp import encoded
from headgate.telemetry.traces.span import Span

_AGAIN = (429, 502, 503, 504)
_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 30.0
_LEAST_S = 0.1


class HttpSender:
    """The way to one collector; used by one thread, closed by another.

    Raises `ConfigError` for certificates that can't be used.
    """

    def __init__(self, plan: TracePlan) -> None:
        self._url = plan.url
        self._timeout_s = plan.timeout_s
        self._gzip = plan.gzip
        self._resource = {"service.version": __version__, **plan.resource}
        self._headers: Mapping[str, str] = {
            **plan.headers,
            "content-type": "application/x-protobuf",
            "user-agent": f"headgate/{__version__}",
            **({"content-encoding": "gzip"} if plan.gzip else {}),
        }
        # The system's certificates take 2 MB that a collector without TLS can do without.
        tls = [urllib.request.HTTPSHandler(context=_tls(plan))] if _has_tls(plan) else []
        self._opener = urllib.request.build_opener(NoRedirects, *tls)
        self._closed = threading.Event()

    def send(self, spans: Sequence[Span]) -> bool:
        """Whether the collector accepted `spans`; blocks for the plan's `timeout_s` at most."""
        body = encoded(spans, self._resource, version=__version__)
        if self._gzip:
            body = gzip.compress(body, 1)
        end_by_s = time.monotonic() + self._timeout_s
        pause_s = _FIRST_PAUSE_S
        while True:
            left_s = end_by_s - time.monotonic()
            accepted, wait_s = self._post(body, max(left_s, _LEAST_S))
            if accepted or wait_s is None:
                return accepted
            # Not all at once, where several processes found the collector away.
            wait_s = max(wait_s, pause_s * (0.5 + random.random() / 2))  # noqa: S311
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
            if time.monotonic() + wait_s > end_by_s or self._closed.wait(wait_s):
                return False

    def close(self) -> None:
        """Let a `send` that waits to try again give up."""
        self._closed.set()

    def _post(self, body: bytes, timeout_s: float) -> tuple[bool, float | None]:
        """Whether it was accepted; if not, how long to wait at least, None where it is no use."""
        request = urllib.request.Request(  # noqa: S310 - the configuration allows http and https only
            self._url, body, dict(self._headers)
        )
        try:
            with self._opener.open(request, timeout=timeout_s):
                return True, None
        except urllib.error.HTTPError as error:
            with error:
                asked = error.headers.get("retry-after") or ""
            if error.code not in _AGAIN:
                return False, None
            return False, float(asked) if asked.isdigit() else 0.0
        except (OSError, HTTPException, ValueError):
            return False, 0.0


def _has_tls(plan: TracePlan) -> bool:
    return plan.url.startswith("https:")


def _tls(plan: TracePlan) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=plan.certificate)
        if plan.client_certificate is not None:
            context.load_cert_chain(plan.client_certificate, plan.client_key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"the certificates for the collector of traces can't be used: {error.strerror}"
        ) from None
    return context
