"""The documentation's pages as tests read them: links, headings, samples and what marks them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[3]

PAGES = sorted(
    [
        *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")),
        *(ROOT / "docs").rglob("*.md"),
    ]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

_FENCE = re.compile(
    r"^(?:<!-- (?P<mark>[a-z]+: [^>]+) -->\n)?```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)


class Sample(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    mark: str
    """What the comment before it says, such as `checks: headgate.yaml`; empty where none does."""
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def samples(language: str, mark: str | None = None) -> list[Sample]:
    """The fenced blocks of every page in `language`, only those marked `mark` where it is given."""
    found = []
    for page, name in zip(PAGES, NAMES, strict=True):
        text = page.read_text("utf-8")
        for fence in _FENCE.finditer(text):
            sample = Sample(
                name,
                text.count("\n", 0, fence.start("text")),
                fence["language"],
                fence["mark"] or "",
                fence["text"],
            )
            if sample.language == language and (mark is None or sample.mark == mark):
                found.append(sample)
    return found


def prose(page: Path) -> str:
    """The page's text without its fenced blocks."""
    return _FENCE.sub("", page.read_text("utf-8"))


def links(page: Path) -> list[str]:
    """Where the page's Markdown links lead, without those to other hosts."""
    targets = re.findall(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)", prose(page))
    return [target for target in targets if not re.match(r"[a-z]+:", target)]


def anchors(page: Path) -> set[str]:
    """The names that the page's headings give, as GitHub makes them."""
    found: set[str] = set()
    for heading in re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        number = 0
        while (name := f"{slug}-{number}" if number else slug) in found:
            number += 1
        found.add(name)
    return found
