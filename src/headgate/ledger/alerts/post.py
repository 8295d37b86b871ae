"""Posts JSON to an address, as alerts need it: no redirect, a deadline, no quoting of addresses."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping
from email.message import Message
from http.client import HTTPException
from typing import IO

from headgate import __version__
from headgate.ledger.alerts.alert import DeliveryError

_TIMEOUT_S = 10.0


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """An alert goes where the operator wrote, or nowhere."""

    def redirect_request(
        self,
        req: urllib.request.Request,  # noqa: ARG002
        fp: IO[bytes],  # noqa: ARG002
        code: int,  # noqa: ARG002
        msg: str,  # noqa: ARG002
        headers: Message,  # noqa: ARG002
        newurl: str,  # noqa: ARG002
    ) -> None:
        """See `urllib.request.HTTPRedirectHandler`."""
        return


_opener = urllib.request.build_opener(_NoRedirects)


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
