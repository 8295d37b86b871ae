"""A YAML file that can't be read says where."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import pytest

from headgate.config.yaml_file import YamlFile
from headgate.errors import ConfigError


class Shelf(msgspec.Struct, forbid_unknown_fields=True):
    books: dict[Annotated[str, msgspec.Meta(pattern="^[a-z]+$")], int]


def test_a_key_that_is_wrong_is_named_with_its_line():
    document = YamlFile(Path("x.yaml"), "books:\n  good: 1\n  NOT GOOD: 2\n")
    with pytest.raises(ConfigError, match=r"^x\.yaml:3: books\.NOT GOOD: expected `str`"):
        document.into(Shelf)


def test_a_field_under_which_all_is_commented_out_is_told():
    document = YamlFile(Path("x.yaml"), "books:\n#  good: 1\n")
    with pytest.raises(ConfigError, match=r"^x\.yaml:1: books: .* below it, or leave it out$"):
        document.into(Shelf)


@pytest.mark.parametrize(
    "text", ["[" * 50_000, "a:\n" + "".join(f"{' ' * n}- \n" for n in range(1, 300))]
)
def test_what_is_nested_too_deeply_does_not_end_the_process(text):
    with pytest.raises(ConfigError, match=r"^x\.yaml:\d+: is nested too deeply"):
        YamlFile(Path("x.yaml"), text)
    assert YamlFile(Path("x.yaml"), "[" * 150 + "]" * 150).data


@pytest.mark.parametrize(
    ("text", "line", "first"),
    [
        ("limits: [{per: key}]\nother: 1\nlimits: []\n", 3, 1),
        ("budgets:\n  - usd: '1'\n    usd: '1000'\n", 3, 2),
        ("a: {b: 1, b: 1}\n", 1, 1),
        ('a: 1\n"a": 2\n', 2, 1),
    ],
)
def test_a_name_that_stands_twice_is_refused_where_the_second_would_replace_the_first(
    text, line, first
):
    with pytest.raises(
        ConfigError, match=rf"^x\.yaml:{line}: `\w+` stands here twice, first in line {first};"
    ):
        YamlFile(Path("x.yaml"), text)


def test_what_is_taken_over_from_an_anchor_may_be_written_anew():
    text = "a: &a {x: 1, y: 2}\nb: {<<: *a, x: 3}\nc: [*a, *a]\n"
    assert YamlFile(Path("x.yaml"), text).data["b"] == {"x": 3, "y": 2}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: 1\nday: 2026-13-01\n", "2: `2026-13-01` is no date; mend it, or write it in quotes"),
        ("days: [2026-02-28,\n  2026-02-30]\n", "2: `2026-02-30` is no date"),
        ("a: !!int abc\n", "1: `abc` is no whole number"),
        ("a: !!timestamp soon\n", "1: `soon` is no date"),
        (f"a: {'9' * 5000}\n", "1: `9"),
    ],
)
def test_what_looks_like_a_date_or_a_number_and_is_none_is_told_with_its_line(text, told):
    with pytest.raises(ConfigError) as error:
        YamlFile(Path("x.yaml"), text)
    assert str(error.value).startswith(f"x.yaml:{told}")


@pytest.mark.parametrize(
    ("text", "line"), [("a: 1\nb: &b\n  c: [*b]\n", 2), ("&a [*a]", 1), ("&a {x: &b [*a, *b]}", 1)]
)
def test_an_anchor_that_holds_itself_is_refused(text, line):
    with pytest.raises(ConfigError, match=rf"^x\.yaml:{line}: an anchor holds itself"):
        YamlFile(Path("x.yaml"), text)


def test_a_quotation_mark_that_is_not_closed_is_told_with_where_it_begins():
    with pytest.raises(ConfigError, match=r"^x\.yaml:4: not valid YAML: .* begins in line 2\)$"):
        YamlFile(Path("x.yaml"), 'a: 1\nb: "x\nc: 2\n')
