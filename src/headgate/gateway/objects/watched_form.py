"""A form that is handed on as it comes and watched on its way for what it names.

What a form names is known only when it has gone by. So the bytes that end a field are held back
until what the field names has been judged: of a form that names what it must not, the provider
never has the end.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from headgate.errors import InvalidRequestError
from headgate.gateway.forms import FormField, FormReader
from headgate.gateway.objects.references import Reference, kind_named_by
from headgate.gateway.upstream import RequestBody


class WatchedForm:
    """The bytes of `source`; raises `InvalidRequestError` where they are not such a form."""

    def __init__(
        self,
        source: RequestBody,
        reader: FormReader,
        judge_object: Callable[[Reference], Awaitable[None]],
        judge_models: Callable[[tuple[str, ...]], None],
    ) -> None:
        """Both raise for what may not be named; the models are judged when the form has ended."""
        self._source = source
        self._reader = reader
        self._judge_object = judge_object
        self._judge_models = judge_models
        self._looked_at = 0
        self._models: list[str] = []

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
            field = fields[self._looked_at]
            self._looked_at += 1
            await self._judge(field)
        if self._reader.complete:
            self._judge_models(tuple(self._models))
        return data

    async def _judge(self, field: FormField) -> None:
        name = field.name.removesuffix("[]")
        kind = kind_named_by(name)
        if kind is None and name != "model":
            return
        try:
            value = field.value.decode("ascii")
        except UnicodeDecodeError:
            raise InvalidRequestError(
                f"The field `{name}` of the form is no identifier.", param=name
            ) from None
        if kind is not None:
            await self._judge_object(Reference(kind, value, name))
        elif self._models:
            # The provider might go by another of them than Headgate does.
            raise InvalidRequestError(
                "The form has more than one field `model`.", param=name, code="invalid_form"
            )
        else:
            self._models.append(value)
