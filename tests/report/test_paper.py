from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.report.browser import Reader
from tests.report.pages import Site


def _sheet_count(shown: Page) -> int:
    """How many sheets a page prints on."""
    return len(re.findall(rb"/Type\s*/Page\b", shown.pdf(prefer_css_page_size=True)))


@pytest.mark.parametrize("kind", ["overview", "workspace", "agent"])
def test_a_page_is_printed_to_its_end(kind: str, batches: Site, reader: Reader) -> None:
    """What is printed before anyone scrolled has as many sheets as what is printed once drawn."""
    shown = reader.open(batches.one(kind).path)
    unseen = _sheet_count(shown)
    reader.draw_all()

    assert unseen == _sheet_count(shown) > 2
    assert shown.locator(".plot:visible:not(:has(.main-svg))").count() == 0
