"""Which guards are measured, and the one server in which all of them stand, each at its route."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.payloads import MODEL

NONE: Final = "none"
"""The route at which no guard stands."""

RESTORING: Final = "restoring"
"""The route of the streams in which values are put back."""

JUDGE: Final = "bench-judge"
"""What the judge's model is called."""


@dataclass(frozen=True)
class Setup:
    """Guards that stand at one route, whose name it is."""

    name: str
    title: str
    guards: tuple[str, ...] = ()


_LOCAL: Final = ("redact", "words", "injection", "tools", "canary", "links")

SETUPS: Final = (
    Setup(NONE, "no guard"),
    Setup("redact", "`redact`: structured kinds, placeholders put back", ("redact",)),
    Setup("words", "`words`: 100 words", ("words",)),
    Setup("injection", "`injection`: detector, fence", ("injection",)),
    Setup("judge", "`injection` with a judge that is always asked", ("judge",)),
    Setup("tools", "`tools`: four tools, two withheld", ("tools",)),
    Setup("canary", "`canary`", ("canary",)),
    Setup("links", "`links`", ("links",)),
    Setup("moderation", "`moderation` before and after, by the provider", ("moderation",)),
    Setup("all-local", "all that ask no model", _LOCAL),
)

_GUARDS: Final[dict[str, dict[str, Any]]] = {
    "redact": {"redact": {}},
    "words": {"words": {"words": [f"codename {number:03d}" for number in range(100)]}},
    "injection": {"injection": {"spotlight": "fence"}},
    "judge": {
        "injection": {
            "spotlight": "fence",
            "judge": {
                "model": JUDGE,
                "from_score": 0,
                "timeout_s": 20,
                "remember": 0,
                "piece_characters": 60_000,
            },
        }
    },
    "tools": {
        "tools": {"rights": {"search_orders": {"effect": "read"}, "refund": {"effect": "write"}}}
    },
    "canary": {"canary": {}},
    "links": {"links": {"hosts": ["docs.example.com"]}},
    "moderation": {"moderation": {"model": "omni-moderation-latest"}},
}


def configuration() -> str:
    """A headgate.yaml with all of them; `{upstream_url}` stands for the upstream."""
    target = {"provider": "stub", "model": MODEL}
    names = [setup.name for setup in SETUPS]
    # The guard that is late on a busy machine would refuse the call, which is not measured here.
    guards = {name: guard | {"timeout_s": 30} for name, guard in _GUARDS.items()}
    policies = {
        setup.name: {"guards": list(setup.guards), "of": {"route": setup.name}}
        for setup in SETUPS
        if setup.guards
    }
    policies[RESTORING] = {"guards": ["redact"], "of": {"route": RESTORING}}
    whole = {
        "providers": {
            "stub": {"base_url": "{upstream_url}", "api_key": "sk-stub", "price_provider": "openai"}
        },
        "routes": {name: {"targets": [target]} for name in (*names, RESTORING)},
        "guards": guards,
        "guard_policies": policies,
    }
    return json.dumps(whole, indent=1)
