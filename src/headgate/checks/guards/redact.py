"""The guard that hides personal data and secrets from the model.

What it hides behind placeholders or stand-ins is put back in the answer by `guarding`; values of
the other modes never come back. Of an answer it looks at what the model wrote by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from headgate.checks.detection import Finding
from headgate.checks.detection.plain_text import read
from headgate.checks.guards.guard import BlockedError, Guard, Guarded, OutputFilter
from headgate.checks.guards.verdict import PASS, Verdict
from headgate.checks.guards.window import Window
from headgate.checks.parts.adjacent import pieces_of_texts
from headgate.checks.parts.part import Part
from headgate.checks.redaction.hiding import Hidden, Hiding
from headgate.checks.redaction.known import Known
from headgate.checks.redaction.mapping import Mapping, TooManyValuesError
from headgate.config.guards import Direction

_IN_THREAD_CHARACTERS = 50_000
"""Longer texts are read in a thread, so that they don't hold up other calls."""

_AS_MANY_CHARACTERS = 25
"""What a value that was hidden earlier takes to be looked for, in characters of a text."""

_NEVER_PUT_BACK = frozenset({"hash", "mask", "drop", "block"})


class RedactGuard(Guard):
    """Hides values."""

    def __init__(self, name: str, hiding: Hiding, **common: Any) -> None:
        super().__init__(name, **common)
        self._hiding = hiding

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`; of an answer only where it hides something for good."""
        return direction == "input" or self._hiding.hides_for_good

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        texts = [part for part in parts if part.kind in ("text", "name")]
        for part in texts:
            call.mapping.avoid(part.text, in_json=part.in_json)
        size = sum(len(part.text) for part in texts) + _AS_MANY_CHARACTERS * len(call.mapping)
        return await _off_loop(size, lambda: self._hide(texts, call.mapping))

    def _hide(self, parts: Sequence[Part], mapping: Mapping) -> Verdict:
        hidden = Hidden()
        groups = pieces_of_texts(parts)
        try:
            for pieces in groups:
                part, text = pieces[0], pieces[0].text
                if part.kind == "name":
                    # A field's name can't be rewritten without breaking what it names.
                    for one in self._hiding.find(text):
                        return Verdict("block", reason=f"{one.kind} in a name")
                elif len(pieces) > 1:
                    texts = [piece.text for piece in pieces]
                    _rewrite(pieces, self._hiding.hide_across(texts, mapping, hidden))
                else:
                    told = self._hiding.hide(text, mapping, hidden, in_json=part.in_json)
                    _rewrite(pieces, [told])
        except TooManyValuesError:
            return Verdict("block", reason="more values than one conversation may hide")
        if not hidden.blocked:
            self._hide_again(groups, mapping, hidden)
        return _verdict(hidden)

    def _hide_again(
        self, groups: Sequence[Sequence[Part]], mapping: Mapping, hidden: Hidden
    ) -> None:
        """Hide what was found, now or earlier in the conversation, wherever else it stands."""
        stands = {(one.kind.lower(), one.value): told for told, one in mapping.standing()}
        stands |= hidden.stands_for
        # What stood in an address as `J%C3%B6rg` may stand elsewhere as it reads.
        stands = {(kind, read(value)): told for (kind, value), told in stands.items()} | stands
        known = Known({value: kind for kind, value in stands})
        if not known:
            return
        for pieces in groups:
            if pieces[0].kind == "text":
                texts = [piece.text for piece in pieces]
                in_json = pieces[0].in_json
                told = self._hiding.hide_again(texts, known, stands, hidden, in_json=in_json)
                _rewrite(pieces, told)

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:  # noqa: ARG002
        """See `Guard`."""
        if not self._hiding.hides_for_good:
            return PASS
        texts = [part for part in parts if part.kind == "text" and part.role != "operator"]
        size = sum(len(part.text) for part in texts)
        return await _off_loop(size, lambda: self._hide_for_good(texts))

    def _hide_for_good(self, parts: Sequence[Part]) -> Verdict:
        hidden = Hidden()
        for pieces in pieces_of_texts(parts):
            texts = [piece.text for piece in pieces]
            _rewrite(pieces, self._hiding.replaced_across(texts, self._remover(hidden)))
        return _verdict(hidden)

    def for_good(self, text: str, findings: list[Finding], hidden: Hidden) -> str:
        """`text` without those of `findings` whose mode never puts them back."""
        return self._hiding.replaced(text, findings, self._remover(hidden))

    def _remover(self, hidden: Hidden) -> Callable[[str, str], str]:
        """What makes of a kind and a value what stands for it, if that is never put back."""

        def replace(kind: str, value: str) -> str:
            if self._hiding.mode_of(kind) not in _NEVER_PUT_BACK:
                return value
            hidden.count(kind)
            return self._hiding.without_return(kind, value, hidden)

        return replace

    def reads_streams(self, call: Guarded) -> bool:  # noqa: ARG002
        """See `Guard`; what is only put back needs no filter of this guard's."""
        return self._hiding.hides_for_good

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter | None:  # noqa: ARG002
        """See `Guard`."""
        if not self._hiding.hides_for_good:
            return None
        return _OutputRedaction(self, self._hiding)


class _OutputRedaction(OutputFilter):
    """Hides values in one text that flows."""

    def __init__(self, guard: RedactGuard, hiding: Hiding) -> None:
        self._guard = guard
        self._window = Window(hiding.find)
        self._hidden = Hidden()

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        return self._shown(*self._window.feed(text))

    def close(self) -> str:
        """See `TextFilter`."""
        return self._shown(*self._window.close())

    def look(self, text: str) -> None:
        """See `OutputFilter`; what is said aloud can't be masked any more."""
        hidden = Hidden()
        self._guard.for_good(text, self._window.found_in(text), hidden)
        if counts := hidden.counts or self._hidden.counts:
            stop = Verdict("block", reason=", ".join(sorted(counts)), counts=counts)
            raise BlockedError(self._guard.name, stop)

    def verdict(self) -> Verdict:
        """See `OutputFilter`."""
        return _verdict(self._hidden)

    def _shown(self, text: str, findings: list[Finding]) -> str:
        told = self._guard.for_good(text, findings, self._hidden)
        if self._hidden.blocked:
            raise BlockedError(self._guard.name, _verdict(self._hidden))
        return told


def _rewrite(parts: Sequence[Part], texts: Sequence[str]) -> None:
    for part, text in zip(parts, texts, strict=True):
        if text != part.text:
            part.text = text


def _verdict(hidden: Hidden) -> Verdict:
    if hidden.blocked:
        return Verdict("block", reason=", ".join(sorted(hidden.blocked)), counts=hidden.counts)
    return Verdict("change", counts=hidden.counts) if hidden.counts else PASS


async def _off_loop(size: int, work: Callable[[], Verdict]) -> Verdict:
    if size > _IN_THREAD_CHARACTERS:
        return await asyncio.to_thread(work)
    return work()
