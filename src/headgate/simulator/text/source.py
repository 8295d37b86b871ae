"""What a request gives to read: the ticket, report or question within the user's message.

A rendered prompt wraps its data in tags, fences, `Subject:` and `Body:` lines or JSON, with an
order such as "Summarise this:" around it. Only the data is read for facts.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import Any

import msgspec

from headgate.simulator.text.commands import is_command
from headgate.simulator.text.labels import without_labels
from headgate.simulator.text.language import language_of
from headgate.simulator.text.sentences import sentences
from headgate.simulator.text.words import content_words

MAX_CHARS = 60_000
"""How much of a text is read; the rest counts as tokens only."""

_TAGGED = re.compile(r"<([A-Za-z][\w-]{0,40})(?:\s[^<>]{0,200})?>(.*?)</\1\s*>", re.DOTALL)
_FENCED = re.compile(
    r"(?:```|~~~)[^\n]{0,40}\n(.*?)(?:```|~~~)|\"\"\"(.*?)\"\"\"|^<<<[^\n]{0,40}\n(.*?)^>>>",
    re.DOTALL | re.MULTILINE,
)
_LABEL = re.compile(
    r"^\s*(?:\*\*|#+\s*)?(?P<label>subject|title|betreff|objet|sujet|asunto|oggetto|assunto"
    r"|onderwerp|headline|body|message|description|text|content|ticket|report|document|details"
    r"|nachricht|mensaje|cuerpo|messaggio|corps|from|to|customer|channel|sent|received|date|id"
    r"|plan|priority)\s*(?:\*\*)?\s*:(?:\*\*)?[ \t]*(?P<rest>.*)$",
    re.IGNORECASE,
)
_SUBJECT_LABELS = frozenset(
    [
        "subject",
        "title",
        "betreff",
        "objet",
        "sujet",
        "asunto",
        "oggetto",
        "assunto",
        "onderwerp",
        "headline",
    ]
)
_BODY_LABELS = frozenset(
    [
        "body",
        "message",
        "description",
        "text",
        "content",
        "ticket",
        "report",
        "document",
        "details",
        "nachricht",
        "mensaje",
        "cuerpo",
        "messaggio",
        "corps",
    ]
)
_NO_SUBJECT = re.compile(
    r"^\W*(?:no subject|kein betreff|sans objet|sin asunto|untitled)?\W*$", re.IGNORECASE
)
_ORDER_LINE = re.compile(
    r"^(?:please\s+)?(?:read|summari[sz]e|classify|triage|analy[sz]e|extract|write|answer|handle"
    r"|process|here (?:is|are)|below (?:is|are)|the (?:following|ticket|report|text)|this is"
    r"|use|return|treat|everything|do not|never)\b.*$",
    re.IGNORECASE,
)


class Source(msgspec.Struct, frozen=True, dict=True):
    """The data in a request, as read."""

    subject: str
    """Its heading, or an empty text."""
    body: str
    """The rest."""
    asked: str = ""
    """The user's whole message, as sent, with any order around the data."""

    @cached_property
    def sentences(self) -> tuple[str, ...]:
        """The body's sentences in order, without orders to the model."""
        return tuple(found for found in sentences(self.body) if not is_command(found))

    @cached_property
    def heading(self) -> str:
        """The subject, unless it is empty, says that there is none, or is an order."""
        empty = _NO_SUBJECT.match(self.subject) is not None
        return "" if empty or is_command(self.subject) else self.subject

    @cached_property
    def facts(self) -> str:
        """Subject and body as one text, without orders to the model."""
        subject = self.heading
        return "\n\n".join((subject, *self.sentences)).strip()

    @cached_property
    def language(self) -> str:
        """The ISO 639-1 code of the language it is in."""
        return language_of(self.facts)

    @cached_property
    def content_words(self) -> tuple[str, ...]:
        """The words that carry content, in order."""
        return tuple(content_words(self.facts))

    def narrowed(self, sentence: str) -> Source:
        """The same request, read for one sentence of its data."""
        return Source(subject="", body=sentence, asked=self.asked)


def read_source(message: str, *results: str) -> Source:
    """The data in the user's `message`, with the results of tools after it."""
    text = message[:MAX_CHARS]
    facts = without_labels(text)
    data = _from_json(facts) or _from_blocks(facts) or _from_labels(facts) or ("", _plain(facts))
    subject, body = data
    return Source(
        subject=subject.strip(),
        body="\n\n".join(part for part in (body.strip(), *results) if part)[:MAX_CHARS],
        asked=text,
    )


def _from_json(text: str) -> tuple[str, str] | None:
    start, end = text.find("{"), text.rfind("}")
    # A text that only quotes some JSON is no JSON.
    if start < 0 or end < start or end - start < 0.6 * len(text.strip()):
        return None
    try:
        value = msgspec.json.decode(text[start : end + 1])
    except (msgspec.DecodeError, UnicodeEncodeError):
        return None
    if not isinstance(value, dict) or not value:
        return None
    return _fields({str(key): _flat(part) for key, part in value.items()})


def _flat(value: Any) -> str:
    match value:
        case str():
            return value
        case dict():
            return ". ".join(f"{key}: {_flat(part)}" for key, part in value.items())
        case list():
            return ". ".join(_flat(part) for part in value)
        case _:
            return msgspec.json.encode(value).decode()


def _from_blocks(text: str) -> tuple[str, str] | None:
    blocks = {found[1]: found[2].strip() for found in _TAGGED.finditer(text)}
    if not blocks:
        fenced = [found[1] or found[2] or found[3] or "" for found in _FENCED.finditer(text)]
        blocks = {f"text{number}": part.strip() for number, part in enumerate(fenced)}
    if not blocks:
        return None
    if len(blocks) > 1:
        return _fields(blocks)
    (inner,) = blocks.values()
    if len(inner) < 0.3 * len(text) and len(text) > 400:
        # A quotation within a text, rather than the text within an order.
        return None
    subject, body = _from_blocks(inner) or _from_json(inner) or _from_labels(inner) or ("", inner)
    if not subject:
        # A heading may stand before the block: `Subject: …`, then the text in its fence.
        before = text.partition("<<<")[0] if not inner else text.partition(inner)[0]
        subject = (_from_labels(before) or ("", ""))[0]
    return subject, body


def _from_labels(text: str) -> tuple[str, str] | None:
    fields: dict[str, list[str]] = {}
    before: list[str] = []
    current: list[str] = before
    in_body = False
    for line in text.splitlines():
        label = None if in_body else _LABEL.match(line)
        if label:
            name = label["label"].lower()
            current = fields.setdefault(name, [])
            current.append(label["rest"])
            in_body = name in _BODY_LABELS
        else:
            current.append(line)
    if not (fields.keys() & (_SUBJECT_LABELS | _BODY_LABELS)):
        return None
    subject, body = _fields({name: "\n".join(lines).strip() for name, lines in fields.items()})
    return subject.partition("\n")[0], body or subject.partition("\n")[2]


def _fields(fields: dict[str, str]) -> tuple[str, str]:
    """Subject and body among named texts; texts of other names only where there is no body."""
    lowered = {name.lower(): text for name, text in fields.items()}
    subject = next((lowered[name] for name in lowered if name in _SUBJECT_LABELS), "")
    body = [lowered[name] for name in lowered if name in _BODY_LABELS]
    if not body:
        body = [text for name, text in lowered.items() if name not in _SUBJECT_LABELS]
    return subject, "\n\n".join(body)


def _plain(text: str) -> str:
    """`text` without an order in its first line or after its data."""
    lines = text.strip().splitlines()
    while len(lines) > 1 and (lines[0].rstrip().endswith(":") or _ORDER_LINE.match(lines[0])):
        rest = "\n".join(lines[1:]).strip()
        if not rest:
            break
        lines = rest.splitlines()
    single = len(lines) == 1
    if single and (found := re.match(r"^[^:.!?\n]{3,80}:\s+(?P<data>\S.{20,})$", lines[0])):
        return found["data"]
    return "\n".join(lines)
