"""What can't be meant about detection is refused with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.detection import (
    KINDS,
    STRUCTURED,
    USUAL,
    DetectionSettings,
    check_detection,
)
from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError

WRONG = {
    "a pattern that RE2 does not know": (
        "own:\n  - name: customer\n    pattern: 'KD(?=\\d)'\n",
        ":3: own[0].pattern: is not a regular expression that RE2 knows: ",
    ),
    "a pattern that is everywhere": (
        "own:\n  - name: customer\n    pattern: 'a*'\n",
        ":3: own[0].pattern: matches the empty text",
    ),
    "a pattern too large to be fast": (
        "own:\n  - name: customer\n    pattern: '((a{100}){100}){100}'\n",
        ":3: own[0].pattern: is not a regular expression that RE2 knows: ",
    ),
    "a pattern and words": (
        "own:\n  - name: customer\n    pattern: 'KD'\n    words: [a]\n",
        ":2: own[0]: write either a `pattern` or `words`",
    ),
    "neither": ("own:\n  - name: customer\n", ":2: own[0]: write either a `pattern` or `words`"),
    "a name that is a kind's": (
        "own:\n  - {name: email, words: [a]}\n",
        ":2: own[0].name: is another kind's name",
    ),
    "a name twice": (
        "own:\n  - {name: a, words: [a]}\n  - {name: a, words: [b]}\n",
        ":3: own[1].name: is another kind's name",
    ),
    "an empty word": (
        "own:\n  - name: a\n    words: ['x', ' ']\n",
        ":3: own[0].words[1]: is empty",
    ),
    "a kind twice": ("kinds: [email, phone, email]\n", ":1: kinds[2]: stands there twice"),
    "no such kind": ("kinds: [emails]\n", ":1: kinds[0]: "),
    "no such language": ("languages: [en, xx]\n", ":1: languages[1]: "),
    "an unknown field": ("kind: [email]\n", "kind"),
}


@pytest.mark.parametrize("what", WRONG)
def test_what_cant_be_meant_is_refused(what):
    text, message = WRONG[what]
    document = YamlFile(Path("headgate.yaml"), text)
    with pytest.raises(ConfigError) as refused:
        check_detection(document, document.into(DetectionSettings))
    assert message in refused.value.message


def test_a_place_in_a_larger_file_is_told():
    text = "guards:\n  detection:\n    own:\n      - {name: a, pattern: '('}\n"
    document = YamlFile(Path("headgate.yaml"), text)
    own = {"own": [{"name": "a", "pattern": "("}]}
    document_of_it = YamlFile(Path("x.yaml"), "")
    document_of_it.data = own
    settings = document_of_it.into(DetectionSettings)
    with pytest.raises(ConfigError, match=r"yaml:4: guards\.detection\.own\[0\]\.pattern: "):
        check_detection(document, settings, "guards", "detection")


def test_without_a_word_everything_that_points_at_a_person_is_looked_for():
    assert DetectionSettings().kinds == USUAL
    assert set(STRUCTURED) < set(USUAL) < set(KINDS)
    assert set(KINDS) - set(USUAL) == {"place", "organisation"}
