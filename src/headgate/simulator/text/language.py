"""Which language a text is in, by its script and its commonest words."""

from __future__ import annotations

import re

from headgate.simulator.text.words import STOPWORDS, words

_SCRIPTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("uk", re.compile(r"[іїєґІЇЄҐ]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
)

_LETTER = re.compile(r"[^\W\d_]")

_MARKS = {
    "de": "äöüß",
    "fr": "àâçèêëîïôùûœ",
    "es": "ñ¿¡áíóú",
    "pt": "ãõçâêô",
    "it": "òìù",
}
"""Letters that are common in one language and rare in the others; each is worth a word."""

NAMES = {
    "ar": "Arabic",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "he": "Hebrew",
    "hi": "Hindi",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "nl": "Dutch",
    "pt": "Portuguese",
    "ru": "Russian",
    "th": "Thai",
    "uk": "Ukrainian",
    "zh": "Chinese",
}
"""The languages told apart, by ISO 639-1 code."""


def language_of(text: str) -> str:
    """The ISO 639-1 code of the language of `text`; `en` where nothing tells."""
    letters = len(_LETTER.findall(text))
    for code, script in _SCRIPTS:
        if len(script.findall(text)) * 5 > letters > 0:
            return code
    found = words(text)
    lowered = text.lower()
    scores = {
        code: sum(word in common for word in found)
        + sum(lowered.count(letter) for letter in _MARKS.get(code, ""))
        for code, common in STOPWORDS.items()
    }
    best = max(scores, key=lambda code: scores[code])
    return best if scores[best] > scores["en"] else "en"
