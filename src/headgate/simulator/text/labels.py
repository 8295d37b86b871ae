"""Facts that a prompt has labelled, one a line: `- [crm.renewal_date] The contract ends on …`.

Who is asked for the source of what it says names the label; the label itself is no fact.
"""

from __future__ import annotations

import re

_LABELLED = re.compile(
    r"^([ \t]*[-*•][ \t]+)\[([a-z][a-z0-9_]*(?:\[\d{1,4}\])?\.[a-z][a-z0-9_]*)\][ \t]+",
    re.MULTILINE,
)


def without_labels(text: str) -> str:
    """`text` with the facts alone."""
    return _LABELLED.sub(r"\1", text)


def label_of(fact: str, text: str) -> str | None:
    """The label of the line of `text` in which `fact` stands; else the first one."""
    wanted = " ".join(fact.split())
    first = None
    for found in _LABELLED.finditer(text):
        first = first or found[2]
        end = text.find("\n", found.end())
        line = " ".join(text[found.end() : end if end >= 0 else len(text)].split())
        if wanted and (wanted in line or line in wanted):
            return found[2]
    return first
