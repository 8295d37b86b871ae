"""The guard that looks for instructions in texts that an attacker may have written.

Texts of the operator's, and of users whom the operator trusts, are left as they are.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any

from headgate.checks.clean_texts import CleanTexts, digest_of
from headgate.checks.guards.doubtful import is_doubtful, may_be_an_attackers
from headgate.checks.guards.guard import Guard, Guarded, OutputFilter
from headgate.checks.guards.panel import InjectionJudge, Panel
from headgate.checks.guards.verdict import PASS, Decision, Verdict
from headgate.checks.injection import spotlight
from headgate.checks.injection.detector import examine
from headgate.checks.injection.spotlight import Spotlit
from headgate.checks.injection.verdict import Verdict as Finding
from headgate.checks.injection.verdict import stripped
from headgate.checks.parts.adjacent import pieces_of_texts
from headgate.checks.parts.json_strings import JsonStrings, unescaped
from headgate.checks.parts.part import Part
from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.placeholder import WRITTEN
from headgate.config.guards import Direction, InjectionSettings

_REMOVED = "[removed]"
_NOTHING = Finding(0)
"""What the detector says of a text without any sign."""

_IN_THREAD_CHARACTERS = 500
"""Longer texts are read in a thread: a kilobyte takes a millisecond or more."""


_INSTRUCTED = frozenset({"chat/completions", "responses"})
"""The endpoints with instructions, in which it can be said what a fence or a mark means. Elsewhere
(embeddings, speech, pictures) the text itself is what is worked on."""

_GOES_ON = frozenset({"previous_response_id", "conversation"})

_CONTENT = re.compile(
    r"input|(?:messages|input)\b.*\.(?:content|text|output|stdout|stderr|logs)(?:\[\d+\])?"
)
"""Where a model reads text. A name, a stop sequence or code to be run would break in a fence."""


class InjectionGuard(Guard):
    """Detects, and spotlights."""

    def __init__(
        self,
        name: str,
        settings: InjectionSettings,
        judge: InjectionJudge | None = None,
        **common: Any,
    ) -> None:
        """`judge` must be there where the settings ask for one; else `ValueError`."""
        super().__init__(name, **common)
        if settings.spotlight == "datamark":
            # What it put in, it takes out again, though it may have nothing else to do there.
            self.directions |= {"output"}
        self._settings = settings
        self._clean = CleanTexts()
        # What it looks for takes a third of a second to be made ready, and on a busy machine the
        # first call's time would be over by then.
        examine("")
        self._panel = None
        if settings.judge is not None:
            if judge is None:
                raise ValueError(f"the guard {name} needs a judge, and there is none to ask")
            self._panel = Panel(settings.judge, settings.threshold, judge)

    def must_see(self, part: Part, direction: Direction, call: Guarded) -> bool:
        """See `Guard`."""
        return direction == "input" and may_be_an_attackers(part, call)

    async def check_input(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`."""
        doubtful = [part for part in parts if is_doubtful(part, call)]
        if not doubtful:
            return PASS
        worst, known = PASS, list[Part]()
        unsure: list[tuple[Part, Finding]] = []
        for part in doubtful:
            finding = await self._examined(part.text, call.mapping)
            if self._is_unsure(finding):
                unsure.append((part, finding))
            elif finding.score >= self._settings.threshold:
                worst = worst.joined(self._hit(part, finding, finding.score))
                known.append(part)
        if worst.decision != "block":
            scores = await self._scores([part.text for part, _ in unsure], call)
            for (part, finding), score in zip(unsure, scores, strict=True):
                if self._convicts(score):
                    worst = worst.joined(self._hit(part, finding, score, judged=True))
                    known.append(part)
        if worst.decision != "block":
            worst = worst.joined(await self._across(doubtful, known, call))
        if worst.decision != "block":
            self._set_apart(doubtful, call)
        return worst

    async def _across(self, parts: Sequence[Part], known: Sequence[Part], call: Guarded) -> Verdict:
        """What stands in no part by itself, but in those that are read as one text."""
        on_hit = self._settings.on_hit
        if on_hit == "strip":
            # No sentence of it stands in one part, so none can be stripped; and what is left of
            # parts that were may still be a piece of another attack.
            on_hit, known = "block", ()
        worst = PASS
        unsure: list[tuple[str, Finding]] = []
        for pieces in pieces_of_texts(parts):
            if len(pieces) < 2 or any(piece in known for piece in pieces):
                continue
            text = "".join(piece.text for piece in pieces)
            finding = await self._examined(text, call.mapping)
            if self._is_unsure(finding):
                unsure.append((text, finding))
            elif finding.score >= self._settings.threshold:
                worst = worst.joined(self._verdict(on_hit, finding, finding.score))
        if worst.decision != "block":
            scores = await self._scores([text for text, _ in unsure], call)
            for (_, finding), score in zip(unsure, scores, strict=True):
                if self._convicts(score):
                    worst = worst.joined(self._verdict(on_hit, finding, score, judged=True))
        return worst

    def _is_unsure(self, finding: Finding) -> bool:
        return self._panel is not None and self._panel.is_unsure(finding.score)

    def _convicts(self, score: int) -> bool:
        return self._panel is not None and self._panel.convicts(score)

    async def _scores(self, texts: Sequence[str], call: Guarded) -> list[int]:
        return await self._panel.scores(texts, call) if self._panel is not None and texts else []

    async def _examined(self, text: str, hidden: Mapping) -> Finding:
        text = _without_names(text, hidden)
        digest = digest_of(text)
        if digest in self._clean:
            return _NOTHING
        if len(text) > _IN_THREAD_CHARACTERS:
            finding = await asyncio.to_thread(examine, text)
        else:
            finding = examine(text)
        if finding == _NOTHING:
            self._clean.add(digest)
        return finding

    def _hit(self, part: Part, finding: Finding, score: int, *, judged: bool = False) -> Verdict:
        """What is made of an attack; its text is rewritten where it is to be taken out."""
        on_hit = self._settings.on_hit
        if on_hit == "strip":
            # A judge says that it is one, not where it stands.
            part.text = _REMOVED if judged else stripped(part.text, finding)
        decision: Decision = "change" if on_hit == "strip" else on_hit
        return self._verdict(decision, finding, score, judged=judged)

    def _verdict(
        self, decision: Decision, finding: Finding, score: int, *, judged: bool = False
    ) -> Verdict:
        families = ", ".join(finding.families)[:56] or "injection"
        return Verdict(
            decision,
            reason=f"judged {families}" if judged else families,
            score=score,
            counts={"injection": 1},
            message=self._settings.message,
        )

    async def check_output(self, parts: Sequence[Part], call: Guarded) -> Verdict:
        """See `Guard`; a model that quotes a marked text takes its marks over."""
        for part in parts if call.markers else ():
            if part.kind == "text" and part.role == "model":
                read = unescaped(part.text) if part.in_json else part.text
                if any(marker in read for marker in call.markers):
                    unmarked = _Unmarked(call.markers, in_json=part.in_json)
                    part.text = unmarked.feed(part.text) + unmarked.close()
        return PASS

    def reads_streams(self, call: Guarded) -> bool:
        """See `Guard`."""
        return bool(call.markers)

    def output_filter(self, part: Part, call: Guarded) -> OutputFilter | None:
        """See `Guard`."""
        return _Unmarked(call.markers, in_json=part.in_json) if call.markers else None

    def _set_apart(self, parts: Sequence[Part], call: Guarded) -> None:
        """Make the texts stand out, and have the instructions say how."""
        technique = self._settings.spotlight
        parts = [part for part in parts if _can_be_set_apart(part)]
        unheard = technique == "none" or call.endpoint not in _INSTRUCTED or call.kept_as_data
        if unheard or not parts:
            return
        if call.fields.keys() & _GOES_ON:
            # The tokens and marks of earlier turns were told in instructions that are gone.
            call.instructions.append(spotlight.EARLIER)
        token = spotlight.new_token()
        marker = spotlight.new_marker("".join(part.text for part in parts))
        if technique == "datamark":
            call.markers.append(marker)
        for part in parts:
            shown: Spotlit
            if technique == "fence":
                shown = spotlight.fence(part.text, token)
            elif technique == "datamark":
                shown = spotlight.datamark(part.text, marker)
            else:
                shown = spotlight.encode(part.text)
            part.text = shown.text
            if shown.instruction not in call.instructions:
                call.instructions.append(shown.instruction)


class _Unmarked(OutputFilter):
    """Takes the marks out of one text that flows; in JSON they may be written as escapes."""

    def __init__(self, markers: Sequence[str], *, in_json: bool) -> None:
        self._markers = markers
        self._strings = JsonStrings(lambda: _Unmarked(markers, in_json=False)) if in_json else None

    def feed(self, text: str) -> str:
        """See `TextFilter`."""
        if self._strings is not None:
            return self._strings.feed(text)
        for marker in self._markers:
            text = spotlight.unmarked(text, marker)
        return text

    def close(self) -> str:
        """See `TextFilter`."""
        return "" if self._strings is None else self._strings.close()


def _without_names(text: str, hidden: Mapping) -> str:
    """`text` with what stands for hidden values blank, as long as before.

    An attacker did not write it, and records full of `<EMAIL_1>` read much like orders to send
    something there.
    """
    if not hidden.has_placeholders or "<" not in text:
        return text

    def blank(written: re.Match[str]) -> str:
        if hidden.value_of(written[1], written[2]) is None:
            return written[0]
        return f"<{'x' * (len(written[0]) - 2)}>"

    return WRITTEN.sub(blank, text)


def _can_be_set_apart(part: Part) -> bool:
    return not part.in_json and _CONTENT.fullmatch(part.path) is not None
