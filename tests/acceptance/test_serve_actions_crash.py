"""Servers are killed through many runs that act and wait for people; all is done once, or asked."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from crowd import KILLS, RUNS
from desk import Callers, Desk, Reviewers, hold_to_promises, paused
from servers import StartServer
from upstreams import Upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

_LEASE_AND_MORE_S = 19.0


def test_a_server_that_is_killed_again_and_again_does_what_was_approved_once(
    server_with: StartServer,
    upstream: Upstream,
    empty_database_url: str,
    tmp_path: Path,
    model: str,
):
    desk, folder = Desk(upstream, model), tmp_path / "installation"
    desk.write(folder)
    options = {"folder": folder, "upstream": upstream, "database_url": empty_database_url}
    options["workers"] = 1 if empty_database_url.startswith("sqlite") else 2
    options["settings"] = desk.settings(per_worker=3)
    callers = Callers(RUNS)
    callers.servers.append(server_with(**options))
    reviewers = Reviewers(desk, callers)
    callers.start()
    for _ in range(KILLS):
        desk.wait_for_some(RUNS, KILLS)
        callers.kill(callers.servers[0])
        callers.servers.append(server_with(**options))
    callers.join()
    hold_to_promises(callers.servers[0], desk, callers, reviewers, RUNS)


def test_of_three_servers_some_die_and_one_stands_still_and_all_is_done_once(
    server_with: StartServer,
    upstream: Upstream,
    postgres_url_of_its_own: str,
    tmp_path: Path,
    model: str,
):
    desk, callers = Desk(upstream, model), Callers(RUNS)
    for number in range(3):
        folder = tmp_path / f"server-{number}"
        desk.write(folder)
        settings, url = desk.settings(per_worker=2), postgres_url_of_its_own
        callers.servers.append(
            server_with(folder=folder, settings=settings, upstream=upstream, database_url=url)
        )
    reviewers = Reviewers(desk, callers)
    callers.start()
    desk.wait_for_some(RUNS, 3)
    callers.kill(random.choice(callers.servers))
    desk.wait_for_some(RUNS, 3)
    # The one that is left must have been heard for a lease before it may judge the other.
    paused(random.choice(callers.servers), callers, _LEASE_AND_MORE_S)
    callers.join()
    hold_to_promises(callers.servers[0], desk, callers, reviewers, RUNS)
