"""With Presidio and a spaCy model installed, names are found in the sentence, off the network."""

from __future__ import annotations

import builtins
import socket

import pytest

from headgate.checks.detection import (
    Detector,
    Finding,
    PresidioEngine,
    Together,
    engine_for,
)
from headgate.config.detection import DetectionSettings, OwnPatternSettings
from headgate.errors import ConfigError

TEXT = "Yesterday Lilla Volta signed for Acme Widgets in Springfield, mail lilla@volta.example."


class Fixed:
    """An engine that finds what it was told to."""

    def __init__(self, *found: Finding) -> None:
        self._found = list(found)

    def find(self, text):
        return self._found


@pytest.fixture
def model(tmp_path):
    """A tiny model, made here: a list of names instead of what is learned."""
    spacy = pytest.importorskip("spacy", reason="headgate[presidio] is not installed")
    pytest.importorskip("presidio_analyzer", reason="headgate[presidio] is not installed")
    nlp = spacy.blank("en")
    names = nlp.add_pipe("entity_ruler")
    names.add_patterns(
        [
            {"label": "PERSON", "pattern": "Lilla Volta"},
            {"label": "ORG", "pattern": "Acme Widgets"},
            {"label": "GPE", "pattern": "Springfield"},
            {"label": "DATE", "pattern": "Yesterday"},
        ]
    )
    nlp.to_disk(tmp_path / "model")
    return str(tmp_path / "model")


def test_presidio_finds_names_and_asks_no_network(model, monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    found = [
        (one.kind, TEXT[one.start : one.end]) for one in PresidioEngine(model).find(f"{TEXT}\ud800")
    ]
    assert found == [
        ("person", "Lilla Volta"),
        ("organisation", "Acme Widgets"),
        ("place", "Springfield"),
    ]


def test_presidio_and_the_rules_find_together_what_each_finds(model):
    both = Together([Detector(["email"]), PresidioEngine(model)])
    assert [one.kind for one in both.find(TEXT)] == ["person", "organisation", "place", "email"]


def test_a_model_that_is_not_there_is_told_and_not_fetched(model):
    with pytest.raises(ConfigError, match="the spaCy model xx_no_model is not installed"):
        PresidioEngine("xx_no_model")


def test_without_presidio_the_extra_is_named(monkeypatch):
    found = builtins.__import__

    def missing(name, *arguments, **more):
        if name.startswith("presidio"):
            raise ImportError(name)
        return found(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(ConfigError, match=r"install `headgate\[presidio\]`"):
        PresidioEngine("en_core_web_lg")


def test_only_the_kinds_asked_for_are_found(model):
    engine = engine_for(DetectionSettings(kinds=("email", "person"), presidio_model=model))
    assert [one.kind for one in engine.find(TEXT)] == ["person", "email"]
    assert PresidioEngine(model, kinds=("email",)).find(TEXT) == []


def test_a_configuration_makes_its_engine():
    own = OwnPatternSettings(name="customer", pattern=r"KD-\d{4}")
    settings = DetectionSettings(kinds=("email",), languages=("en",), own=(own,), least_score=80)
    text = "KD-1234 jane@example.com +44 20 7946 0958"
    assert [one.kind for one in engine_for(settings).find(text)] == ["customer", "email"]


def test_a_model_without_presidio_stops_the_start():
    with pytest.raises(ConfigError, match="presidio_model: "):
        engine_for(DetectionSettings(presidio_model="xx_no_model"))


def test_of_two_engines_the_surer_finding_stays():
    first = Fixed(Finding("person", 0, 4, 60), Finding("email", 10, 20, 95))
    second = Fixed(Finding("place", 2, 8, 85), Finding("email", 12, 25, 50))
    assert Together([first, second]).find("") == [
        Finding("place", 2, 8, 85),
        Finding("email", 10, 25, 95),
    ]
