"""Realtime client secrets: what a browser may be handed in place of a key, made and read here.

A secret is signed, not stored: any process reads what any other made. It names the key that it was
made with and stands only as long as that key does. Whoever holds one can read what is in it, which
is no more than a session's own events tell.
"""

from __future__ import annotations

import base64
import hmac
import time
import zlib
from collections.abc import Callable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from headgate.config.workflow import Trust
from headgate.errors import AuthenticationError, InvalidRequestError, PermissionDeniedError
from headgate.gateway.caller import Caller
from headgate.intake.access.secret import Secret
from headgate.storage.identifiers import new_id

PREFIX = "ek_hg_"

_MOST_CHARACTERS = 6_000
"""A handshake's header takes no more than 8 KB."""

_MOST_BYTES = 64 * 1024
"""What a secret's contents may be unpacked to."""

_MAC_BYTES = 32
_NEVER_SHOWN = ("authorization", "headers")
"""Fields of a tool that its session does not tell a client either."""

_SECONDS = Annotated[int, Meta(ge=10, le=7200)]


class ExpiresAfter(msgspec.Struct, frozen=True):
    """When a secret ends."""

    seconds: _SECONDS | None = None
    anchor: str = "created_at"


class NewClientSecret(msgspec.Struct, frozen=True):
    """What a secret is to be for."""

    session: dict[str, Any] | None = None
    expires_after: ExpiresAfter | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """What a secret opens."""

    key_id: str
    expires_at: int
    """Unix time, in seconds."""
    session: dict[str, Any] | None = None
    feature: str | None = None
    user_hash: str | None = None
    trust: Trust = "trusted"
    """Whose content its sessions carry, as the application said."""

    @property
    def model(self) -> str | None:
        """The model that its session is to be opened with; None: the client may name one."""
        model = (self.session or {}).get("model")
        return model if isinstance(model, str) else None


_granted = msgspec.json.Decoder(Granted)


class ClientSecrets:
    """Makes and reads client secrets."""

    def __init__(
        self, secret: Secret, *, lasts_s: int, clock_s: Callable[[], float] = time.time
    ) -> None:
        """`lasts_s` is how long one is good whose request doesn't say."""
        self._secret = secret
        self._lasts_s = lasts_s
        self._clock_s = clock_s

    def made(
        self,
        caller: Caller,
        new: NewClientSecret,
        *,
        feature: str | None,
        user_hash: str | None,
        trust: Trust = "trusted",
    ) -> dict[str, Any]:
        """A new secret in the API's shape.

        Raises `InvalidRequestError` for a session that can't be in one, and `PermissionDeniedError`
        for a model that the key may not use.
        """
        session = new.session
        _check_session(session)
        lasts_s = new.expires_after.seconds if new.expires_after else None
        granted = Granted(
            key_id=caller.key_id,
            expires_at=int(self._clock_s()) + (lasts_s or self._lasts_s),
            session=session,
            feature=feature,
            user_hash=user_hash,
            trust=trust,
        )
        if not caller.may_use_model(granted.model or ""):
            what = f"the model `{granted.model[:64]}`" if granted.model else "models not named here"
            raise PermissionDeniedError(
                f"This key may use certain models only, and the secret would open {what}.",
                param="session.model",
                code="model_not_allowed",
            )
        packed = zlib.compress(msgspec.json.encode(granted), 9)
        mac = self._secret.client_digest(packed)
        value = PREFIX + base64.urlsafe_b64encode(mac + packed).rstrip(b"=").decode()
        if len(value) > _MOST_CHARACTERS:
            raise InvalidRequestError(
                "The session is too long for a client secret, which carries it; have the client"
                " send it as `session.update`.",
                param="session",
            )
        writes = (session or {}).get("type") == "transcription"
        shown = {
            "type": "realtime",
            "object": "realtime.transcription_session" if writes else "realtime.session",
            "id": new_id("sess"),
            "expires_at": 0,
            **(session or {}),
        }
        return {"value": value, "expires_at": granted.expires_at, "session": shown}

    def read(self, value: str) -> Granted:
        """What `value` opens; `AuthenticationError` where it is none of ours, or has expired."""
        try:
            body = value.removeprefix(PREFIX).encode("ascii")
            raw = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4))
        except ValueError:
            raise _unknown() from None
        mac, packed = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not hmac.compare_digest(mac, self._secret.client_digest(packed)):
            raise _unknown()
        granted = _granted.decode(zlib.decompressobj().decompress(packed, _MOST_BYTES))
        if granted.expires_at <= self._clock_s():
            raise AuthenticationError(
                "That client secret has expired; have the application make another.",
                code="client_secret_expired",
            )
        return granted


def _check_session(session: dict[str, Any] | None) -> None:
    for tool in (session or {}).get("tools") or ():
        for name in _NEVER_SHOWN:
            if isinstance(tool, dict) and tool.get(name):
                raise InvalidRequestError(
                    f"A client secret can be read by whoever holds it, so a tool's `{name}` can't"
                    " be in one.",
                    param="session.tools",
                    code="unsupported_parameter",
                )


def _unknown() -> AuthenticationError:
    return AuthenticationError(
        "That client secret is not one of this server's; make one with"
        " POST /v1/realtime/client_secrets."
    )
