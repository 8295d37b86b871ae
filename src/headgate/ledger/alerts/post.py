"""Posts JSON to an address, as alerts need it: no redirect, a deadline, no quoting of addresses."""

from __future__ import annotations

import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection

from headgate import __version__
from headgate.ledger.alerts.alert import DeliveryError
from headgate.telemetry.no_redirects import NoRedirects

_TIMEOUT_S = 10.0


@contextmanager
def _bounded(connection: HTTPConnection) -> Iterator[None]:
    """Break the connection off, with `TimeoutError`, when its time is up.

    A socket's timeout begins anew with each byte, so an answer that comes byte by byte would keep
    who reads it for days.
    """
    is_over = threading.Event()

    def cut() -> None:
        is_over.set()
        if (at := connection.sock) is not None:
            with suppress(OSError):
                # Of TLS too without a farewell, which might wait.
                socket.socket.shutdown(at, socket.SHUT_RDWR)

    timer = threading.Timer(_TIMEOUT_S, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        if is_over.is_set():
            raise TimeoutError


class _Connection(HTTPConnection):
    def getresponse(self) -> HTTPResponse:
        with _bounded(self):
            return super().getresponse()


class _SecureConnection(HTTPSConnection):
    def getresponse(self) -> HTTPResponse:
        with _bounded(self):
            return super().getresponse()


class _Opening(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    def http_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_Connection, req)

    def https_open(self, req: urllib.request.Request) -> HTTPResponse:
        return self.do_open(_SecureConnection, req)


_opener = urllib.request.build_opener(NoRedirects, _Opening)


def post_json(url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Post `body` to `url`. Raises `DeliveryError` unless it is answered with 2xx."""
    request = urllib.request.Request(  # noqa: S310 - the configuration allows http and https only
        url,
        body,
        {
            "content-type": "application/json",
            "user-agent": f"headgate/{__version__}",
            **headers,
        },
    )
    try:
        with _opener.open(request, timeout=_TIMEOUT_S):
            return
    except urllib.error.HTTPError as error:
        error.close()
        raise DeliveryError(f"it was answered with status {error.code}") from None
    except (OSError, HTTPException, ValueError) as error:
        raise DeliveryError(f"the address could not be reached ({type(error).__name__})") from None
