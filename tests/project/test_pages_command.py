"""`analytics preview` makes a page of the published file; and what the docs say."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from analytics.bounded.runner import Runner
from analytics.cli import main
from analytics.files import folder
from analytics.project.files import UserFile
from analytics.project.pages import MARKS, MOST_CHARTS, MOST_PAGES, parse_pages
from tests.docs.pages import blocks_under, text_of
from tests.project.own import make_marts
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


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run a command; its exit code, and what it prints on both streams."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["analytics", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def test_preview_makes_one_page(project: Path, run) -> None:
    """It prints the address of the page in a folder that was not there, its owner's alone."""
    os.umask(0o022)
    file = "reports/pages/cost_by_agent.sql"
    made = project / "look" / "own" / "cost_by_agent.html"

    assert run("preview", file, "--output", "look")[:2] == (0, f"{made.as_uri()}\n")
    assert [each.stat().st_mode & 0o777 for each in (project / "look", made)] == [0o700, 0o600]
    assert Page(made).root.all("h1")[0].text == "Cost by agent"


def test_problems_of_a_preview_are_told(project: Path, run) -> None:
    """A page with a wrong query is made, and each problem told; nothing else makes one."""
    (project / "reports" / "pages" / "sql.sql").write_text("select 1;\nselect nope")
    file = "reports/pages/sql.sql"
    code, address, told = run("preview", file, "--output", "look")

    assert (code, address.strip()) == (2, (project / "look" / "own" / "sql.html").as_uri())
    assert "reports/pages/sql.sql:2: Binder Error" in told
    assert run("preview", file, "--output", "look")[0] == 2
    code, _, told = run("preview", "reports/pages/none.sql")
    assert (code, "No such file" in told) == (2, True)
    (project / "data" / "analytics.duckdb").unlink()
    code, _, told = run("preview", file)
    assert (code, "Run `analytics nightly` first" in told) == (1, True)


def test_a_table_that_the_next_batch_makes_is_named(project: Path, run) -> None:
    """`preview`, `status` and `sql` name the file of a table that no batch has made yet; for
    `status` it is not a problem. A page on a question shows how to ask it.
    """
    page, mart = project / "reports" / "pages" / "new.sql", project / "queries" / "marts"
    mart.mkdir(parents=True)
    (mart / "margins.sql").write_text("select 1 as one", "utf-8")
    page.write_text("-- Margins\nselect * from custom.margins", "utf-8")
    code, _, err = run("preview", "reports/pages/new.sql")

    assert code == 2
    assert "makes it of queries/marts/margins.sql: run `analytics nightly`" in err
    assert "makes it of queries/marts/margins.sql" in run("sql", "from margins")[2]
    status = json.loads(run("status", "--json")[1])
    assert err == f"error: {status['hints'][0]}\n"
    assert "new.sql" not in str(status["problems"])
    assert f"\n1 hint:\n- {status['hints'][0].splitlines()[0]}\n  The next" in run("status")[1]
    (project / "queries" / "adhoc").mkdir()
    (project / "queries" / "adhoc" / "spent.sql").write_text("select 1", "utf-8")
    asked = "spent is a question, and no table: ask it by `analytics sql spent`"
    assert f": {asked}" in run("sql", "from spent")[2]
    page.write_text("-- Spent\nselect 1;\nselect * from spent", "utf-8")
    assert f"reports/pages/new.sql:3: {asked}" in run("preview", str(page))[2]


def test_the_docs_say_each_mark_and_limit_and_their_example_is_right(runner: Runner) -> None:
    """Marks of the table are those of the grammar."""
    marks = DOCS.partition("| mark | draws |")[2].partition("\n\n")[0]
    (example,) = [each for each in blocks_under("extending.md", "A page") if each.file]
    (page,) = parse_pages([UserFile("page", "own.sql", "own", example.code)], runner)

    assert re.findall(r"^\| `(\w+)` \|", marks, re.MULTILINE) == list(MARKS)
    assert f"up to {MOST_CHARTS} SELECTs" in DOCS
    assert f"{MOST_PAGES} pages" in " ".join(DOCS.split())
    assert (page.error, len(page.charts)) == (None, 2)
