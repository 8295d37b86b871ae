"""A file of inputs that is broken off is gone on with, and no row is asked for under two keys."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from headgate.cli.file_run import Asking, FileRun, RowResult
from headgate.errors import HeadgateError

INPUTS = [{"n": n} for n in range(40)]


class Answers(Asking):
    """Answers each row, and dies after so many."""

    def __init__(self, lasts: int = 10_000) -> None:
        super().__init__("http://127.0.0.1:1", "/", {})
        self.lasts = lasts
        self.keys: dict[int, set[str]] = {}

    def __call__(self, row: int, given: dict[str, Any], key: str) -> RowResult:
        self.keys.setdefault(row, set()).add(key)
        if len(self.keys) > self.lasts:
            raise HeadgateError("the server has gone")
        return RowResult(row=row, run_id=f"run_{row}", status="completed", output=given)


def lines(out: Path) -> list[dict]:
    return [json.loads(line) for line in out.read_text().splitlines()]


def test_every_row_has_its_line_in_its_place(tmp_path):
    out = tmp_path / "out.jsonl"
    assert len(list(FileRun("w", INPUTS, out).results(Answers(), 4))) == 40
    assert [line["output"] for line in lines(out)] == INPUTS
    assert not (tmp_path / "out.jsonl.progress").exists()
    with pytest.raises(HeadgateError, match="exists and is finished"):
        FileRun("w", INPUTS, out)


def test_what_was_broken_off_goes_on_with_the_same_keys(tmp_path):
    out = tmp_path / "out.jsonl"
    dying = Answers(lasts=17)
    with pytest.raises(HeadgateError, match="gone"):
        list(FileRun("w", INPUTS, out).results(dying, 4))
    with out.open("ab") as file:
        file.write(b'{"row": 99, "sta')  # killed in the middle of a line
    again = FileRun("w", INPUTS, out)
    assert 0 < len(again.earlier) <= 17
    answers = Answers()
    rest = list(again.results(answers, 4))
    assert len(again.earlier) + len(rest) == 40
    assert [line["row"] for line in lines(out)] == list(range(1, 41))
    assert min(answers.keys) == len(again.earlier) + 1
    for row, keys in answers.keys.items():
        assert len(keys | dying.keys.get(row, set())) == 1


def test_other_inputs_or_a_file_of_others_are_refused(tmp_path):
    out = tmp_path / "out.jsonl"
    with pytest.raises(HeadgateError):
        list(FileRun("w", INPUTS, out).results(Answers(lasts=3), 1))
    with pytest.raises(HeadgateError, match="other inputs"):
        FileRun("w", INPUTS[1:], out)
    with pytest.raises(HeadgateError, match="other inputs"):
        FileRun("v", INPUTS, out)
    out.write_text("something else\n")
    with pytest.raises(HeadgateError, match="no run wrote"):
        FileRun("w", INPUTS, out)


def test_a_file_that_another_start_is_at_is_left_to_it(tmp_path):
    out = tmp_path / "out.jsonl"
    first = FileRun("w", INPUTS, out).results(Answers(), 2)
    next(first)
    with pytest.raises(HeadgateError, match="another `headgate run` is writing"):
        FileRun("w", INPUTS, out)
    list(first)
    assert [line["row"] for line in lines(out)] == list(range(1, 41))


def test_a_start_that_was_killed_before_it_asked_for_anything_keeps_nobody_out(tmp_path):
    out = tmp_path / "out.jsonl"
    (tmp_path / "out.jsonl.progress").touch()
    assert len(list(FileRun("w", INPUTS, out).results(Answers(), 4))) == 40


def test_a_place_that_can_not_be_written_to_is_named(tmp_path):
    with pytest.raises(HeadgateError, match=r"nowhere.out\.jsonl\.progress cannot be written"):
        FileRun("w", INPUTS, tmp_path / "nowhere" / "out.jsonl")
