"""What one would ask next about a text: about its dates, names, figures and gaps."""

from __future__ import annotations

import re

from headgate.simulator.text.dates import dates
from headgate.simulator.text.names import names
from headgate.simulator.text.ranking import keywords
from headgate.simulator.text.source import Source

_FIGURE = re.compile(
    r"[$€£]\s?\d[\d.,]*\s?(?:k|m|bn|million|billion|thousand)?\b|\b\d[\d.,]*\s?(?:%|percent\b)",
    re.IGNORECASE,
)


def follow_up_questions(source: Source, count: int) -> list[str]:
    """`count` questions (or the few that make sense) that `source` leaves open."""
    text = source.facts
    asked: list[str] = []
    if figure := _FIGURE.search(text):
        asked.append(f"What lies behind the figure of {figure[0].strip()}, and will it hold?")
    days = [found for found in dates(text) if any(letter.isdigit() for letter in found.text[:2])]
    if days:
        asked.append(f"Who is responsible for what is to happen on {days[-1].text}?")
    full_names = [found for found in names(text) if " " in found]
    if full_names:
        asked.append(f"What does {full_names[0]} have to decide next?")
    if found_words := keywords(source, 2):
        asked.append(f"What would change the picture of {' and '.join(found_words)} most?")
    asked += [
        "Which risk needs an owner first?",
        "What has to be true for the plan to work?",
        "When will the next update be available?",
        "Which assumption has not been tested yet?",
    ]
    return asked[:count]
