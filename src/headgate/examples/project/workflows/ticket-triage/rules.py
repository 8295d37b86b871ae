"""Business rules for triaged tickets: what must hold whatever the model says.

Headgate calls `amend` and then `check` on every answer that fits the schema, and `fallback` when no
answer passes. They see plain dicts and reach nothing outside: no network, no files, no clock.
"""

import re
from typing import Any

Values = dict[str, Any]

QUEUES = {
    "outage": {"incident_response"},
    "security": {"security"},
    "bug": {"engineering"},
    "billing": {"billing"},
    "account_access": {"account_support"},
    "how_to": {"customer_success", "general"},
    "feature_request": {"product"},
    "complaint": {"customer_success"},
    "spam": {"general"},
    "other": {"general", "customer_success"},
}

# Words that leave no doubt, in the languages our customers write. Each is a regular expression,
# searched without regard to case; `\b` keeps "pin" out of "shipping".
OUTAGE = re.compile(
    r"(?<!no )(?<!not an )\boutages?\b|\b(?:is|are|was|went|going|still|completely|totally) down\b"
    r"|\bdown for (?:all|every|our)|\bservice unavailable\b"
    r"|\b(?:site|server|service|system|platform|app|api|network)\b[^.!?\n]{0,40}\bunreachable\b"
    r"|\b(?:total|system|server|komplett|netzwerk)?ausfall\b|\bausgefallen\b"
    r"|\b(?:seite|server|dienst|system|plattform|portal|netz)\b[^.!?\n]{0,60}\bnicht erreichbar\b"
    r"|\bpanne (?:générale|totale|du service)|\bservice (?:est )?(?:interrompu|indisponible)\b"
    r"|\binaccessible pour tou"
    r"|\bservicio caído\b|\b(?:está|están) caíd[oa]s?\b|\bcaída del (?:servicio|sistema)"
    r"|\bfora do ar\b|\bqueda do (?:serviço|sistema)"
    r"|宕机|服务中断|系统瘫痪|障害が発生|ダウンして",
    re.IGNORECASE,
)
SECURITY = re.compile(
    r"\bhack(?:ed|er|ers|ing)\b|\bbreach(?:ed|es)?\b|\bphish(?:ing|ed)?\b|\bransomware\b|\bmalware\b"
    r"|\bvulnerabilit(?:y|ies)\b|\bunauthori[sz]ed (?:access|log-?ins?|sign-?ins?|person|user)"
    r"|\bcompromised\b|\bdata leak|\bleaked\b"
    r"|\bstolen (?:laptop|phone|password|token|key|credential)"
    r"|\bsql injection\b|\bcross-site scripting\b|\bexposed (?:data|password|key|token)"
    r"|\bgehackt\b|\bdatenleck\b|\bsicherheitslücke\b|\bunbefugt\w*|\bphishing-"
    r"|\bpirat(?:é|ée|és|age)\b|\bfuite de données\b|\bhameçonnage\b|\bfaille de sécurité\b"
    r"|\bhacke(?:ado|ada|aron)\b|\bfiltración de datos\b|\bacceso no autorizado\b"
    r"|\binvadid[oa]\b|\bvazamento de dados\b|\bacesso não autorizado\b"
    r"|被盗|泄露|黑客|不正アクセス|情報漏",
    re.IGNORECASE,
)

# Words that tell nothing about the matter itself. A ticket that has little else is empty of facts.
FILLER = frozenset(
    re.findall(
        r"\S+",
        """
        a again all am an and any anyone anything are asap at be bad broke broken can cannot
        cant could day dear do does doesn doesnt doesn't don don't dont error errors
        everybody everything failed fails fix for from get getting good guys happen happened
        has have hello help hey hi how i i'm im immediately in is isn isn't isnt issue
        issues it it's its just me morning my need no nope not nothing now of ok on once our
        please plz pls problem problems question quick quickly really right same seems since
        so some somebody someone something soon stop stopped stuff team thank thanks that
        the there thing things this to today trouble urgent urgently us very was we well
        what when why will with won won't wont work worked working works wrong you your aber
        bitte danke das der die dringend ein es fehler funktioniert geht gehts guten hallo
        hilfe ich ist kaputt kein mal mehr mir nicht nichts nix problem schnell schon sehr
        sie tag und wieder wir aide aidez bonjour ca ça ce cela c'est est et fonctionne il
        je la le les marche merci moi ne pas plait plaît plus problème rien s'il svp un une
        vite vous ayuda ayúdenme algo buenas buenos con días de el en esto favor funciona
        gracias hola la mi muy nada necesito no por problema que se señores urgente va ajuda
        ajudem bom dia funciona isso me não nada obrigado olá o por preciso urgente
        """,
    )
)
_WORD = re.compile(r"[^\W\d_][\w'\u2019-]*", re.UNICODE)
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def amend(output: Values, ticket: Values) -> Values:
    """Set the severity that policy demands: no model is needed to apply it."""
    if output["intent"] in ("outage", "security") or _is_alarming(ticket):
        output["severity"] = "urgent"
    return output


def check(output: Values, ticket: Values) -> list[str]:
    """Every reason for which this answer must not go out."""
    problems = []
    if output["severity"] != "urgent" and (
        output["intent"] in ("outage", "security") or _is_alarming(ticket)
    ):
        problems.append(
            "severity: must be urgent, since an outage or a security issue is mentioned"
        )
    if output["queue"] not in QUEUES[output["intent"]]:
        fitting = " or ".join(sorted(QUEUES[output["intent"]]))
        problems.append(f"queue: must be {fitting} for the intent {output['intent']}")
    if not output["recommended_action"].strip():
        problems.append("recommended_action: must say what an agent should do next")
    points = [point.strip().casefold() for point in output["summary"]]
    if not all(points) or len(set(points)) < len(points):
        problems.append("summary: must be three different points, none of them empty")
    problems += _clarification_problems(output, ticket)
    return problems


def fallback(ticket: Values) -> Values:
    """A careful triage by keywords, for when no model's answer can be had."""
    text = _text(ticket)
    intent, severity = "other", "medium"
    if SECURITY.search(text):
        intent, severity = "security", "urgent"
    elif OUTAGE.search(text):
        intent, severity = "outage", "urgent"
    else:
        for candidate, pattern in _KEYWORDS.items():
            if re.search(pattern, text, re.IGNORECASE):
                intent = candidate
                severity = "low" if candidate in ("how_to", "feature_request") else "medium"
                break
    unclear = _is_empty_of_facts(ticket)
    language = _language(text)
    return {
        "summary": _points(ticket),
        "intent": intent,
        "severity": severity,
        "queue": "general" if "general" in QUEUES[intent] else min(QUEUES[intent]),
        "recommended_action": "Read the ticket and route it by hand: it was triaged by keywords,"
        " without a model.",
        "language": language,
        "needs_clarification": unclear,
        "clarifying_questions": _QUESTIONS.get(language, _QUESTIONS["en"]) if unclear else [],
    }


def _clarification_problems(output: Values, ticket: Values) -> list[str]:
    asks = bool([question for question in output["clarifying_questions"] if question.strip()])
    problems = []
    if output["needs_clarification"] and not asks:
        problems.append("clarifying_questions: must ask something, since clarification is needed")
    if not output["needs_clarification"] and output["clarifying_questions"]:
        problems.append("clarifying_questions: must be empty, since no clarification is needed")
    if any(not question.strip() for question in output["clarifying_questions"]):
        problems.append("clarifying_questions: must not hold empty questions")
    if (
        output["intent"] != "spam"
        and not output["needs_clarification"]
        and _is_empty_of_facts(ticket)
    ):
        problems.append(
            "needs_clarification: must be true with one to three clarifying_questions: the ticket"
            " names no product, no symptom and no question"
        )
    return problems


def _text(ticket: Values) -> str:
    return f"{ticket['subject']}\n{ticket['body']}"


def _is_alarming(ticket: Values) -> bool:
    text = _text(ticket)
    return bool(OUTAGE.search(text) or SECURITY.search(text))


def _is_empty_of_facts(ticket: Values) -> bool:
    text = _text(ticket)
    if len(_IDEOGRAPH.findall(text)) > 6:
        return False
    words = {word.casefold().replace("\u2019", "'") for word in _WORD.findall(text)}
    telling = {word for word in words if word not in FILLER and len(word) > 1}
    return len(telling) < 3


_KEYWORDS = {
    "account_access": r"\blog ?-?in|\bsign ?-?in|password|locked out|anmeld|passwor|mot de passe"
    r"|wachtwoord|contraseña|senha|登录|ログイン",
    "billing": r"invoice|refund|charged|billing|payment|subscription|rechnung|erstattung|facture"
    r"|rembours|factura|reembolso|fatura|发票|退款|請求",
    "bug": r"\bbug|error|crash|broken|cuts? off|\bdoes ?n[o']t work|fehler|erreur|fallo|erro\b"
    r"|错误",
    "feature_request": r"feature|would be (?:nice|great)|possible to add|could you add|wünsch"
    r"|souhait|sugerencia|sugest",
    "how_to": r"\bhow (?:do|can|to)\b|\bwie kann\b|\bcomment\b|\bcómo\b|\bcomo\b|如何|怎么",
    "complaint": r"unacceptable|disappoint|terrible|worst|ridiculous|beschwer|inacceptable|queja"
    r"|reclam",
}
"""Tried in this order when no model is to be had."""

_QUESTIONS = {
    "en": [
        "Which product or page is affected?",
        "What exactly happens, and which error message do you see?",
        "Since when does it happen?",
    ],
    "de": [
        "Welches Produkt oder welche Seite ist betroffen?",
        "Was genau passiert, und welche Fehlermeldung sehen Sie?",
        "Seit wann tritt es auf?",
    ],
    "fr": [
        "Quel produit ou quelle page est concerné ?",
        "Que se passe-t-il exactement, et quel message d'erreur voyez-vous ?",
        "Depuis quand cela se produit-il ?",
    ],
    "es": [
        "¿Qué producto o qué página está afectado?",
        "¿Qué ocurre exactamente y qué mensaje de error ve?",
        "¿Desde cuándo ocurre?",
    ],
    "pt": [
        "Qual produto ou página é afetado?",
        "O que acontece exatamente e qual mensagem de erro aparece?",
        "Desde quando isso acontece?",
    ],
}

_COMMON_WORDS = {
    "en": {"the", "is", "and", "to", "we", "it", "of", "you", "not", "please", "my"},
    "de": {"der", "die", "das", "und", "ist", "nicht", "wir", "ich", "bitte", "mit", "seit"},
    "fr": {"le", "la", "les", "et", "est", "nous", "je", "pas", "vous", "des", "une", "bonjour"},
    "es": {"el", "la", "los", "y", "es", "no", "que", "por", "una", "hola", "con", "para"},
    "pt": {"o", "os", "e", "é", "não", "que", "uma", "com", "para", "olá", "você", "nossa"},
    "it": {"il", "gli", "e", "è", "non", "che", "una", "per", "con", "ciao", "sono"},
    "nl": {"de", "het", "een", "en", "is", "niet", "wij", "ik", "graag", "met"},
}


def _language(text: str) -> str:
    if re.search(r"[\u3040-\u30ff]", text):
        return "ja"
    if re.search(r"[\u4e00-\u9fff]", text):
        return "zh"
    if re.search(r"[\u0400-\u04ff]", text):
        return "ru"
    words = [word.casefold() for word in _WORD.findall(text)]
    counts = {code: sum(word in common for word in words) for code, common in _COMMON_WORDS.items()}
    best = max(counts, key=lambda code: counts[code])
    return best if counts[best] else "en"


def _points(ticket: Values) -> list[str]:
    sentences = [
        sentence.strip()[:200]
        for sentence in re.split(r"(?<=[.!?。\uff01\uff1f])\s*|\n+", _text(ticket))
        if sentence.strip()
    ]
    points = list(dict.fromkeys(sentences))[:3]
    padding = ["The ticket says no more.", "It was not read by a model.", "A person must read it."]
    return (points + padding)[:3]
