"""Whether made-up examples in a text teach an answer.

Few-shot poisoning and many-shot dialogues have one shape: the same label again and again, and at
the end a label with nothing behind it, for the model to go on with. It shows in any language.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import Final

from headgate.checks.injection.shapes import Shape

_LABELLED = re.compile(
    r"(?:^|\n|(?<= / )|(?<=\] ))[ \t>*_-]*(?P<label>[^\W\d_][\w ]{0,18}?)[ \t*_]{0,3}[:：>]"
    r"[ \t*_]*(?P<value>[^\n]{0,200})"
)
_ROLES: Final = frozenset(
    (
        "assistant", "ai", "bot", "model", "gpt", "chatgpt", "agent", "assistent", "asistente",
        "assistente", "ki", "ia", "助手", "a", "answer", "antwort", "réponse", "reponse",
        "respuesta", "risposta", "antwoord", "resposta", "答", "output", "label", "salida", "saída",
        "ausgabe", "sortie",
    )
)  # fmt: skip
_MIN_EXAMPLES: Final = 2

_OPEN_REPEATED = Shape("few_shot", 62, "")
_OPEN_ROLE = Shape("few_shot", 46, "")
_REPEATED_ROLE = Shape("many_shot", 52, "")
_DIALOGUE = Shape("many_shot", 20, "")


def repetitions(text: str) -> list[tuple[Shape, int, int]]:
    """What of the kind stands in `text`, with its place; at most one sign."""
    if text.count(":") + text.count("：") + text.count(">") < _MIN_EXAMPLES + 1:
        return []
    lines = list(_LABELLED.finditer(text))
    if len(lines) <= _MIN_EXAMPLES:
        return []
    labels = Counter(line["label"].strip().casefold() for line in lines)
    values = Counter(
        (line["label"].strip().casefold(), line["value"].strip().casefold())
        for line in lines
        if line["value"].strip()
    )
    place = (lines[0].start(), lines[-1].end())
    last = lines[-1]
    label = last["label"].strip().casefold()
    is_open = not last["value"].strip() and not text[last.end() :].strip()
    if is_open and labels[label] > _MIN_EXAMPLES:
        repeated = max((count for (name, _), count in values.items() if name == label), default=0)
        if repeated >= _MIN_EXAMPLES:
            return [(_OPEN_REPEATED, *place)]
        if label in _ROLES:
            return [(_OPEN_ROLE, *place)]
    role, most = max(
        (((name, count)) for (name, _), count in values.items() if name in _ROLES),
        key=lambda pair: pair[1],
        default=("", 0),
    )
    if most > _MIN_EXAMPLES:
        return [(_REPEATED_ROLE, *place)]
    if role and sum(labels[name] for name in labels if name in _ROLES) > _MIN_EXAMPLES:
        return [(_DIALOGUE, *place)]
    return []
