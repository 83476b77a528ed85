"""`analytics preview` makes a page of the published file; and what the docs say."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from analytics.cli import main
from analytics.custom.files import UserFile
from analytics.custom.pages import MARKS, MOST_CHARTS, MOST_PAGES, parse_pages
from analytics.custom.runner import Runner
from analytics.resources import folder
from tests.custom.own import LIMITS, make_marts
from tests.docs.pages import blocks_under, text_of
from tests.report.pages import Page

DOCS = text_of("extending.md")
EXAMPLE = folder("skeleton") / "reports" / "pages" / "cost_by_agent.sql"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a published file, and the example that `init` writes."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    make_marts(tmp_path / "data" / "analytics.duckdb")
    pages = tmp_path / "reports" / "pages"
    pages.mkdir(parents=True)
    (pages / "cost_by_agent.sql").write_text(EXAMPLE.read_text("utf-8"), "utf-8")
    return tmp_path


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["analytics", "preview", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_status_names_problems_of_pages(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What a file says is checked without a published file, columns with it."""
    pages = project / "reports" / "pages"
    (pages / "chart.sql").write_text("-- chart: pie\nselect 1")
    (pages / "column.sql").write_text("-- chart: bar, x month, y cost\nselect 1 as cost_usd")
    (pages / "sql.sql").write_text("select nope from fct_agent_days")
    monkeypatch.setattr("sys.argv", ["analytics", "status"])
    shown = []
    for published in (project / "data" / "analytics.duckdb", project / "gone.duckdb"):
        with pytest.raises(SystemExit):
            main()
        shown.append(str(capsys.readouterr()))
        if published.exists():
            published.rename(project / "gone.duckdb")

    assert ["there is no mark `pie`" in each for each in shown] == [True, True]
    for problem in ("nope", "column.sql:1: there is no column `month`"):
        assert [problem in each for each in shown] == [True, False]


def test_preview_makes_one_page(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It prints the address of the page in a folder that was not there, its owner's alone."""
    os.umask(0o022)
    file = "reports/pages/cost_by_agent.sql"

    assert run(monkeypatch, file, "--output", "look") == 0
    made = project / "look" / "own" / "cost_by_agent.html"
    assert capsys.readouterr().out.strip() == made.as_uri()
    assert [each.stat().st_mode & 0o777 for each in (project / "look", made)] == [0o700, 0o600]
    assert Page(made).root.all("h1")[0].text == "Cost by agent"
    assert run(monkeypatch, file, "--output", "look") == 2
    assert run(monkeypatch, "reports/pages/none.sql") == 2
    assert "No such file" in capsys.readouterr().err


def test_preview_of_a_broken_page_is_made_and_exits_2(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The address is printed, and each problem by file and line."""
    (project / "reports" / "pages" / "sql.sql").write_text("select 1;\nselect nope")

    assert run(monkeypatch, "reports/pages/sql.sql", "--output", "look") == 2
    shown = capsys.readouterr()
    assert shown.out.strip() == (project / "look" / "own" / "sql.html").as_uri()
    assert "reports/pages/sql.sql:2: Binder Error" in shown.err


def test_without_a_published_file_there_is_no_preview(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to do first."""
    (project / "data" / "analytics.duckdb").unlink()

    assert run(monkeypatch, "reports/pages/cost_by_agent.sql") == 1
    assert "Run `analytics nightly` first." in capsys.readouterr().err


def test_the_docs_say_each_mark_and_limit_and_their_example_is_right() -> None:
    """Marks of the table are those of the grammar."""
    marks = DOCS.partition("| mark | draws |")[2].partition("\n\n")[0]
    (example,) = [each for each in blocks_under("extending.md", "A page") if each.file]
    with Runner(LIMITS) as runner:
        (page,) = parse_pages([UserFile("page", "own.sql", "own", example.code)], runner)

    assert re.findall(r"^\| `(\w+)` \|", marks, re.MULTILINE) == list(MARKS)
    assert f"up to {MOST_CHARTS} SELECTs" in DOCS
    assert f"{MOST_PAGES} pages" in " ".join(DOCS.split())
    assert (page.error, len(page.charts)) == (None, 2)
