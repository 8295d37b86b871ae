"""What a model says that is asked to judge whether a text tries to instruct a model.

It scores by signs of its own: sentences that are orders to a model, who it claims to be, secrecy,
addresses that data is to go to, and disguises. Made without a look at any pack of attacks; a real
model reads better.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from headgate.simulator.answer import Answer
from headgate.simulator.conversation import Task
from headgate.simulator.text.commands import is_command
from headgate.simulator.text.islands import decoded_islands
from headgate.simulator.text.sentences import sentences

_ASKED = re.compile(r"\b(?:judge|rate|score|classify|assess)\b", re.IGNORECASE)
_ABOUT = re.compile(
    r"\b(?:prompt injection|jailbreak|instruct\w* the (?:language )?model)\b", re.IGNORECASE
)
_NAME = re.compile(r"injection|attack|jailbreak", re.IGNORECASE)
_TEXT = re.compile(r"\{.*\}", re.DOTALL)

_TO_A_MODEL = re.compile(
    r"\b(?:assistant|chatbot|language model|llm|ai (?:system|agent|model)|as an ai|gpt|agents? that"
    r" read|model reading|ki-assistent\w*|sprachmodell\w*|ia|modelo|mod[èe]le|asistente"
    r"|assistente)\b|人工智能|助手|模型",
    re.IGNORECASE,
)
_ORDERS = re.compile(
    r"\b(?:you (?:must|will|shall|should|are to|have to)|must (?:answer|reply|respond|say|begin"
    r"|end)|answer (?:with|only)|reply (?:with|only)|respond (?:with|only)|say|print|write|repeat"
    r"|output|begin (?:every|your|each)|end (?:every|your|each)|start (?:every|your)|include|append"
    r"|never (?:say|refuse|mention)|antworte|schreib\w*|gib|melde dich|r[ée]ponds|[ée]cris"
    r"|conseillez|commence par|responde|escribe|empieza|rispondi|scrivi|presentati|antwoord"
    r"|schrijf|responda|escreva|comece)\b|回答|回复|输出|直接写",
    re.IGNORECASE,
)
_SECRECY = re.compile(
    r"\b(?:do not|don't|never|without) (?:mention\w*|tell\w*|reveal\w*|warn\w*|inform\w*|refus\w*"
    r"|apolog\w*|hedg\w*|disclaim\w*)\b|\bsecretly\b|\bsilently\b",
    re.IGNORECASE,
)
_RULES = re.compile(
    r"\b(?:your|the|all|any|these)"
    r" (?:system |hidden |initial |original |previous |earlier |prior )*(?:prompt|rules"
    r"|instructions?|guidelines|restrictions|configuration|programming|directives)\b"
    r"|\b(?:unrestricted|without any limits|no limits)\b|\b(?:anweisungen|vorgaben|consignes"
    r"|directives|restrictions?|instrucciones|restricciones|istruzioni|instructies|regels"
    r"|instruções|regeln|regole|reglas|règles|regras)\b|指令|规则|提示词",
    re.IGNORECASE,
)
_SENT = re.compile(r"!\[[^\]]*\]\(|https?://\S+[?&]\w+=\S*|<img\b", re.IGNORECASE)
_FORGED = re.compile(
    r"<\|?/?(?:im_start|im_end|system|assistant)\|?>|\[/?INST\]|<<SYS>>", re.IGNORECASE
)
_HIDDEN = re.compile("[\u200b-\u200f\u2060-\u2064\U000e0000-\U000e007f]{3,}")

_WEIGHTS: Final = (
    (_TO_A_MODEL, 18), (_ORDERS, 15), (_SECRECY, 20), (_RULES, 22), (_SENT, 15), (_FORGED, 60),
    (_HIDDEN, 55),
)  # fmt: skip
_COMMAND: Final = 32
_MOST: Final = 97


def judgement(task: Task) -> Answer | None:
    """The answer to a task that asks for such a score; None for any other task."""
    field = _field(task)
    if field is None or not (_ASKED.search(task.instructions) and _ABOUT.search(task.instructions)):
        return None
    return Answer(text=msgspec.json.encode({field: steering_score(_judged(task.asked))}).decode())


def steering_score(text: str) -> int:
    """How likely `text` tries to steer the model that reads it, from 0 to 100."""
    left = 1.0
    read = "\n".join((text, *decoded_islands(text)))
    for pattern, weight in _WEIGHTS:
        if pattern.search(read):
            left *= 1 - weight / 100
    if any(is_command(sentence) for sentence in sentences(read)):
        left *= 1 - _COMMAND / 100
    return min(_MOST, round(100 * (1 - left)))


def _field(task: Task) -> str | None:
    """The only field of the answer, where it is such a score."""
    properties: dict[str, Any] = (task.output.schema or {}).get("properties") or {}
    if len(properties) != 1:
        return None
    name, schema = next(iter(properties.items()))
    numeric = isinstance(schema, dict) and schema.get("type") in ("integer", "number")
    return name if numeric and _NAME.search(name) else None


def _judged(said: str) -> str:
    """The text that is to be judged: what stands in JSON, or all of it."""
    found = _TEXT.search(said)
    if found is None:
        return said
    try:
        value = msgspec.json.decode(found[0])
    except msgspec.DecodeError:
        return said
    texts = value.values() if isinstance(value, dict) else ()
    return "\n".join(text for text in texts if isinstance(text, str)) or said
