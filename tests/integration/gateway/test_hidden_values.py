"""What was hidden in a conversation is the same to every process, on both kinds of database."""

from __future__ import annotations

import asyncio
import os

import pytest

from headgate.checks.redaction.mapping import Mapping
from headgate.checks.redaction.sealing import Seal
from headgate.gateway.hidden_values import HiddenValues
from headgate.storage import Database
from headgate.storage.threads import StorageThreads

KEY = os.urandom(32)


@pytest.fixture
def processes(database: Database, threads: StorageThreads) -> tuple[HiddenValues, HiddenValues]:
    """Two that share the database and nothing else."""
    seal = Seal(KEY)
    return HiddenValues(database, threads, seal), HiddenValues(database, threads, seal)


def hiding(value: str, mapping: Mapping | None = None) -> Mapping:
    mapping = mapping or Mapping()
    mapping.placeholder_for("EMAIL", value)
    return mapping


async def test_a_turn_knows_what_turns_in_other_processes_hid(
    processes: tuple[HiddenValues, HiddenValues],
):
    one, other = processes
    await one.remember("p", "conv_1", hiding("anne@example.com"))
    await other.remember("p", "conv_1", hiding("bert@example.com", await other.find("p", "conv_1")))
    mapping = await one.find("p", "conv_1")
    assert mapping.value_of("EMAIL", "2") == "bert@example.com"
    assert mapping.placeholder_for("EMAIL", "cora@example.com") == "<EMAIL_3>"


async def test_what_a_response_hid_is_found_by_any_process_of_its_project(
    processes: tuple[HiddenValues, HiddenValues],
):
    one, _ = processes
    await one.remember("p", "resp_1", hiding("anne@example.com"), grows=False)
    for process in processes:
        assert (await process.find("p", "resp_1")).value_of("EMAIL", "1") == "anne@example.com"
        assert not len(await process.find("q", "resp_1"))


async def test_turns_that_end_at_once_fail_no_call(processes: tuple[HiddenValues, HiddenValues]):
    turns = [
        process.remember("p", f"conv_{at % 2}", hiding(f"anne{at}@example.com"))
        for at in range(20)
        for process in processes
    ]
    await asyncio.gather(*turns)
    assert len(await processes[0].find("p", "conv_1")) == 1
