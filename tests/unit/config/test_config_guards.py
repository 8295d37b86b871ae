"""What an operator writes of guards is refused with file and line where it can't be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.errors import ConfigError

WORDS = "guards: { house: { words: { words: [x] } } }\n"
JUDGED = """guards: { house: { injection: { judge: { model: m, %s } } } }
guard_policies: { all: { guards: [house] } }
"""
ALL = "guard_policies: { all: { guards: [house] } }\n"


def load(folder: Path, text: str) -> None:
    (folder / "headgate.yaml").write_text(text)
    load_settings(folder, {})


def test_a_guard_and_its_policy_are_taken(tmp_path: Path) -> None:
    load(tmp_path, WORDS + ALL)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (WORDS, "stands in no policy"),
        (
            WORDS + "guard_policies: { all: { guards: [hose] } }",
            "no such guard; the file has house",
        ),
        ("guards: { house: {} }\n" + ALL, "write exactly one of redact, words"),
        (
            "guards: { house: { words: { words: [x] }, redact: {} } }\n" + ALL,
            "write exactly one of",
        ),
        ("guards: { house: { words: {} } }\n" + ALL, "looks for nothing"),
        ('guards: { house: { words: { patterns: ["("] } } }\n' + ALL, "not a regular expression"),
        ("guards: { house: { words: { word: [x] } } }\n" + ALL, "word"),
        (JUDGED % "timeout_s: 2", "timeout_s: must be less than the guard's own, 2 s"),
        (JUDGED % "from_score: 50", "from_score: must be below 50"),
        (JUDGED % "below_score: 40", "below_score: must be at least the guard's threshold, 50"),
        (JUDGED % "parameters: { messages: [] }", "messages: is set by the judge itself"),
        (
            WORDS + "guard_policies: { all: { guards: [house], of: { trust: some } } }",
            "write trusted or untrusted",
        ),
        (
            "guards: { house: { redact: { find: { kinds: [email] }, modes: { iban: mask } } } }\n"
            + ALL,
            "is not looked for",
        ),
        (
            "guards: { house: { redact: { find: { own: [{ name: cust, pattern: '(' }] } } } }\n"
            + ALL,
            "regular expression",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as told:
        load(tmp_path, text)
    assert problem in str(told.value)
    assert "headgate.yaml:" in str(told.value)
