"""How is an e-mail address told, also one written for people? By its sign, or its words for it."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule
from headgate.config.detection import Language

_LETTERS: Final = r"A-Za-z0-9\x{c0}-\x{24f}\x{370}-\x{52f}"
"""Latin, Greek and Cyrillic: not Chinese, where the words around an address touch it."""

_FILES: Final = frozenset(("png", "jpg", "jpeg", "gif", "svg", "webp", "css", "js", "ts", "py"))
"""Endings of files, such as `logo@2x.png`."""

_OF_A_LIST: Final = re.compile(r"[+-]")


def rules(languages: Collection[Language]) -> list[Rule]:
    """Addresses have no language."""
    del languages
    return [
        Rule(
            kind="email",
            gate=r"[^\s@]@[^\s@]",
            shape=rf"[{_LETTERS}][{_LETTERS}._%+'&/=-]*@(?:[{_LETTERS}-]+\.)+[{_LETTERS}-]+",
            leads=_named_by,
            accept=_address,
            score=95,
            neighbours="any",
        ),
        Rule(
            kind="email",
            gate=r"(?i)[\[({<] ?(?:at|@|dot) ?[\])}>]",
            shape=r"(?i)\b[a-z0-9][a-z0-9._+-]{0,63} ?[\[({<] ?(?:at|@) ?[\])}>] ?[a-z0-9-]{1,63}"
            r"(?: ?(?:\.|[\[({<] ?(?:dot|\.) ?[\])}>]) ?[a-z0-9-]{2,63}){1,4}\b",
            score=80,
            neighbours="word",
        ),
    ]


def _named_by(value: str) -> int:
    """How much of `users/jane@…` or `a=1&mail=jane@…` only names the address behind it.

    All these signs may be part of an address. Where it is likely that they are, as in the
    `bounce+jane=example.com@…` of mailing lists or `G=Jane/S=Roe/@…`, nothing is taken away.
    """
    local = value.rpartition("@")[0]
    if local.endswith("/"):
        return 0
    name, sign, rest = local.rpartition("=")
    if sign and rest and not ("." in rest and _OF_A_LIST.search(name)):
        return len(name) + 1 + _path(rest)
    return 0 if sign else _path(local)


def _path(local: str) -> int:
    return local.rfind("/") + 1


def _address(value: str) -> int:
    value = value.rstrip("-")
    local, _, host = value.rpartition("@")
    ending = host.rpartition(".")[2]
    if ending.isdigit() or len(ending) < 2 or ending.lower() in _FILES:
        return 0
    # What follows `git@` is a repository's, the same for everyone.
    return 0 if len(local) > 64 or len(host) > 253 or local == "git" else len(value)
