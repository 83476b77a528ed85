"""The document of definitions states rules, and a case of tests/models tries each of them."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT

WITHOUT_RULES = "An example: which agents fail expensively"


def test_each_heading_has_cases() -> None:
    """The headings of docs/definitions.md are those of the cases, in its order."""
    document = (ROOT / "docs" / "definitions.md").read_text(encoding="utf-8")
    cases = (ROOT / "tests" / "models" / "definitions.txt").read_text(encoding="utf-8")
    headings = re.findall(r"^##? (.+)$", document, re.MULTILINE)

    assert re.findall(r"^# (.+[^.\n])$", cases, re.MULTILINE) == [
        heading for heading in headings if heading != WITHOUT_RULES
    ]
