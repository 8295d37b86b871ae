"""A reader who follows a link arrives, and every page can be found."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import NAMES, PAGES, ROOT, anchors, links


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_link_leads_to_a_page_and_a_heading_that_exist(page: Path):
    broken = []
    for link in links(page):
        path, _, fragment = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (fragment and fragment not in anchors(target)):
            broken.append(link)
    assert not broken


def test_every_page_is_reached_from_the_index():
    index = ROOT / "docs" / "index.md"
    reached, waiting = {index}, [index]
    while waiting:
        page = waiting.pop()
        for link in links(page):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists() and target not in reached:
                reached.add(target)
                waiting.append(target)
    lost = {page for page in PAGES if page.is_relative_to(ROOT / "docs")} - reached
    assert not lost
