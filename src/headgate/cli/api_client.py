"""Asks a running server over HTTP, and says in one line what is the matter when it can't."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import click
import msgspec

from headgate.errors import AuthenticationError, HeadgateError, UnavailableError

Method = Literal["GET", "POST", "DELETE"]

DEFAULT_URL = "http://127.0.0.1:8800"

_TIMEOUT_S = 3700.0
"""Longer than a workflow may take; the server is what ends a run."""

url_option = click.option(
    "--url",
    default=lambda: os.environ.get("HEADGATE_URL") or DEFAULT_URL,
    show_default=f"HEADGATE_URL or {DEFAULT_URL}",
    help="The server's address.",
)


def connection_to(url: str, timeout_s: float) -> tuple[http.client.HTTPConnection, str]:
    """A connection to the server at `url`, not opened yet, and what its paths begin with.

    Raises `click.UsageError` where that is no address.
    """
    address = urlsplit(url if "//" in url else f"http://{url}")
    try:
        port = address.port
    except ValueError:
        port = -1
    if address.scheme not in ("http", "https") or not address.hostname or port == -1:
        raise click.UsageError(f"{url} is no address such as {DEFAULT_URL}")
    kind = http.client.HTTPSConnection if address.scheme == "https" else http.client.HTTPConnection
    # Whoever copies the address for the SDKs means the same server.
    prefix = address.path.rstrip("/").removesuffix("/v1")
    return kind(address.hostname, port, timeout=timeout_s), prefix


class ApiClient:
    """One connection to a server, with the key that the environment names; for one thread."""

    def __init__(self, url: str, environment: Mapping[str, str] = os.environ) -> None:
        self._url = url
        self._connection, self._prefix = connection_to(url, _TIMEOUT_S)
        key = environment.get("HEADGATE_API_KEY") or environment.get("HEADGATE_ADMIN_KEY")
        if not key:
            raise AuthenticationError(
                "no key: set HEADGATE_API_KEY (`headgate keys create NAME` makes one)"
            )
        self._authorization = f"Bearer {key}"

    def get(self, path: str) -> tuple[int, Any, Mapping[str, str]]:
        """As `post`, for what is only read."""
        return self._ask("GET", path, None, {})

    def asked(
        self, method: Method, path: str, body: Any = None, *, query: Mapping[str, Any] | None = None
    ) -> Any:
        """The JSON of the answer, where it is no error; else raises `HeadgateError` with that.

        What is None in `query` is left out.
        """
        given = {name: value for name, value in (query or {}).items() if value is not None}
        if given:
            path = f"{path}?{urlencode(given)}"
        if method == "POST":
            status, answer, _ = self.post(path, {} if body is None else body, {})
        else:
            status, answer, _ = self._ask(method, path, None, {})
        if not 200 <= status < 300:
            raise HeadgateError(error_message(answer, status))
        return answer

    def post(
        self, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[int, Any, Mapping[str, str]]:
        """Status, JSON and headers (lower case) of the answer; `UnavailableError` without one."""
        sent = {"content-type": "application/json", **headers}
        return self._ask("POST", path, msgspec.json.encode(body), sent)

    def _ask(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> tuple[int, Any, Mapping[str, str]]:
        sent = {"authorization": self._authorization, **headers}
        try:
            self._connection.request(method, self._prefix + path, body, sent)
            reply = self._connection.getresponse()
            content = reply.read()
        except ConnectionRefusedError:
            self._connection.close()
            raise UnavailableError(
                f"no server answers at {self._url}; start one with `headgate serve`, or name it"
                " with --url"
            ) from None
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise UnavailableError(self._failure(error)) from None
        told = {name.lower(): value for name, value in reply.getheaders()}
        try:
            return reply.status, msgspec.json.decode(content), told
        except msgspec.DecodeError:
            raise HeadgateError(
                f"{self._url} answered {reply.status} with something that is not JSON; is it a"
                " Headgate server?"
            ) from None

    def _failure(self, error: OSError | http.client.HTTPException) -> str:
        if isinstance(error, socket.gaierror):
            return f"no host of the name in {self._url} is known; name the server with --url"
        if isinstance(error, ssl.SSLCertVerificationError):
            return f"the certificate of {self._url} is not trusted: {error.verify_message}"
        if isinstance(error, ssl.SSLError):
            return (
                f"{self._url} speaks no TLS ({error.reason}); write http:// where no proxy is"
                " before the server"
            )
        return f"{self._url} broke off: {type(error).__name__}"

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


def asked(
    url: str,
    method: Method,
    path: str,
    body: Any = None,
    *,
    query: Mapping[str, Any] | None = None,
) -> Any:
    """As `ApiClient.asked`, for who has one question."""
    client = ApiClient(url)
    try:
        return client.asked(method, path, body, query=query)
    finally:
        client.close()


def error_message(answer: Any, status: int) -> str:
    """The message of an error in OpenAI's shape."""
    try:
        return str(answer["error"]["message"])
    except (KeyError, TypeError):
        return f"the server answered {status}"
