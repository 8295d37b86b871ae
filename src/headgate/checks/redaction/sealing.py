"""What was hidden as it may be stored: encrypted, bound to the conversation or file it is of.

AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits before each text; the conversation's
name is authenticated with it, so that a mapping can't be put in another's place.
"""

from __future__ import annotations

import os

import msgspec

from headgate.checks.redaction.mapping import Issued, Mapping

_NONCE_BYTES = 12

_issued = msgspec.msgpack.Decoder(list[Issued])
_encode = msgspec.msgpack.encode


class Seal:
    """Encrypts and decrypts mappings under one key of 32 bytes."""

    def __init__(self, key: bytes) -> None:
        # Here, because only a server that redacts should pay for loading it.
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

        self._cipher = AESGCM(key)
        self._not_ours = InvalidTag

    def sealed(self, mapping: Mapping, name: str) -> bytes:
        """`mapping`, readable only with the key and for the conversation `name`."""
        return self.sealed_bytes(_encode(mapping.issued()), name)

    def opened(self, data: bytes, name: str) -> Mapping | None:
        """The mapping in `data`; None where it is not of `name` or was sealed with another key."""
        plain = self.opened_bytes(data, name)
        try:
            return None if plain is None else Mapping(_issued.decode(plain))
        except msgspec.DecodeError:
            return None

    def sealed_bytes(self, plain: bytes, name: str) -> bytes:
        """As `sealed`, for anything."""
        nonce = os.urandom(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, plain, name.encode())

    def opened_bytes(self, data: bytes, name: str) -> bytes | None:
        """As `opened`, for anything."""
        try:
            return self._cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], name.encode())
        except self._not_ours:
            return None
