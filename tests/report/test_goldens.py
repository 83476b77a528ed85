from __future__ import annotations

from tests.report import goldens
from tests.report.conftest import BuildSite
from tests.report.marts import made_up


def test_pages_say_what_they_said(build: BuildSite) -> None:
    """Headline figures, findings and totals of fixed marts change only on purpose."""
    said, kept = goldens.of_site(build(made_up())), goldens.read()

    assert said.keys() == kept.keys(), goldens.REFRESH
    for name, page in said.items():
        for part, texts in page.items():
            assert texts == kept[name][part], f"{name}, {part}. {goldens.REFRESH}"
