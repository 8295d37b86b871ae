"""Posts JSON to an address, as alerts need it: no redirect, a deadline, no quoting of addresses."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException

from headgate import __version__
from headgate.ledger.alerts.alert import DeliveryError
from headgate.telemetry.no_redirects import NoRedirects

_TIMEOUT_S = 10.0


_opener = urllib.request.build_opener(NoRedirects)


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
