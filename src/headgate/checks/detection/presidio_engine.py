"""How does Presidio find people, places and organisations? With a spaCy model of the operator's.

Needs the extra `headgate[presidio]` and a model that is installed or stands in a folder: nothing is
fetched from the network. Only its reading of sentences is used, for Headgate's own rules are better
and faster at the rest; so its e-mail recogniser, which asks for a list of domains over the network,
is not loaded. It takes some 15 ms a KB: call it in a thread or process of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any, Final

from headgate.checks.detection.finding import Finding, without_overlaps
from headgate.errors import ConfigError

_KINDS: Final = {"PERSON": "person", "LOCATION": "place", "ORGANIZATION": "organisation"}

_LABELS: Final = {
    "PERSON": "PERSON",
    "PER": "PERSON",
    "GPE": "LOCATION",
    "LOC": "LOCATION",
    "FAC": "LOCATION",
    "ORG": "ORGANIZATION",
}
"""What spaCy's models call them, English ones and others."""


class PresidioEngine:
    """Finds those of `person`, `place` and `organisation` that `kinds` names (all by default).

    Texts are read as of the model's language. `model` is the name of an installed spaCy model, or
    its folder. Raises `ConfigError` where Presidio or the model is missing.
    """

    def __init__(
        self, model: str, *, kinds: Collection[str] | None = None, least_score: int = 50
    ) -> None:
        nlp = _loaded(model)
        self._language: str = nlp.lang
        self._analyzer = _analyzer(nlp)
        self._least_score = least_score
        self._entities = [
            entity for entity, kind in _KINDS.items() if kinds is None or kind in kinds
        ]

    def find(self, text: str) -> list[Finding]:
        """What stands in `text`: in its order, not overlapping."""
        if not self._entities:
            return []
        # spaCy takes no half surrogate pairs; a question mark keeps the place of each.
        readable = text.encode("utf-8", "replace").decode()
        found = self._analyzer.analyze(
            readable,
            language=self._language,
            entities=self._entities,
            score_threshold=self._least_score / 100,
        )
        return without_overlaps(
            Finding(_KINDS[one.entity_type], one.start, one.end, round(100 * one.score))
            for one in found
        )


def _loaded(model: str) -> Any:
    try:
        import presidio_analyzer  # noqa: F401, PLC0415
        import spacy  # noqa: PLC0415
    except ImportError:
        raise ConfigError(
            "presidio_model: Presidio is not installed; install `headgate[presidio]`"
        ) from None
    # Presidio would download a model that it does not find, and spaCy's own message says how to.
    if not (spacy.util.is_package(model) or Path(model).is_dir()):
        raise ConfigError(
            f"presidio_model: the spaCy model {model} is not installed; install it beside Headgate,"
            " or write the folder that holds it"
        )
    return spacy.load(model)


def _analyzer(nlp: Any) -> Any:
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry  # noqa: PLC0415
    from presidio_analyzer.nlp_engine import (  # noqa: PLC0415
        NerModelConfiguration,
        SpacyNlpEngine,
    )
    from presidio_analyzer.predefined_recognizers import SpacyRecognizer  # noqa: PLC0415

    class Loaded(SpacyNlpEngine):  # type: ignore[misc]
        """Presidio's engine around a pipeline that is there already."""

        def load(self) -> None:
            self.nlp = {nlp.lang: nlp}

    configuration = NerModelConfiguration(
        model_to_presidio_entity_mapping=_LABELS,
        labels_to_ignore=sorted(set(_labels_of(nlp)) - set(_LABELS)),
        low_score_entity_names=[],
    )
    recognizer = SpacyRecognizer(supported_language=nlp.lang, supported_entities=list(_KINDS))
    return AnalyzerEngine(
        nlp_engine=Loaded(
            models=[{"lang_code": nlp.lang, "model_name": "loaded"}],
            ner_model_configuration=configuration,
        ),
        registry=RecognizerRegistry(recognizers=[recognizer], supported_languages=[nlp.lang]),
        supported_languages=[nlp.lang],
    )


def _labels_of(nlp: Any) -> set[str]:
    """Every label that the model may give, so that those nobody asked about are passed over."""
    return {
        label
        for name in ("ner", "entity_ruler")
        if name in nlp.pipe_names
        for label in nlp.get_pipe(name).labels
    }
