"""The few things the simulator says in its own words, in the languages it answers in."""

from __future__ import annotations

from headgate.simulator.text.topics import Topic

CLARIFYING: dict[str, tuple[str, str, str]] = {
    "en": (
        "What exactly were you trying to do, and what happened instead?",
        "When did it start, and does it affect only you or others too?",
        "Do you see an error message? If so, what does it say?",
    ),
    "de": (
        "Was genau wollten Sie tun, und was ist stattdessen passiert?",
        "Seit wann tritt es auf, und sind nur Sie oder auch andere betroffen?",
        "Sehen Sie eine Fehlermeldung? Wenn ja, wie lautet sie?",
    ),
    "fr": (
        "Que vouliez-vous faire exactement, et que s'est-il passé ?",
        "Depuis quand, et d'autres personnes sont-elles touchées ?",
        "Voyez-vous un message d'erreur ? Si oui, lequel ?",
    ),
    "es": (
        "¿Qué intentaba hacer exactamente y qué ocurrió?",
        "¿Desde cuándo ocurre, y afecta solo a usted o también a otras personas?",
        "¿Aparece algún mensaje de error? En ese caso, ¿qué dice?",
    ),
    "it": (
        "Che cosa stava cercando di fare esattamente, e che cosa è successo?",
        "Da quando succede, e riguarda solo lei o anche altri?",
        "Vede un messaggio di errore? Se sì, che cosa dice?",
    ),
    "pt": (
        "O que estava a tentar fazer exatamente, e o que aconteceu?",
        "Desde quando acontece, e afeta só você ou também outras pessoas?",
        "Aparece alguma mensagem de erro? Se sim, qual?",
    ),
    "nl": (
        "Wat probeerde u precies te doen, en wat gebeurde er?",
        "Sinds wanneer speelt dit, en hebben anderen er ook last van?",
        "Ziet u een foutmelding? Zo ja, welke?",
    ),
}
"""Questions for somebody whose message names no facts, by ISO 639-1 language."""

NO_MORE_DETAIL: dict[str, tuple[str, str, str]] = {
    "en": (
        "The message gives no further details.",
        "It does not say when this began.",
        "It does not say who is affected.",
    ),
    "de": (
        "Die Nachricht nennt keine weiteren Einzelheiten.",
        "Sie sagt nicht, seit wann es so ist.",
        "Sie sagt nicht, wer betroffen ist.",
    ),
    "fr": (
        "Le message ne donne pas plus de détails.",
        "Il ne dit pas depuis quand.",
        "Il ne dit pas qui est touché.",
    ),
    "es": (
        "El mensaje no da más detalles.",
        "No dice desde cuándo ocurre.",
        "No dice a quién afecta.",
    ),
}
"""What fills up a list of points where a text has too few, by language."""

ACTIONS: dict[Topic | None, str] = {
    "security": "Treat as a security incident: page the security team, preserve the evidence and"
    " secure the affected accounts now.",
    "outage": "Open an incident, page the on-call engineer and post a status update for affected"
    " customers.",
    "billing": "Check the account's invoices and payments, then correct the charge or explain it to"
    " the customer.",
    "account_access": "Verify the customer's identity and restore access, starting with a password"
    " or second-factor reset.",
    "bug": "Reproduce the error with the steps given and file a defect for engineering with a"
    " workaround for the customer.",
    "how_to": "Answer with the relevant steps and a link to the documentation.",
    "feature_request": "Log the request with the product team and tell the customer how to follow"
    " it.",
    "complaint": "Have customer success contact the customer personally, apologise and agree on the"
    " next step.",
    "spam": "Close as spam; no reply is needed.",
    None: "Review the message and route it to the team that can answer it.",
}
"""What to do about a message, by its topic."""

ASK_FIRST = "Ask the customer for the missing details before assigning the ticket."
"""What to do about a message that names no facts."""


def clarifying_questions(language: str) -> tuple[str, str, str]:
    """Three questions in `language`, or in English where it isn't spoken here."""
    return CLARIFYING.get(language, CLARIFYING["en"])


def fillers(language: str) -> tuple[str, str, str]:
    """Three points in `language`, or in English, that a text without facts still allows."""
    return NO_MORE_DETAIL.get(language, NO_MORE_DETAIL["en"])
