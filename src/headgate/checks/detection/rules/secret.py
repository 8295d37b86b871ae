"""How is a secret told? A key by its maker's prefix, a password by the word in front of it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection
from typing import Final

from headgate.checks.detection.rule import Rule
from headgate.config.detection import Language

_TOKENS: Final = (
    # Headgate's own
    r"hg_[A-Za-z0-9_-]{40,}",
    # OpenAI, Anthropic and other model providers
    r"sk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]{2,8}-|or-v1-|lf-)?[A-Za-z0-9_-]{20,}",
    r"(?:gsk|xai|pplx|r8|hf|fw|csk)[_-][A-Za-z0-9]{20,}",
    # Amazon
    r"(?:AKIA|ASIA|AROA|AIDA|AGPA|ANPA|ANVA|ABIA|ACCA)[A-Z0-9]{16}",
    # GitHub, GitLab, package registries
    r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"github_pat_[A-Za-z0-9_]{22,}",
    r"gl(?:pat|dt|rt|cbt|ptt|agent|oas|soat)-[A-Za-z0-9_-]{20,}",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[A-Za-z0-9_-]{50,}",
    r"dckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}",
    # Slack and other messengers
    r"xox[abeoprs]-[A-Za-z0-9-]{10,}",
    r"xapp-\d-[A-Za-z0-9-]{10,}",
    r"hooks\.slack\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,}",
    r"\d{8,10}:A[A-Za-z0-9_-]{34}",
    r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}",
    # Payment and shops
    r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,}",
    r"whsec_[A-Za-z0-9+/=]{24,}",
    r"sq0[a-z]{3}-[A-Za-z0-9_-]{22,}",
    r"shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}",
    # Google, Microsoft
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"GOCSPX-[A-Za-z0-9_-]{20,}",
    r"[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}",
    # Mail, clouds, tools
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",
    r"key-[a-f0-9]{32}",
    r"(?:AC|SK)[a-f0-9]{32}",
    r"do[opr]_v1_[a-f0-9]{64}",
    r"dapi[a-f0-9]{32}",
    r"hv[sbr]\.[A-Za-z0-9_-]{24,}",
    r"(?:lin_api|secret|ntn|figd|rdme|sntrys|nfp|pul|dp\.pt)[_-][A-Za-z0-9_-]{32,}",
    r"(?:tfp|PMAK|NRAK|glsa|dop)[_-][A-Za-z0-9_-]{32,}",
    r"AGE-SECRET-KEY-1[A-Z0-9]{58}",
    # Tokens of many
    r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
)

_WORDS: Final = (
    r"pass(?:word|wd|phrase|code)?|pwd|secret(?:[ _-]?(?:access[ _-]?)?key)?|credentials?|"
    r"(?:api|access|auth|bearer|refresh|session|id|client|encryption|signing|account|shared|"
    r"private|webhook|master|service)[ _-]?(?:key|token|secret)|token|"
    r"apikey|pin(?: code)?|passwort|kennwort|zugangscode|geheimnis|"
    r"mot de passe|mdp|code secret|contrase[ñn]a|clave(?: secreta)?|wachtwoord|senha|palavra-passe|"
    r"parola d.ordine|chiave(?: segreta)?"
)
_PASSWORDS: Final = (
    r"password|passwd|pwd|passphrase|passwort|kennwort|mot de passe|contrase[ñn]a|wachtwoord|senha"
)
_WORDS_ZH: Final = "密码|口令|密钥|令牌"

_IS: Final = (
    r"[\"']?\]?(?: (?:for|of|für|pour|para|per|voor) [\w@.\"'-]{1,40}| \([\w ./-]{1,30}\))?"
    r"(?: ?(?:=>|:=|[:=])| (?:is|was|ist|lautet|est|es|era|è|é|to)(?:[:=]| now| still)?|是|为)[ "
    r"\t]{0,3}[\"'`]?"
)


def rules(languages: Collection[Language]) -> list[Rule]:
    """Words for a password are known in every language: a leak is worth more than a false alarm."""
    del languages
    return [
        Rule(
            kind="secret",
            shape=f"(?:{'|'.join(_TOKENS)})",
            gate=_gate(),
            score=97,
            neighbours="word",
        ),
        Rule(
            kind="secret",
            gate="PRIVATE KEY",
            shape=r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\:,.-]*"
            r"(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----)?",
            score=99,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            gate=r"://[^\s/@:]*:[^\s/@]+@",
            shape=r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/@:]*:([^\s/@]+)@",
            accept=_filled_in,
            # The password and the host look like an e-mail address, and are longer.
            score=98,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            gate=r"(?i)\b(?:bearer|basic) [A-Za-z0-9]",
            shape=r"(?i)\b(?:bearer|basic) +([A-Za-z0-9._~+/-]{12,}=*)",
            accept=_token,
            score=92,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            gate=rf"(?i)(?:{_WORDS}|{_WORDS_ZH})[\"']?[^\n]{{0,2}}?(?:[:= ]|是|为)",
            shape=rf"(?i)(?:{_WORDS}|{_WORDS_ZH}){_IS}([^\s\"'`,;<>]{{4,}})",
            accept=_password,
            score=88,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            # Right behind its word only what no sentence has: letters, digits and signs.
            shape=rf"(?i)\b(?:{_PASSWORDS}) ([^\s\"'`,;<>]{{6,}})",
            accept=_mixed,
            score=75,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            shape=r"\bcurl\b[^\n]{0,120}? (?:-u|--user)[ =][\"']?[^\s:\"']+:([^\s\"']{3,})",
            gate=r" (?:-u|--user)[ =][\"']?[^\s:\"']+:[^\s\"']",
            accept=_filled_in,
            score=92,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            # In quotes behind its name: a value of a file or of JSON, whatever it looks like.
            gate=rf"(?i)(?:{_WORDS})[\"'] ?[:=]",
            shape=rf"(?i)(?:{_WORDS})[\"'] ?[:=] ?[\"']([^\"'\s]{{4,}})[\"']",
            accept=_filled_in,
            score=78,
            neighbours="any",
        ),
        Rule(
            kind="secret",
            gate=r"(?i)(?:AccountKey|SharedAccessKey|sig|Pwd|Password)=",
            shape=r"(?i)(?:AccountKey|SharedAccessKey|sig|Pwd|Password)=([^\s;&\"']{4,})",
            accept=_filled_in,
            score=94,
            neighbours="any",
        ),
    ]


def _gate() -> str:
    """How the tokens begin: cheaper to look for than the whole of each."""
    return (
        r"\bhg_|\bsk-[A-Za-z0-9]|\b(?:gsk|xai|pplx|r8|hf|fw|csk)[_-][A-Za-z0-9]{8}"
        r"|\bA(?:KIA|SIA|ROA|IDA|GPA|NPA|NVA|BIA|CCA)[A-Z0-9]{4}|\bgh[pousr]_|\bgithub_pat_"
        r"|\bgl[a-z]{2,5}-|\bnpm_|\bpypi-|\bdckr_|\bxox[a-z]-|\bxapp-|hooks\.slack|"
        r"\d:A[A-Za-z0-9_-]{8}"
        r"|[A-Za-z0-9_-]{8}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{8}|\b[srp]k_(?:live|test)_|"
        r"\bwhsec_|\bsq0"
        r"|\bshp[a-z]{2}_|AIza|ya29\.|GOCSPX-|\dQ~|\bSG\.|\bkey-[a-f0-9]{8}|\b(?:AC|SK)[a-f0-9]{8}"
        r"|\bdo[opr]_v1_|\bdapi[a-f0-9]|\bhv[sbr]\.|AGE-SECRET|\beyJ[A-Za-z0-9]"
        r"|\b(?:lin_api|secret|ntn|figd|rdme|sntrys|nfp|pul|dp\.pt|tfp|PMAK|NRAK|glsa|dop)[_-]"
    )


_PLACEHOLDER: Final = re.compile(
    r"(?i)[<\[{($%].*|\*+|x{3,}|\.{3,}.*"
    r"|(?:null|none|nil|undefined|true|false|required|optional|str|string|text|number|any|value"
    r"|example|placeholder|redacted|password|secret|token|changeme|your[_-].*)[,;)\]}]*"
)
_CODE: Final = re.compile(
    # A call, a part or a field of something; a name in snake_case, camelCase or capitals; a number.
    r"[A-Za-z_][\w.]*[(\[].*|[A-Za-z_]+(?:\.[A-Za-z_]+)+[\[(]?.*|[a-z]+(?:_[a-z]+)+"
    r"|[a-z]+(?:[A-Z][a-z]+)+|(?:[A-Z][a-z]+){2,}|[A-Z]+(?:_[A-Z]+)+|\d+(?:_\d+)+"
)


def _filled_in(value: str) -> int:
    """All of `value`, where it is no name of a variable and no row of stars."""
    return 0 if _PLACEHOLDER.fullmatch(value) else len(value)


def _token(value: str) -> int:
    return len(value) if entropy_bits(value) >= 3 and not _PLACEHOLDER.fullmatch(value) else 0


def _password(value: str) -> int:
    """How much of `value` may be a password: words of a sentence are none."""
    value = value.rstrip(").]}!?:," if value[-1:] in ").]}" else ".?:,")
    if len(value) < 4 or _PLACEHOLDER.fullmatch(value) or _CODE.fullmatch(value):
        return 0
    letters = sum(character.isalpha() for character in value)
    digits = sum(character.isdigit() for character in value)
    others = len(value) - letters - digits
    mixed = not value.islower() and not value.isupper() and not value.istitle()
    kinds = bool(letters) + bool(digits) + bool(others - value.count("-")) + mixed
    if digits == len(value):
        return len(value) if len(value) <= 12 else 0
    if kinds >= 2 and value.isascii():
        return len(value)
    return 0


def _mixed(value: str) -> int:
    """All of `value`, where it has letters, digits and signs, or both cases and digits."""
    value = value.rstrip(".,:;?)]}")
    if _PLACEHOLDER.fullmatch(value) or _CODE.fullmatch(value) or not value.isascii():
        return 0
    inside = value.rstrip("!")
    letters = any(character.isalpha() for character in inside)
    digits = any(character.isdigit() for character in inside)
    signs = any(not character.isalnum() and character not in "-_/.:" for character in inside)
    cases = any(character.isupper() for character in inside[1:]) and not inside.isupper()
    return len(value) if letters and digits and (signs or cases) else 0


def entropy_bits(value: str) -> float:
    """Shannon's entropy of `value`'s characters, in bits a character."""
    length = len(value)
    return -sum(count / length * math.log2(count / length) for count in Counter(value).values())
