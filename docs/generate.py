"""Writes docs/reference/*.md from the code, so that reference and code cannot drift apart.

`python -m docs.generate` writes the pages; with `--check` it only names those that differ and
exits 1. Run it from the root of the repository, as `make docs` and `make check` do.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from docs.generators import command_line, configuration, errors, http_api, metrics, roles

REFERENCE = Path(__file__).parent / "reference"

PAGES = {
    "configuration.md": configuration.page,
    "cli.md": command_line.page,
    "http-api.md": http_api.page,
    "roles.md": roles.page,
    "errors.md": errors.page,
    "metrics.md": metrics.page,
}
"""File name in `REFERENCE` → the function that makes its text."""

_NOTE = "<!-- Written by docs/generate.py from the code. Change the code, then run `make docs`. -->"


def main() -> int:
    """Write or check the pages; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m docs.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 if different")
    checking = parser.parse_args().check
    differing = []
    for name, page in PAGES.items():
        text = f"{_NOTE}\n\n{page().strip()}\n"
        path = REFERENCE / name
        if path.exists() and path.read_text("utf-8") == text:
            continue
        differing.append(path)
        if not checking:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, "utf-8")
    for path in differing:
        shown = path.relative_to(REFERENCE.parent.parent)
        sys.stdout.write(f"{shown} differs: run `make docs`\n" if checking else f"wrote {shown}\n")
    return 1 if checking and differing else 0


if __name__ == "__main__":
    sys.exit(main())
