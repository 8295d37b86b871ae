"""`headgate estimate` as typed: from a workload file, and from the ledger of both databases."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import headgate.examples
from call_records import a_call
from commands import Ran, ran
from headgate.ledger.rows import insert_calls
from headgate.storage import Database

PROJECT = Path(headgate.examples.__file__).parent / "project"
BEGAN_US = 1_793_491_200_000_000
"""2026-11-01, when the ledger's first call was made."""

DAY_US = 86_400_000_000
PERIOD = ("--since", "2026-10-01", "--until", "2026-11-03")
SETTINGS = """
providers:
  openai: { base_url: "http://127.0.0.1:1/v1", api_key: x, models: ["gpt-*", "text-*", "omni-*"] }
  local: { base_url: "http://127.0.0.1:2/v1", models: ["own-*"] }
routes:
  triage:
    targets:
      - { provider: openai, model: gpt-dear }
      - { provider: local, model: own-cheap }
prices:
  gpt-dear: { input: "10", cached_input: "1", output: "20" }
  gpt-dear@batch: { input: "5", output: "10" }
  own-cheap: { input: "1", output: "2" }
"""
WORKLOAD = """
workload:
  - name: tickets
    model: triage
    requests_per_day: 100
    input_tokens: 1000
    output_tokens: 100
    cached_share: 0.5
"""


def plans(made: Ran) -> dict[str, str | None]:
    return {plan["name"]: plan["month_usd"] for plan in made.json()["plans"]}


def assumed(made: Ran) -> list[str]:
    return list(made.json()["assumptions"])


Headgate = Callable[..., Ran]


@pytest.fixture
def typed(monkeypatch, tmp_path, capsys) -> Headgate:
    """Runs a command line in a project's folder, as a shell would."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "headgate.yaml").write_text(SETTINGS, "utf-8")
    (folder / "workload.yaml").write_text(WORKLOAD, "utf-8")
    monkeypatch.chdir(folder)
    for name in ("HEADGATE_PROJECT", "HEADGATE_DATABASE_URL", "OPENAI_API_KEY", "OPENAI_BASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def typed(*arguments: str) -> Ran:
        return ran(capsys, ["estimate", *arguments])

    return typed


@pytest.fixture
def on_ledger(typed: Headgate, monkeypatch, database_url: str, database: Database) -> Headgate:
    """The same, on a ledger with two days of calls."""
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    calls = [
        a_call(
            started_at_us=BEGAN_US + number,
            route="triage",
            workflow="ticket-triage",
            model_answered="gpt-dear-2026-01-01",
            input_tokens=1000,
            cached_tokens=500,
            output_tokens=100,
            cost_nanousd=7_500_000,
        )
        for number in range(10)
    ]
    calls.append(
        a_call(
            started_at_us=BEGAN_US + DAY_US,
            endpoint="embeddings",
            project="search",
            model_answered="text-unpriced",
            input_tokens=50,
            output_tokens=None,
            cost_nanousd=None,
        )
    )
    calls.append(
        a_call(
            started_at_us=BEGAN_US + DAY_US,
            model_answered=None,
            model_requested="nobody",
            status=404,
            error_class="model_not_found",
            input_tokens=None,
            output_tokens=None,
            cost_nanousd=None,
        )
    )
    with database.begin() as connection:
        insert_calls(connection, calls)
    return typed


def test_a_workload_is_reckoned_on_every_target_and_every_model_asked_about(typed: Headgate):
    ran = typed("workload.yaml", "--model", "own-other", "--model", "gpt-dear", "--json")
    assert ran.code == 0
    # 3,000 calls: 1.5 M plain, 1.5 M cached and 0.3 M output tokens.
    assert plans(ran) == {
        "as it is": "22.5",
        "cheapest target of each route": "3.6",
        "dearest target of each route": "22.5",
        "all on local/own-other": None,
        "all on openai/gpt-dear": "22.5",
    }
    (work,) = ran.json()["work"]
    assert [(o["candidate"], o["standing"], o["month_usd"]) for o in work["options"]] == [
        ("openai/gpt-dear", "in use", "22.5"),
        ("local/own-cheap", "rung", "3.6"),
        ("local/own-other", "asked", None),
    ]


def test_the_table_tells_what_was_assumed_and_what_has_no_price(typed: Headgate):
    ran = typed("workload.yaml", "--model", "own-other", "--days", "10")
    assert ran.code == 0
    assert "$7.50" in ran.out
    assert "unpriced" in ran.out
    assert "- A month has 10 days" in ran.out
    assert "0.5 of the input cached" in ran.out
    assert "- Prices are those of 20" in ran.out
    assert "No standard price is known of local/own-other" in ran.out


def test_batches_have_their_own_price_or_none(typed: Headgate):
    Path("workload.yaml").write_text(WORKLOAD + "    batch_share: 0.5\n", "utf-8")
    ran = typed("workload.yaml", "--json")
    dear, cheap = ran.json()["work"][0]["options"]
    assert dear["month_usd"] == "20.25"
    assert (cheap["month_usd"], cheap["unpriced"]) == (None, ["batch"])
    assert "unpriced (batch)" in typed("workload.yaml").out


def in_settings(strategy: str, **weights: int) -> None:
    text = SETTINGS.replace("    targets:", f"    strategy: {strategy}\n    targets:")
    for model, weight in weights.items():
        name = model.replace("_", "-")
        text = text.replace(f"model: {name} }}", f"model: {name}, weight: {weight} }}")
    Path("headgate.yaml").write_text(text, "utf-8")


def test_a_weighted_route_costs_what_its_targets_do_by_their_parts(typed: Headgate):
    in_settings("weighted", gpt_dear=3, own_cheap=1)
    ran = typed("workload.yaml", "--json")
    assert plans(ran)["as it is"] == "17.775"
    (work,) = ran.json()["work"]
    assert [(o["candidate"], o["standing"]) for o in work["options"]] == [
        ("triage, weighted", "in use"),
        ("openai/gpt-dear", "rung"),
        ("local/own-cheap", "rung"),
    ]
    Path("workload.yaml").write_text(WORKLOAD + "    batch_share: 0.5\n", "utf-8")
    assert typed("workload.yaml", "--json").json()["work"][0]["options"][0]["unpriced"] == ["batch"]


def test_a_cheapest_route_costs_what_its_cheapest_target_does(typed: Headgate):
    in_settings("cheapest")
    assert plans(typed("workload.yaml", "--json"))["as it is"] == "3.6"


def test_a_route_that_decides_call_by_call_is_bounded(typed: Headgate):
    in_settings("fastest")
    ran = typed("workload.yaml", "--json")
    assert plans(ran) == {
        "as it is": "22.5",
        "cheapest target of each route": "3.6",
        "dearest target of each route": "22.5",
    }
    assert any(
        "triage is a route whose strategy is `fastest`" in a for a in ran.json()["assumptions"]
    )


def test_a_tiered_route_counts_the_first_target_that_takes_so_many_tokens(typed: Headgate):
    in_settings("tiered")
    for most, cost in ((999, "3.6"), (1000, "22.5")):
        text = Path("headgate.yaml").read_text("utf-8")
        rule = f"model: gpt-dear, when: {{ max_input_tokens: {most} }} }}"
        text = re.sub(r"model: gpt-dear[^\n]*", rule, text, count=1)
        Path("headgate.yaml").write_text(text, "utf-8")
        ran = typed("workload.yaml", "--json")
        assert plans(ran)["as it is"] == cost
        assert any("that takes so many tokens is counted" in a for a in ran.json()["assumptions"])


def test_a_wrong_file_is_told_in_one_line_with_its_place(typed: Headgate):
    Path("workload.yaml").write_text(WORKLOAD.replace("triage", "nobody"), "utf-8")
    ran = typed("workload.yaml")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err.startswith("headgate: workload.yaml:4: workload[0].model: `nobody` is neither")
    assert ran.err.count("\n") == 1


def test_wrong_use_is_told_as_such(typed: Headgate):
    assert typed("workload.yaml", "--since", "7d").code == 2
    assert typed("--days", "0").code == 2
    ran = typed("workload.yaml", "--model", "nobody")
    assert ran.code == 1
    assert "the routes are triage, the providers openai, local" in ran.err


def test_the_ledgers_calls_become_a_months(on_ledger: Headgate):
    ran = on_ledger(*PERIOD, "--json", "--model", "own-cheap")
    assert ran.code == 0
    tickets, search = ran.json()["work"]
    assert tickets["standard"] == {
        "calls": 150,
        "input_tokens": 150_000,
        "cached_tokens": 75_000,
        "cache_write_tokens": 0,
        "output_tokens": 15_000,
    }
    assert tickets["recorded_nanousd"] == 1_125_000_000
    assert [(o["candidate"], o["standing"], o["month_usd"]) for o in tickets["options"]] == [
        ("openai/gpt-dear", "in use", "1.125"),
        ("local/own-cheap", "rung", "0.18"),
    ]
    assert search["movable"] is False
    assert [plan["kept_work"] for plan in ran.json()["plans"]][-1] == ["text-unpriced"]


def test_the_ledgers_calls_are_split_as_asked(on_ledger: Headgate):
    names = {
        split: [
            work["name"]
            for work in on_ledger(*PERIOD, "--group-by", split, "--json").json()["work"]
        ]
        for split in ("model", "workflow", "project")
    }
    assert names == {
        "model": ["gpt-dear-2026-01-01", "text-unpriced"],
        "workflow": ["ticket-triage", "(none)"],
        "project": ["default", "search"],
    }
    (only,) = on_ledger(*PERIOD, "--project", "search", "--json").json()["work"]
    assert only["name"] == "text-unpriced"


def test_pieces_of_work_of_one_group_are_told_apart(on_ledger: Headgate, database: Database):
    with database.begin() as connection:
        insert_calls(connection, [a_call(started_at_us=BEGAN_US, model_answered="gpt-x")])
    names = [
        work["name"]
        for work in on_ledger(*PERIOD, "--group-by", "project", "--json").json()["work"]
    ]
    assert sorted(names) == ["default", "default (gpt-x)", "search"]


def test_what_the_cache_answered_costs_nothing_and_is_counted(
    on_ledger: Headgate, database: Database
):
    hit = {"cache": "hit", "cost_nanousd": 0, "workflow": "ticket-triage", "provider": None}
    with database.begin() as connection:
        insert_calls(
            connection,
            [
                a_call(
                    started_at_us=BEGAN_US + number, route="triage",
                    model_answered="gpt-dear-2026-01-01", **hit,
                )
                for number in range(4)
            ],
        )  # fmt: skip
    tickets, _ = on_ledger(*PERIOD, "--json").json()["work"]
    assert tickets["answered_calls"] == 60
    assert tickets["standard"]["calls"] == 150
    assert tickets["standard"]["input_tokens"] == 150_000
    assert tickets["options"][0]["month_usd"] == "1.125"


def test_what_has_neither_tokens_nor_a_price_on_record_is_never_free(
    on_ledger: Headgate, database: Database
):
    told = {"input_tokens": None, "output_tokens": None, "cost_nanousd": None}
    recording = a_call(
        started_at_us=BEGAN_US, endpoint="audio/speech", model_answered="gpt-dear", **told
    )
    with database.begin() as connection:
        insert_calls(connection, [recording])
    ran = on_ledger(*PERIOD, "--json", "--model", "own-cheap")
    spoken = next(work for work in ran.json()["work"] if work["name"] == "gpt-dear")
    assert [(o["candidate"], o["month_usd"]) for o in spoken["options"]] == [
        ("openai/gpt-dear", None)
    ]
    assert all("gpt-dear" in plan["unpriced_work"] for plan in ran.json()["plans"])
    assert any("No tokens and no price are on record of gpt-dear" in a for a in assumed(ran))


def test_what_batches_used_is_reckoned_as_batches(on_ledger: Headgate, database: Database):
    batch = a_call(
        started_at_us=BEGAN_US, endpoint="batches/usage", model_answered="gpt-dear",
        input_tokens=1_000_000, output_tokens=100_000, cost_nanousd=6_000_000_000,
    )  # fmt: skip
    with database.begin() as connection:
        insert_calls(connection, [batch])
    work = on_ledger(*PERIOD, "--json").json()["work"][0]
    assert (work["batch"]["input_tokens"], work["standard"]["calls"]) == (15_000_000, 0)
    assert work["options"][0]["month_nanousd"] == work["recorded_nanousd"] == 90_000_000_000


def test_failed_calls_and_a_short_ledger_are_told(on_ledger: Headgate):
    ran = on_ledger(*PERIOD)
    assert "like the 2.0 of the ledger that were read, with 12 calls" in ran.out
    assert "1 of the calls failed" in ran.out
    assert "1 of the calls have no price on record" in ran.out


def test_work_beyond_what_is_told_of_is_told_as_left_out(
    on_ledger: Headgate, database: Database, monkeypatch
):
    monkeypatch.setattr("headgate.ledger.past_work.MOST_WORK", 1)
    ran = on_ledger(*PERIOD, "--json")
    assert [work["name"] for work in ran.json()["work"]] == ["gpt-dear-2026-01-01"]
    assert any("Only the dearest" in assumption for assumption in ran.json()["assumptions"])


def test_an_empty_ledger_says_what_to_do(typed: Headgate, monkeypatch, database_url: str):
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    ran = typed()
    assert ran.code == 1
    assert "name a workload file" in ran.err


def test_the_example_workload_is_right(typed: Headgate):
    for name in ("headgate.yaml", "workload.yaml"):
        shutil.copy(PROJECT / name, name)
    ran = typed("workload.yaml", "--model", "gpt-5-mini", "--json")
    assert ran.code == 0
    assert all(plan["month_nanousd"] and not plan["unpriced_work"] for plan in ran.json()["plans"])


def test_a_route_that_is_gone_is_no_model(typed, tmp_path, monkeypatch, database_url, database):
    (tmp_path / "project" / "headgate.yaml").write_text("""
providers:
  openai: {base_url: "http://127.0.0.1:1/v1", api_key: x}
""")
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    call = a_call(started_at_us=BEGAN_US, provider="openai", route="gone", model_answered="gpt-4o")
    with database.begin() as connection:
        insert_calls(connection, [call])
    (work,) = typed("--since", "2026-11-01", "--until", "2026-11-02", "--json").json()["work"]
    assert [option["candidate"] for option in work["options"]] == ["openai/gpt-4o"]


def test_a_provider_has_the_prices_of_its_kind_whatever_it_is_called(typed, tmp_path):
    (tmp_path / "project" / "headgate.yaml").write_text("""
providers:
  eu: {kind: azure, base_url: "https://one.example", api_key: x, models: [gpt-4.1-mini]}
  own-claude: {kind: anthropic, base_url: "https://two.example", models: ["claude-*"]}
""")
    (tmp_path / "project" / "workload.yaml").write_text("""
workload:
  - {name: a, model: gpt-4.1-mini, requests_per_day: 1, input_tokens: 100}
  - {name: b, model: claude-sonnet-4-5, requests_per_day: 1, input_tokens: 100}
""")
    for work in typed("workload.yaml", "--json").json()["work"]:
        assert work["options"][0]["month_nanousd"], work


def test_what_was_written_into_a_prompt_cache_costs_what_that_costs(
    typed, tmp_path, monkeypatch, database_url, database
):
    (tmp_path / "project" / "headgate.yaml").write_text("""
providers:
  claude: {kind: anthropic, models: ["claude-*"]}
""")
    monkeypatch.setenv("HEADGATE_DATABASE_URL", database_url)
    written = a_call(
        started_at_us=BEGAN_US, provider="claude", model_answered="claude-sonnet-4-5",
        input_tokens=1_000_000, cached_tokens=0, cache_write_tokens=1_000_000, output_tokens=0,
        cost_nanousd=7_500_000_000,
    )  # fmt: skip
    with database.begin() as connection:
        insert_calls(connection, [written])
    until = ("--since", "2026-11-01", "--until", "2026-11-02", "--days", "1", "--json")
    (work,) = typed(*until).json()["work"]
    assert work["recorded_nanousd"] == 7_500_000_000
    assert work["options"][0]["month_nanousd"] == work["recorded_nanousd"]


def test_a_name_can_not_write_to_the_terminal(typed, tmp_path):
    (tmp_path / "project" / "workload.yaml").write_text("""
workload:
  - {name: "a\\e[2Jb", model: gpt-dear, requests_per_day: 1, input_tokens: 1, cached_share: 0.1}
""")
    shown = typed("workload.yaml").out
    assert "a\N{REPLACEMENT CHARACTER}[2Jb: 0.1 of the input cached" in shown
    assert "\x1b" not in shown
