"""How is a person's name told? By the words that introduce, greet, label or sign with it.

Rules miss names that nothing introduces; the optional engine reads the sentence and finds more.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.letters import LETTER, LOWER, UPPER
from headgate.checks.detection.rule import Rule, Words
from headgate.checks.detection.words import word_list
from headgate.checks.detection.words.introductions import (
    GREETINGS,
    INTRODUCTIONS,
    LABELS,
    ROLES,
    SIGNATURES,
    TITLES,
    WEAK_INTRODUCTIONS,
    WEAK_LABELS,
)
from headgate.config.detection import Language

_PART: Final = rf"[{UPPER}](?:[{LETTER}]*[{LOWER}][{LETTER}]*)?(?:['-][{UPPER}][{LOWER}]+)*"
_CAPITALS: Final = rf"[{UPPER}]{{2,20}}(?:['-][{UPPER}]{{2,20}})?"
_INITIAL: Final = rf"[{UPPER}]\."
_OF: Final = (
    r"(?:de la|de los|de las|de|del|della|di|da|dos|das|do|van der|van den|van de|van|von der|"
    r"von|zu|"
    r"ter|ten|bin|ibn|al|el|le|la|Mac|Mc|St\.|y|e)"
)
_NEXT: Final = rf"(?: (?:{_OF} )?(?:{_INITIAL}|{_PART}|{_CAPITALS}))"
_ONE: Final = rf"(?:(?:{_OF} )?(?:{_INITIAL}|[DLO]'{_PART}|{_PART}))"
_NAME: Final = rf"({_ONE}{_NEXT}{{0,4}})"
_FULL_NAME: Final = rf"({_ONE}{_NEXT}{{1,4}})"
_BEGINNING: Final = rf"(?:{_OF} )?[{UPPER}]"

_COLON: Final = r"[\"']?[ \t]?[:=][ \t]?[\"']?"

_NO_NAMES: Final = frozenset(word_list("no_names"))

_ZH_FAMILY: Final = f"[{word_list('family_names_zh')[0]}]"
_ZH_NAME: Final = rf"{_ZH_FAMILY}\p{{Han}}{{1,2}}"
_ZH_INTRODUCTIONS: Final = "我叫|名叫|叫做|名字是|名字叫"
_ZH_LABELS: Final = "姓名|联系人|客户|收件人|寄件人|患者|员工|申请人|持卡人"


def rules(languages: Collection[Language]) -> list[Rule]:
    """Names as each of `languages` introduces them."""
    found: list[Rule] = []
    if titles := _joined(TITLES, languages):
        found.append(_rule(rf"\b(?:{titles})\.? (?:(?:{titles})\.? )?{_NAME}", 84))
    if greetings := _joined(GREETINGS, languages):
        found.append(_rule(rf"(?:^|\n|[.!?] |\b)(?:{greetings}),? {_NAME}(?:[,!.:;\n]|\z| -)", 74))
    if introductions := _joined(INTRODUCTIONS, languages):
        found.append(_rule(rf"(?i:\b(?:{introductions})):? {_NAME}", 80))
    if introductions := _joined(WEAK_INTRODUCTIONS, languages):
        found.append(_rule(rf"(?i:\b(?:{introductions})):? {_FULL_NAME}", 45))
    if labels := _joined(LABELS, languages):
        found.append(_rule(rf"(?i:\b(?:{labels})){_COLON}{_NAME}", 76))
    if labels := _joined(WEAK_LABELS, languages):
        found.append(_rule(rf"(?i:\b(?:{labels})){_COLON}{_FULL_NAME}", 66))
        # In forms; a small `name:` is more often a thing's, in code and configuration.
        found.append(_rule(rf"\bN(?:ame|AME){_COLON}{_NAME}", 74))
        found.append(_rule(rf"\bname{_COLON}{_FULL_NAME}", 45))
        found.append(_rule(rf"[\"']name[\"'] ?[:=] ?[\"']{_FULL_NAME}[\"']", 56))
    if signatures := _joined(SIGNATURES, languages):
        found.append(
            _rule(rf"(?i:\b(?:{signatures}))[,.!]?[ \t]*\n+[ \t-]*{_NAME}[ \t]*(?:,|\n|\z)", 82)
        )
        found.append(_rule(rf"(?i:\b(?:{signatures})), {_NAME}[ \t]*(?:\n|\z)", 64))
    if roles := _joined(ROLES, languages):
        found.append(_rule(rf"\b(?:{roles}),? {_FULL_NAME}", 60))
    if any(one != "zh" for one in languages):
        names = "|".join(word_list("given_names"))
        shape = rf"\b((?:{names})(?:-{_PART})?{_NEXT}{{1,3}})"
        found.append(_rule(shape, 70, gate=rf"\b(?:{names})[ -]"))
        found.append(_rule(rf"\b((?:{names}))\b", 40))
        found.append(_rule(rf"\b({_CAPITALS}, (?:{names}))\b", 70))
    if "zh" in languages:
        found += [
            _rule(rf"({_ZH_NAME})(?:先生|女士|小姐|同学)", 82, zh=True),
            # `项目经理` is a project manager; with a title of work only the family name is safe.
            _rule(
                rf"({_ZH_FAMILY})(?:先生|女士|小姐|老师|经理|医生|主任|总监|律师|教授)", 70, zh=True
            ),
            _rule(
                rf"(?:{_ZH_INTRODUCTIONS}|(?:{_ZH_LABELS})[:是为 ]{{1,3}})({_ZH_NAME})", 78, zh=True
            ),
            _rule(rf"我是({_ZH_NAME})(?:[,.!?;:\s]|\z)", 45, zh=True),
        ]
    return found


def _joined(words: Words, languages: Collection[Language]) -> str:
    return "|".join(words[one] for one in languages if one in words)


def _rule(shape: str, score: int, *, gate: str = "", zh: bool = False) -> Rule:
    for name in (_NAME, _FULL_NAME):
        if not gate and name in shape:
            # What introduces a name, and how one begins, is enough to tell where to look.
            gate = shape[: shape.index(name)] + _BEGINNING
    return Rule(
        kind="person",
        shape=shape,
        accept=_chinese if zh else _name,
        score=score,
        gate=gate,
        family="name",
        neighbours="any" if zh else "letters",
    )


_AFTERWORD: Final = re.compile(
    r" (?:I|We|You|He|She|It|They|The|This|That|My|Our|Your|Please|Can|Could|Would|And|But|From|"
    r"To|Cc|Subject|Re|"
    r"Ich|Wir|Sie|Der|Die|Das|Bitte|Je|Nous|Vous|Le|Les|Yo|El|Los|Mi|Io|Il|Ik|Wij|De|Het|Eu|Os|"
    r"Meu|Minha|O|A)$"
)


def _name(value: str) -> int:
    """How much of `value` is a name: not the word that begins the next sentence."""
    first = value.partition(" ")[0].strip(".,'").lower()
    if first in _NO_NAMES or len(value) < 2:
        return 0
    words = value.split(" ")
    kept = 1
    while kept < len(words) and not _ends_a_name(words[kept]):
        kept += 1
    name = " ".join(words[:kept])
    name = _AFTERWORD.sub("", name)
    while (last := name.rpartition(" ")[2]) and last.islower() and " " in name:
        name = name.rpartition(" ")[0]
    if len(name) < 2 or (len(name) == 2 and name[1] == "."):
        return 0
    return len(name)


def _ends_a_name(word: str) -> bool:
    """Whether `word` begins something else: not an initial, not a `van der`."""
    return word[:1].isupper() and word[-1:] != "." and word.strip(".,'").lower() in _NO_NAMES


def _chinese(value: str) -> int:
    """A third character that begins the next word is no part of the name."""
    return 2 if len(value) == 3 and value[2] in "的是在和说也先女小你您想要有," else len(value)
