"""The signs that are the same in every language: forged roles, hidden markup, laden links."""

from __future__ import annotations

from typing import Final

import msgspec
import re2

from headgate.checks.injection.families import Family


class Shape(msgspec.Struct, frozen=True):
    """A pattern, and what it is a sign of."""

    family: Family
    weight: int
    pattern: str
    hides: bool = False
    """Whether what stands in it isn't seen by people, so that other signs inside count more."""


SHAPES: Final[tuple[Shape, ...]] = (
    Shape(
        "template_forging",
        70,
        r"(?i)<\|(?:im_start|im_end|im_sep|system|user|assistant|developer|endoftext|eot_id"
        r"|start_header_id|end_header_id|begin_of_text|end|channel|message|start|return|call)\|?>",
    ),
    Shape("template_forging", 66, r"(?i)\[/?INST\]|<</?SYS>>|<(?:start|end)_of_turn>|</?s>\s*\["),
    Shape(
        "template_forging",
        50,
        r"(?im)^[ \t>]*#{1,5}[ \t]*(?:(?:new|updated|end of|begin) )?(?:system|systeme|sistema"
        r"|systeem|developer|系统|instructions? for (?:the )?(?:ai|assistant|model))"
        r"(?:[ -]?(?:prompt|message|instructions?|override|note|update|nachricht|bericht))?"
        r"[ \t]*:?[ \t]*$",
    ),
    Shape(
        "template_forging",
        52,
        r"(?i)</?(?:system|developer|assistant|sys|admin|untrusted|data|document|user_input|context"
        r"|instructions?|system[_-]?(?:prompt|message|instructions?))>\s*[^<\s]{1,40}\s[^<]*"
        r"</?(?:system|developer|assistant|sys|admin|instructions?|system[_-]?(?:prompt|message"
        r"|instructions?))\b",
    ),
    Shape(
        "template_forging",
        50,
        r"(?i)['\"]role['\"]\s*:\s*['\"](?:system|developer|assistant)['\"]",
    ),
    Shape(
        "template_forging",
        50,
        r"(?im)^[ \t]*\[/?(?:system|developer|admin|assistant|sysadmin|systeem|sistema)\][ \t:]*",
    ),
    Shape(
        "template_forging",
        34,
        r"(?im)^[ \t>*_]*\[?(?:system|developer|systeme?|sistema|systeem|系统)"
        r"(?: ?(?:message|prompt|override|note|nachricht|消息))?\]?[*_]*[ \t]*[:：][ \t]*\S",
    ),
    Shape(
        "template_forging",
        52,
        r"(?i)(?:[-=*_~#<\[]{2,})[ \t]*/?(?:end|begin|start|ende|fin|fine|einde|fim|anfang)"
        r"[ \t_-]*(?:of|des|der|du|de|del|della|do|da|van)?[ \t_-]*(?:the |la |het )?"
        r"(?:system|user|data|dokument|document|documento|input|context|email|untrusted|prompt"
        r"|instructions?|ticket|eingabe|entree|entrada)"
        r"[^\n]{0,24}?[-=*_~#>\]]{2,}",
    ),
    Shape(
        "exfiltration",
        62,
        r"(?i)!?\[[^\]\n]{0,200}\]\(\s*<?(?:https?:)?//[^)\s]{1,300}?(?:\{[^}\s]{1,60}\}"
        r"|\[[^\]\s]{2,60}\]|%7B|<[A-Za-z_ ]{2,40}>|\$[A-Z_]{3,}|[=/](?-i:[A-Z_]{5,})\b)",
    ),
    Shape(
        "exfiltration",
        46,
        r"(?i)https?://[^\s)\"'<>]{1,200}[?&/][^\s)\"'<>]{0,60}(?:\{\{?[^}\s]{1,60}\}"
        r"|\[[A-Za-z_ ]{3,60}\]|<[A-Za-z_ ]{3,40}>|=\$\{?[A-Za-z_]{3,})",
    ),
    Shape(
        "exfiltration",
        54,
        r"(?i)(?:https?:)?//[^\s)\"'<>]{4,200}[?&][a-z_]{1,12}=(?:[\s)\"'>,，。]|$)",
    ),
    Shape("exfiltration", 40, r"(?i)<img\b[^>]*src\s*=[^>]*(?:\{|\[|%7B|\$\{)"),
    Shape(
        "hidden_text",
        24,
        r"(?is)<[a-z]+[^>]*(?:display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0"
        r"|opacity\s*:\s*0(?:[;\"'\s]|\.0)|color\s*:\s*(?:white|#fff(?:fff)?\b|transparent)"
        r"|text-indent\s*:\s*-\d{3,}|left\s*:\s*-\d{3,}|\bhidden\b)[^>]*>[^<]*",
        hides=True,
    ),
    Shape("hidden_text", 6, r"(?s)<!--.+?(?:-->|$)", hides=True),
    Shape(
        "hidden_text",
        20,
        r"(?i)\[(?://|comment|_|note|hidden)\]\s*:\s*(?:#|<>)\s*[\"'(][^\n]+",
        hides=True,
    ),
    Shape(
        "hidden_text",
        8,
        r"(?i)<[a-z]+[^>]{0,80}\b(?:alt|title|aria-label|content|data-[a-z-]+)"
        r"\s*=\s*\"[^\"]{60,}\"",
        hides=True,
    ),
    Shape(
        "many_shot",
        30,
        r"(?i)\n\s*(?:assistant|ai|bot|助手)\s*[:：]\s*(?:sure|of course|certainly|absolutely|okay"
        r"|yes|no problem|当然|好的)",
    ),
)


def _sift() -> re2.Set:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 64 << 20
    sift = re2.Set.SearchSet(options)
    for shape in SHAPES:
        sift.Add(shape.pattern)
    sift.Compile()
    return sift


_SIFT: Final = _sift()
_COMPILED: Final = tuple(re2.compile(shape.pattern) for shape in SHAPES)


def shapes_in(text: str) -> list[tuple[Shape, int, int]]:
    """Each shape that stands in `text`, with its place."""
    found: list[tuple[Shape, int, int]] = []
    for which in sorted(_SIFT.Match(text) or ()):
        found += (
            (SHAPES[which], match.start(), match.end()) for match in _COMPILED[which].finditer(text)
        )
    return found
