"""What was found clean is not read again; what was not is, each time; the memory is bounded."""

from __future__ import annotations

from headgate.checks import clean_texts
from headgate.checks.clean_texts import CleanTexts, Remembering, digest_of
from headgate.checks.detection import Finding


class Reader:
    """Finds an `x`."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def find(self, text: str) -> list[Finding]:
        self.read.append(text)
        at = text.find("x")
        return [] if at < 0 else [Finding("letter", at, at + 1, 90)]


def test_only_texts_without_findings_are_left_alone() -> None:
    reader = Reader()
    engine = Remembering(reader)
    for _ in range(3):
        assert engine.find("clean") == []
        assert engine.find("an x") == [Finding("letter", 3, 4, 90)]
        assert engine.find("clean ") == []
    assert reader.read == ["clean", "an x", "clean ", "an x", "an x"]


def test_half_a_surrogate_pair_is_a_text_like_any_other() -> None:
    assert digest_of("\ud800") != digest_of("\ud801")


def test_as_many_as_were_promised_are_kept_and_those_in_use_stay(monkeypatch) -> None:
    monkeypatch.setattr(clean_texts, "MAX_REMEMBERED", 10)
    clean = CleanTexts()
    clean.add(b"in use")
    for number in range(100):
        clean.add(b"%d" % number)
        assert b"in use" in clean
        assert len(clean._of_late) + len(clean._earlier) <= 10
    assert b"0" not in clean


def test_no_text_is_kept() -> None:
    clean = CleanTexts()
    clean.add(digest_of("a name: Anne Berger"))
    assert all(len(one) == 16 for one in clean._of_late)
