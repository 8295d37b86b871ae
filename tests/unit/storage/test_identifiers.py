"""Identifiers are unique, sort by time, and fit their columns."""

from __future__ import annotations

import os
import time

from headgate.storage.identifiers import first_id, new_id


def test_identifiers_never_repeat_and_sort_as_they_were_made():
    made = [new_id("call") for _ in range(50_000)]
    assert len(set(made)) == len(made)
    moments = [identifier[: len(first_id("call", 0))] for identifier in made]
    assert moments == sorted(moments)


def test_an_identifier_fits_its_column():
    assert len(new_id("call")) <= 48


def test_a_moment_stands_before_the_identifiers_made_from_then_on():
    before = new_id("run")
    time.sleep(0.001)
    moment = first_id("run", time.time_ns() // 1000)
    after = new_id("run")
    assert before < moment <= after


def test_a_forked_process_makes_names_of_its_own():
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writer, new_id("call").encode())
        os._exit(0)
    os.close(writer)
    theirs = os.read(reader, 100).decode()
    os.close(reader)
    os.waitpid(child, 0)
    process = slice(len(first_id("call", 0)), len(first_id("call", 0)) + 10)
    assert theirs[process] != new_id("call")[process]
