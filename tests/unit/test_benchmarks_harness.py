"""May a reader trust the benchmark's counting? Its parsers, its judging, its stub and clients."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

from benchmarks import clients, payloads, wrk
from benchmarks.cores import process_tree, resident_bytes
from benchmarks.failing import FailingStub
from benchmarks.figures import Figures, Sample
from benchmarks.goals import outcomes
from benchmarks.processes import BenchmarkError, check_reply
from benchmarks.profiler import summarise
from benchmarks.report import FIGURES, markdown, replace_block
from benchmarks.resilience import IN_A_ROW, Seen, recovered_s
from benchmarks.stub import Flow, Stub

HEADERS = {"Authorization": "Bearer sk-stub"}
LOADED_S = (0.4, 2.0, 10.0)
"""How long a stub is loaded: again and for longer where a busy machine had come to nothing."""


def figures_of(**systems: dict[str, float]) -> Figures:
    figures = Figures(machine={"machine": "a test"})
    for system, metrics in systems.items():
        figures.titles[system] = system
        for metric, value in metrics.items():
            figures.add(system, metric, Sample(value))
    return figures


def test_the_request_has_the_size_that_the_page_names():
    plain = payloads.request_body(stream=False)
    streamed = json.loads(payloads.request_body(stream=True))
    assert len(plain) == 600
    assert streamed.pop("stream") is True
    assert streamed == json.loads(plain)


def test_each_content_chunk_holds_the_marker_once_and_nothing_else_does():
    events = payloads.content_events(17)
    assert len(events) == payloads.CONTENT_CHUNKS
    assert all(event.count(payloads.MARKER) == 1 for event in events)
    assert all(one != other for one, other in pairwise(events))
    others = [payloads.role_event(), *payloads.closing_events(usage=True)]
    assert not any(payloads.MARKER in event for event in others)


def test_wrk_figures_are_read_from_among_its_own_lines():
    line = 'figures {"replies": 9, "duration_us": 3, "p50_us": 1, "p99_us": 2, "errors": 0}'
    seen = wrk.parse(f"Running 1s test\n{line}\nTransfer/sec: 1MB\n")
    assert (seen.replies, seen.p99_us, seen.errors) == (9, 2, 0)
    with pytest.raises(BenchmarkError, match="no figures"):
        wrk.parse("Running 1s test\n")


def test_a_wrk_script_holds_the_body_untouched():
    body = payloads.request_body(stream=False)
    assert body.decode() in wrk.script(HEADERS, body)
    with pytest.raises(BenchmarkError, match="bracket"):
        wrk.script({}, b'{"content": "]==]"}')


def test_only_the_upstreams_own_answer_counts_as_an_answer():
    check_reply(payloads.reply_body())
    with pytest.raises(BenchmarkError, match="not the upstream's"):
        check_reply(payloads.reply_body().replace(b"Severity: high", b"Severity: low"))
    with pytest.raises(BenchmarkError, match="not a chat completion"):
        check_reply(b'{"error": {"message": "no"}}')


def test_added_latency_is_told_against_the_direct_call_of_the_same_round():
    figures = Figures(machine={})
    for direct, gateway in ((20.0, 140.0), (40.0, 150.0), (30.0, 145.0)):
        figures.compare(
            {"direct": {"p50_us_1": Sample(direct)}, "nginx": {"p50_us_1": Sample(gateway)}}
        )
    added = figures.summary("nginx", "added_p50_us_1")
    assert added is not None
    assert (added.lowest, added.median, added.highest) == (110.0, 115.0, 120.0)


def test_a_disturbed_measurement_counts_only_where_there_is_no_other():
    figures = figures_of(nginx={"requests_per_s_32": 60_000}, headgate={"requests_per_s_32": 9_000})
    figures.add("nginx", "requests_per_s_32", Sample(20_000, disturbed=True))
    summary = figures.summary("nginx", "requests_per_s_32")
    assert summary is not None
    assert (summary.lowest, summary.highest, summary.disturbed) == (60_000, 60_000, False)
    assert figures.disturbed() == []
    figures.add("litellm", "requests_per_s_32", Sample(10, disturbed=True))
    assert figures.disturbed() == ["litellm: requests_per_s_32"]
    assert outcomes(figures)[0].verdict == "disturbed"
    assert outcomes(figures)[1].verdict == "met"


def test_goals_are_judged_from_the_medians_and_left_open_without_figures():
    plain, added, streamed = "requests_per_s_32", "added_p50_us_1", "chunks_per_s_freely"
    figures = figures_of(
        nginx={plain: 60_000, added: 100, streamed: 100_000},
        litellm={plain: 150},
        headgate={plain: 12_000, added: 300, streamed: 80_000, "idle_mb": 60, "streamed_mb": 95},
    )
    verdicts = [one.verdict for one in outcomes(figures)]
    assert verdicts == [
        "met",
        "met",
        "missed",
        "met",
        "not measured",
        "met",
        "not measured",
        "missed",
        "not measured",
        "not measured",
        "not measured",
    ]
    alone = [one.verdict for one in outcomes(figures_of(nginx={plain: 60_000}))]
    assert alone == ["not measured"] * len(verdicts)


def test_the_page_keeps_what_stands_around_its_figures():
    table = markdown(figures_of(nginx={"requests_per_s_32": 61_234.4}))
    begin, end = FIGURES
    page = replace_block(f"# Figures\n\n{begin}\nold\n{end}\n\nReading\n", table, FIGURES)
    assert "61,234" in page
    assert "old" not in page
    assert page.startswith("# Figures\n")
    assert page.endswith("\n\nReading\n")
    assert replace_block(page, table, FIGURES) == page
    with pytest.raises(BenchmarkError, match="markers"):
        replace_block("# Figures\n", table, FIGURES)


def test_a_profile_tells_own_time_and_time_passed_through():
    text = summarise("process 1;serve;parse 30\nprocess 1;serve;write 60\nprocess 1;serve 10\n")
    own, through = text.split("in it and what it calls:")
    assert "60.0%  write" in own
    assert "10.0%  serve" in own
    assert "100.0%  serve" in through
    with pytest.raises(BenchmarkError, match="no samples"):
        summarise("")


def test_the_memory_of_a_server_includes_its_children():
    assert os.getpid() in process_tree(os.getpid())
    assert resident_bytes(os.getpid()) > 1_000_000


@pytest.mark.parametrize("flow", ["freely", "in_step"])
async def test_streams_are_counted_whole(flow: Flow):
    tally = await streamed(flow)
    assert (tally.errors, tally.first_error) == (0, "")
    assert tally.replies > 0
    assert tally.chunks > 0


async def test_a_stream_that_loses_a_chunk_is_an_error():
    tally = await streamed("freely", lambda data: data.replace(b"~0000 Summary", b"Summary"))
    assert "content chunks of 128" in tally.first_error


async def test_plain_replies_are_counted_without_wrk():
    stub = Stub()
    await stub.start()
    url = f"{stub.url}/chat/completions"
    request = clients.request_bytes(url, HEADERS, payloads.request_body(stream=False))
    for duration_s in LOADED_S:
        tally, elapsed_s = await clients.load_json(
            url, request, connections=4, warmup_s=0.0, duration_s=duration_s
        )
        assert elapsed_s >= duration_s
        if tally.replies:
            break
    await stub.stop()
    assert tally.errors == 0
    assert tally.replies == len(tally.latencies_ns) > 0


async def streamed(
    flow: Flow, change: Callable[[bytes], bytes] | None = None, connections: int = 3
) -> clients.Tally:
    """Load the stub with streams through a relay that cuts them anywhere, and may change them."""
    stub = Stub()
    stub.flow = flow
    await stub.start()
    relays: set[asyncio.Task[None]] = set()

    async def relayed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass one connection on, its replies in pieces of at most 1,000 bytes."""
        task = asyncio.current_task()
        assert task is not None
        relays.add(task)
        port = int(stub.url.split(":")[2].split("/")[0])
        from_stub, to_stub = await asyncio.open_connection("127.0.0.1", port)
        asked = asyncio.create_task(passed_on(reader, to_stub))
        try:
            while data := await from_stub.read(1_000):
                writer.write(change(data) if change else data)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            asked.cancel()
            await asyncio.gather(asked, return_exceptions=True)
            to_stub.close()
            writer.close()

    relay = await asyncio.start_server(relayed, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{relay.sockets[0].getsockname()[1]}/v1/chat/completions"
    request = clients.request_bytes(url, HEADERS, payloads.request_body(stream=True))
    for duration_s in LOADED_S:
        tally, _ = await clients.load_streams(
            url, request, stub.advance, connections=connections, warmup_s=0.0, duration_s=duration_s
        )
        if tally.replies or tally.errors:
            break
    relay.close()
    await stub.stop()
    for task in relays:
        task.cancel()
    await asyncio.gather(*relays, return_exceptions=True)
    return tally


async def passed_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65_536):
        writer.write(data)


def test_a_failing_upstream_fails_as_often_as_it_is_told_and_the_same_for_everyone():
    first, second = FailingStub(0.2), FailingStub(0.2)
    faults = [first.next_fault() for _ in range(10_000)]
    assert faults == [second.next_fault() for _ in range(10_000)]
    counts = {fault: faults.count(fault) for fault in ("429", "500", "stall", "cut")}
    assert max(counts.values()) - min(counts.values()) <= 1
    assert 1_900 < sum(counts.values()) < 2_100
    assert first.calls == 10_000
    whole = FailingStub(0.0)
    assert {whole.next_fault() for _ in range(100)} == {None}


async def test_a_failing_upstream_answers_each_fault_as_it_is_named():
    stub = FailingStub(1.0)
    await stub.start()
    request = clients.request_bytes(
        f"{stub.url}/chat/completions", HEADERS, payloads.request_body(stream=False)
    )
    seen = []
    try:
        for _ in range(4):
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", int(stub.url.split(":")[2].partition("/")[0])
            )
            writer.write(request)
            try:
                seen.append(await asyncio.wait_for(reader.read(4096), 0.5))
            except TimeoutError:
                seen.append(b"nothing")
            writer.close()
    finally:
        await stub.stop()
    busy, broken, stalled, cut = seen
    assert busy.startswith(b"HTTP/1.1 429 ")
    assert broken.startswith(b"HTTP/1.1 500 ")
    assert stalled == b"nothing"
    assert cut == stub.reply[: len(stub.reply) // 2]


def test_an_outage_is_over_when_calls_succeed_in_a_row():
    well = [(10.5 + number, True) for number in range(IN_A_ROW)]
    assert recovered_s(well, 10.0) == 0.5
    assert recovered_s([(9.0, False), *well], 10.0) == 0.5
    assert recovered_s([(10.1, True), (10.2, False), *reversed(well)], 10.0) == 0.5
    assert recovered_s(well[1:], 10.0) is None


def test_a_percentile_counts_failed_calls_too():
    seen = Seen(succeeded=99, failed=1, latencies_s=[0.01] * 99 + [1.0])
    assert (seen.percentile_ms(50), seen.percentile_ms(99)) == (10, 1000)


def test_each_part_is_judged_by_its_own_goals_only():
    figures = figures_of(headgate={"soak_growth_percent": 6.0})
    assert all("memory grows" not in one.goal for one in outcomes(figures))
    figures.parts = frozenset({"soak"})
    (only,) = outcomes(figures)
    assert (only.measured, only.verdict) == ("6.00 %", "missed")
    figures.parts = frozenset()
    assert "| goal |" not in markdown(figures)
