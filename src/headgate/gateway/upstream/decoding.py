"""How a compressed body becomes plain: gzip and deflate, in bounded steps."""

import zlib

from headgate.gateway.upstream.errors import UpstreamError

DECODE_STEP_BYTES = 256 * 1024
"""At most this much is inflated at once: a kilobyte of gzip can hold a megabyte of zeros."""

_GZIP_WINDOW_BITS = 31
_ZLIB_WINDOW_BITS = 15
_RAW_WINDOW_BITS = -15


class Decoder:
    """Inflates a body piece by piece: `push` what arrived, `pull` until it gives nothing."""

    __slots__ = ("_gzip", "_inflater", "_pending", "_started")

    def __init__(self, coding: bytes) -> None:
        """`coding` is the content-encoding; raises UpstreamError where we cannot read it."""
        name = coding.strip().lower()
        if name not in {b"gzip", b"x-gzip", b"deflate"}:
            shown = name[:32].decode("latin-1")
            raise UpstreamError("protocol", f"a content-encoding we do not read: {shown}")
        self._gzip = name != b"deflate"
        self._inflater: zlib._Decompress | None = None
        self._pending = b""
        self._started = False

    def push(self, data: bytes) -> None:
        """Add compressed bytes."""
        self._pending = self._pending + data if self._pending else data

    def pull(self) -> bytes:
        """The next plain bytes, at most 256 KiB; b"" when more input is needed."""
        while self._pending:
            inflater = self._inflater
            if inflater is None:
                window_bits = self._window_bits()
                if window_bits is None:
                    return b""
                inflater = self._inflater = zlib.decompressobj(window_bits)
            try:
                plain = inflater.decompress(self._pending, DECODE_STEP_BYTES)
            except zlib.error as exc:
                raise UpstreamError("protocol", f"a damaged compressed body: {exc}") from exc
            if inflater.eof:
                # A gzip body may be several members, one after the other (RFC 1952, 2.2).
                self._pending = inflater.unused_data
                self._inflater = None
                if self._pending and not self._gzip:
                    raise UpstreamError("protocol", "bytes after the end of a compressed body")
            else:
                self._pending = inflater.unconsumed_tail
            if plain:
                return plain
        return b""

    def finish(self) -> None:
        """Say that the body has ended; raises UpstreamError if the compressed data has not."""
        if self._inflater is not None or self._pending:
            raise UpstreamError("cut", "the compressed body ended too early")

    def _window_bits(self) -> int | None:
        if self._gzip:
            return _GZIP_WINDOW_BITS
        if len(self._pending) < 2:
            return None
        # "deflate" means zlib's format (RFC 9110, 8.4.1.2), but some servers send it bare.
        first, second = self._pending[0], self._pending[1]
        is_zlib = first & 0x0F == 8 and (first << 8 | second) % 31 == 0
        return _ZLIB_WINDOW_BITS if is_zlib else _RAW_WINDOW_BITS
