"""Rewrites the texts of a stream as its events go by, a filter for each channel. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from headgate.checks.parts.flow import Channel, FlowReader
from headgate.checks.parts.part import Part
from headgate.checks.parts.tokens import forget_tokens


class TextFilter(Protocol):
    """Rewrites one text that flows."""

    def feed(self, text: str) -> str:
        """Take in the next piece; return what may be shown now."""

    def close(self) -> str:
        """The text has ended: the rest of it."""


MAX_CHANNELS = 4096
"""Texts that one stream may have at once; one more ends it."""


class TooManyChannelsError(Exception):
    """A stream has more texts at once than are followed."""


class Rewriting:
    """Rewrites one stream."""

    def __init__(
        self,
        reader: FlowReader,
        make_filter: Callable[[Part], TextFilter],
        rewrite: Callable[[Part], None],
        watch: Callable[[dict[str, Any] | None], None] | None = None,
        *,
        tokens: bool = True,
    ) -> None:
        """`make_filter` is asked at a channel's first piece.

        `rewrite` gets what is told whole, and what is no text. `watch` sees every event as it will
        be told, and None at the end; it may raise, too. `tokens`: whether an event may say how
        likely the tokens of its text were.
        """
        self._tokens = tokens
        self._reader = reader
        self._make_filter = make_filter
        self._rewrite = rewrite
        self._watch = watch
        self._filters: dict[Channel, TextFilter] = {}

    def event(self, event: dict[str, Any]) -> list[dict[str, Any]]:
        """The events to hand on in place of `event`.

        Raises `TooDeepError`, `TooManyChannelsError` and what the filters raise.
        """
        flow = self._reader.read(event)
        for piece in flow.pieces:
            if piece.part.kind != "text":
                self._rewrite(piece.part)
                continue
            text_filter = self._filters.get(piece.channel)
            if text_filter is None:
                if len(self._filters) >= MAX_CHANNELS:
                    raise TooManyChannelsError
                text_filter = self._filters[piece.channel] = self._make_filter(piece.part)
            piece.part.text = text_filter.feed(piece.part.text)
        for part in flow.wholes:
            if part.kind != "name":
                self._rewrite(part)
        told: list[dict[str, Any]] = []
        if flow.ended and self._filters:
            told = self._ended(flow.ended, event)
        self._reader.passed(event)
        told.append(event)
        if not self._tokens:
            forget_tokens(event)
        if self._watch is not None:
            for one in told:
                self._watch(one)
        return told

    def close(self) -> list[dict[str, Any]]:
        """The events that are left when the stream has ended."""
        told = self._ended([()], None)
        if self._watch is not None:
            for one in told:
                self._watch(one)
            self._watch(None)
        return told

    def _ended(
        self, beginnings: list[Channel], before: dict[str, Any] | None
    ) -> list[dict[str, Any]]:
        told = []
        for channel in list(self._filters):
            if any(channel[: len(beginning)] == beginning for beginning in beginnings):
                rest = self._filters.pop(channel).close()
                if rest:
                    told.append(self._reader.more(channel, rest, before))
        return told
