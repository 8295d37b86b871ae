"""What Headgate tells an address goes to that address, or nowhere."""

from __future__ import annotations

import urllib.request
from email.message import Message
from typing import IO


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: the operator named one address, and what is sent may hold its secret."""

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
