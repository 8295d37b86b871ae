"""The generated reference is what the code says now."""

from __future__ import annotations

import subprocess
import sys

from pages import ROOT


def test_the_reference_pages_are_current():
    done = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}{done.stderr}\nrun `make docs`"
