"""Which sentences of a text tell of something that may go wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable

_GRAVE = re.compile(
    r"\b(?:overdue|late|unpaid|outage\w*|down|urgent|critical|breach\w*|cancel\w*|terminat\w*"
    r"|complain\w*|escalat\w*|fell|dropped|lost|leav(?:e|es|ing)|missed)\b",
    re.IGNORECASE,
)
_DOUBTFUL = re.compile(
    r"\b(?:open since|unresolved|slow\w*|lower price|competitor\w*|offers|fewer|less|risk\w*"
    r"|delay\w*|unreachable|fails?|failed|high|unhappy|does not renew)\b",
    re.IGNORECASE,
)


def risks_among(sentences: Iterable[str], count: int) -> list[str]:
    """At most `count` of `sentences`, the gravest first; none where none tells of a risk."""
    scored = [
        (2 * bool(_GRAVE.search(one)) + bool(_DOUBTFUL.search(one)), one) for one in sentences
    ]
    # Among equals the first said comes first.
    order = sorted((one for one in scored if one[0]), key=lambda one: -one[0])
    return [sentence for _, sentence in order[:count]]
