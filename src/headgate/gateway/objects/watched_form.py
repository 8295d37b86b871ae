"""A form that is handed on as it comes and watched on its way for what it must not name.

What a form names is known only when it has gone by, so here it may name no object of the provider's
at all: a request that names one is JSON.
"""

from __future__ import annotations

from headgate.errors import InvalidRequestError
from headgate.gateway.forms import FormReader
from headgate.gateway.objects.references import names_object
from headgate.gateway.upstream import RequestBody


class WatchedForm:
    """The bytes of `source`; raises `InvalidRequestError` where they are not such a form."""

    def __init__(self, source: RequestBody, reader: FormReader) -> None:
        self._source = source
        self._reader = reader
        self._looked_at = 0

    @property
    def length_bytes(self) -> int | None:
        """See `RequestBody`."""
        return self._source.length_bytes

    async def next_chunk(self) -> bytes:
        """See `RequestBody`."""
        data = await self._source.next_chunk()
        if not data:
            self._reader.end()
            return data
        self._reader.feed(data)
        fields = self._reader.fields
        while self._looked_at < len(fields):
            name = fields[self._looked_at].name
            if names_object(name):
                raise InvalidRequestError(
                    f"The field `{name}` can't be given in a form here; send JSON to name it.",
                    param=name,
                    code="unsupported_parameter",
                )
            self._looked_at += 1
        return data
