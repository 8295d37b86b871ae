"""A server that uses little is small: what is heavy is loaded by whoever needs it."""

from __future__ import annotations

import subprocess
import sys

HEAVY = (
    "alembic",
    "argon2",
    "croniter",
    "cryptography",
    "dbos",
    "genai_prices",
    "headgate.checks.detection",
    "headgate.checks.injection.detector",
    "headgate.simulator",
    "jinja2",
    "numpy",
    "phonenumbers",
    "re2",
    "sqlalchemy.orm",
    "tiktoken",
)


_LOADED = f"""
import sys, headgate.app.composition, headgate.app.serving
print([name for name in {HEAVY!r} if name in sys.modules])
"""


def test_the_application_is_made_without_what_only_some_need():
    told = subprocess.run(
        [sys.executable, "-c", _LOADED], capture_output=True, text=True, check=True, timeout=60
    )
    assert told.stdout.strip() == "[]"
