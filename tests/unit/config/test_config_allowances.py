"""Limits and budgets that can't be meant are refused with file, line and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from headgate.config.load import load_settings
from headgate.config.policy import effective_policy
from headgate.errors import ConfigError

WRONG = {
    "a budget has no window": (
        'budgets:\n  - per: project\n    usd: "100"\n',
        ":3: budgets[0].usd: a budget needs a `window`",
    ),
    "a window holds no money": (
        "budgets:\n  - per: project\n    window: day\n",
        ":2: budgets[0]: holds no money",
    ),
    "a budget of nothing": (
        'budgets:\n  - {per: project, usd: "0", window: day}\n',
        ":2: budgets[0].usd: would refuse every call",
    ),
    "a cap above its budget": (
        'budgets:\n  - per: key\n    usd: "1"\n    window: day\n    max_call_usd: "2"\n',
        ":5: budgets[0].max_call_usd: can never be reached",
    ),
    "money as a number": (
        "budgets:\n  - {per: project, usd: 100, window: day}\n",
        ":2: budgets[0].usd: expected `str",
    ),
    "a limit limits nothing": ("limits:\n  - per: key\n", ":2: limits[0]: limits nothing"),
    "a limit of nothing": (
        "limits:\n  - per: key\n    requests_per_minute: 0\n",
        ":3: limits[0].requests_per_minute: expected `int` >= 1",
    ),
    "a minute's limit above its day's": (
        "limits:\n  - per: key\n    tokens_per_minute: 100\n    tokens_per_day: 90\n",
        ":3: limits[0].tokens_per_minute: can never be reached",
    ),
    "a minute's limit above its day's, which stands elsewhere": (
        "limits:\n  - {per: key, tokens_per_minute: 100}\n  - {per: [key], tokens_per_day: 99}\n",
        ":2: limits[0].tokens_per_minute: can never be reached",
    ),
    "a day's budget above its month's": (
        (
            'budgets:\n  - {per: key, usd: "1", window: day}\n'
            '  - {per: key, usd: "0.5", window: month}\n'
        ),
        ":2: budgets[0].usd: can never be reached: the budget of the same for the month is smaller",
    ),
    "a month's budget above all that there ever is": (
        (
            'budgets:\n  - {per: key, usd: "9", window: total}\n'
            '  - {per: key, usd: "10", window: month}\n'
        ),
        ":3: budgets[1].usd: can never be reached: the budget of the same in total is smaller",
    ),
    "fewer tokens than any call takes": (
        "limits:\n  - per: key\n    tokens_per_minute: 64\n",
        ":3: limits[0].tokens_per_minute: would refuse every call",
    ),
    "a target of a provider that the environment does not name": (
        "routes:\n  a: {targets: [{provider: nowhere, model: m}]}\n",
        ":2: routes.a.targets[0].provider: no such provider; there is openai",
    ),
    "a ladder that loops": (
        (
            "routes:\n  a:\n    targets:\n      - {provider: openai, model: m}\n"
            "      - {provider: openai, model: m}\n"
        ),
        ":5: routes.a.targets[1].model: this target stands in the ladder already",
    ),
    "the same limit twice": (
        "limits:\n  - {per: key, concurrent: 1}\n  - per: [key]\n    concurrent: 2\n",
        ":4: limits[1].concurrent: stands there twice",
    ),
    "nobody's limit": ("limits:\n  - {per: [], concurrent: 1}\n", ":2: limits[0].per: is empty"),
    "a time zone that is none": (
        'budgets:\n  - {per: key, usd: "1", window: day, time_zone: Mars/Olympus}\n',
        ":2: budgets[0].time_zone: no such time zone",
    ),
    "a route that is none": (
        'budgets:\n  - {per: key, usd: "1", window: day, cheaper_route: small}\n',
        ":2: budgets[0].cheaper_route: no such route",
    ),
    "an end that is none": (
        'budgets:\n  - {per: key, usd: "1", window: day, at_limit: review}\n',
        ":2: budgets[0].at_limit: invalid enum value 'review'",
    ),
    "a share from which nothing is done": (
        'budgets:\n  - per: key\n    usd: "1"\n    window: day\n    soft_at: 80\n',
        ":5: budgets[0].soft_at: needs a `cheaper_route`",
    ),
    "a person and a cheaper route": (
        (
            "routes:\n  small: {targets: [{provider: openai, model: m}]}\nbudgets:\n"
            '  - {per: key, usd: "1", window: day, at_limit: ask, cheaper_route: small}\n'
        ),
        ":4: budgets[0].at_limit: either a person is asked or",
    ),
    "a person to ask about a cap": (
        'budgets:\n  - {per: key, max_call_usd: "1", at_limit: ask}\n',
        ":2: budgets[0].at_limit: means nothing without `usd`",
    ),
    "people who are not asked": (
        'budgets:\n  - {per: key, usd: "1", window: day, reviewers: leads}\n',
        ":2: budgets[0].reviewers: means nothing without `at_limit: ask`",
    ),
    "people whom nobody knows": (
        'budgets:\n  - {per: key, usd: "1", window: day, at_limit: ask, reviewers: leads}\n',
        ":2: budgets[0].reviewers: there is no group `leads` in `reviews.groups`",
    ),
    "an address that is none": (
        "alerts:\n  webhooks:\n    ops: {url: ops.example.com, secret: 0123456789abcdef}\n",
        ":3: alerts.webhooks.ops.url: write an http",
    ),
    "a user without a password": (
        "alerts:\n  email:\n    ops: {host: a, sender: a@b.c, recipients: [d@e.f], username: x}\n",
        ":3: alerts.email.ops: write both",
    ),
}


@pytest.mark.parametrize(("text", "says"), WRONG.values(), ids=WRONG)
def test_what_cannot_be_meant_is_refused(tmp_path: Path, text: str, says: str):
    (tmp_path / "headgate.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_settings(tmp_path, {})
    assert says in caught.value.message


def test_secrets_of_alerts_are_not_shown(tmp_path: Path):
    (tmp_path / "headgate.yaml").write_text(
        """
alerts:
  webhooks: {ops: {url: "https://example.com/hook-s3cret", secret: s3cret-s3cret-s3cret}}
  slack: {team: {url: "https://hooks.slack.com/services/s3cret"}}
  email: {all: {host: m, sender: a@b.c, recipients: [d@e.f], username: u, password: s3cret}}
"""
    )
    settings = load_settings(tmp_path, {})
    policy = effective_policy(settings, providers={}, simulated=(), database_url="sqlite:///x")
    assert "s3cret" not in str(policy)
    assert policy["alerts"]["email"]["all"]["password"] == "set"
