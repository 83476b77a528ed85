"""The documentation: generated parts are fresh, the site builds, and every page is reached."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from analytics.query.tables import overview
from docs import generate
from tests.docs.pages import SHOWN_ADDRESS

ROOT = generate.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_generated_parts_are_fresh(page: Path) -> None:
    """A page is the same after its generated parts are made anew; else run `make docs`."""
    text = page.read_text(encoding="utf-8")

    assert text == generate.renewed(text)


def test_each_generated_part_and_file_is_somewhere() -> None:
    """Every maker is part of one page; every picture and file of docs/deploy/ has a link."""
    texts = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    files = [*(generate.DOCS / "deploy").iterdir(), *generate.DOCS.glob("*.png")]

    assert sorted(re.findall(r"<!-- generated: (\S+) -->", texts)) == sorted(generate.MAKERS)
    for file in files:
        assert f"]({file.relative_to(generate.DOCS)})" in texts, file.name


def test_each_published_table_is_in_the_overview_once() -> None:
    """The overview of the data model has each table of marts and audit, by columns that it has."""
    rows = [row for group in overview().values() for row in group.items()]
    published = [each for each in generate.tables() if each.startswith(("marts.", "audit."))]

    assert sorted(relation for relation, _ in rows) == published
    for relation, columns in rows:
        table = generate.tables()[relation]
        assert {*columns.split(", ")} <= {*table.columns}, relation
        assert "Grain: " in table.meaning, relation


def test_tables_that_are_named_exist() -> None:
    """What a page, or the comment of a published table, names is published."""
    texts = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    named = re.findall(r"\b((?:marts\.)?(?:fct|dim)_[a-z_]+|audit\.[a-z_]+)\b", texts)
    comments = "".join(table.meaning for table in generate.tables().values())
    named += re.findall(r"\b(?:dim|fct|int|stg|rpt)_[a-z_]+", comments)
    known = {name for each in generate.tables() for name in (each, each.partition(".")[2])}

    assert {*named} <= known


def test_pages_that_the_code_names_exist() -> None:
    """Where a message or a comment leads to a page of docs/, that page is there."""
    files = [ROOT / "Makefile", *(ROOT / "analytics").rglob("*.py")]
    named = {
        name
        for file in files
        for name in re.findall(r"\bdocs/[\w-]+\.md", file.read_text(encoding="utf-8"))
    }

    assert [each for each in named if not (ROOT / each).exists()] == []


def test_the_site_builds(tmp_path: Path) -> None:
    """No link and no anchor leads nowhere, each page is in the menu, and nothing is remote."""
    command = (sys.executable, "-m", "properdocs", "build", "--strict", "--quiet")
    done = subprocess.run(
        [*command, "--config-file", ROOT / "properdocs.yml", "--site-dir", tmp_path / "site"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    menu = (ROOT / "properdocs.yml").read_text(encoding="utf-8")
    pages = re.findall(r"\S+\.md", str(yaml.safe_load(menu)["nav"]).replace("'", " "))
    assert sorted(pages) == sorted(each.name for each in generate.DOCS.glob("*.md"))
    for page in (tmp_path / "site").glob("*.html"):
        assert not re.search(r"<(script|(link|img)[^>]+//)", page.read_text(encoding="utf-8"))


def test_the_readme_begins_with_what_works_on_a_fresh_machine() -> None:
    """It is short; its first block clones, runs and tests; the time that each takes follows it."""
    lines = README.splitlines()
    _, block, after = "\n".join(lines[:20]).split("```")
    clone, *commands = block.splitlines()[1:]
    told = after.split("\n- ")[1:]

    assert len(lines) <= 120
    assert any(line.startswith("![") for line in lines[:12])
    assert clone.startswith(f"git clone {SHOWN_ADDRESS} ")
    assert commands == ["make run", "make test"]
    assert [each.split("`")[1] for each in told] == commands
    assert all("minutes" in each for each in told)


def test_nothing_is_installed_by_its_name() -> None:
    """Nothing says to install this package from an index, on which it is not."""
    folders = ((ROOT, "*.md"), (generate.DOCS, "**/*"), (ROOT / "analytics", "**/*.py"))
    by_name = re.compile(
        r"levain-analytics *(?:\[|[=<>~]=)|\b(?:pip|pipx|uv|uvx)\b[^`|;\n]*\blevain-analytics\b"
    )

    assert [
        f"{file}: {found[0]}"
        for folder, pattern in folders
        for file in sorted(folder.glob(pattern))
        if file.is_file() and file.suffix not in {".png", ".pyc"}
        for found in by_name.finditer(file.read_text(encoding="utf-8"))
    ] == []


def test_extras_that_are_named_exist() -> None:
    """Each extra is named with its lock, and each lock that is named, or an image's, is there."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = set(tomllib.load(file)["project"]["optional-dependencies"])
    files = [*generate.pages(), ROOT / "Makefile", generate.DOCS / "deploy" / "Dockerfile"]
    texts = "".join(file.read_text(encoding="utf-8") for file in files)
    named = re.findall(r"(?<![$\w-])([\w-]+)\.lock\b|EXTRA(?: \?)?= ?(\w+)", texts)
    locks = {path.stem for path in (ROOT / "requirements").iterdir()}

    assert extras <= {"".join(each) for each in named} <= locks


def test_links_of_top_level_pages_lead_somewhere() -> None:
    """A link to a file, and to a heading of it, exists."""
    for page in ROOT.glob("*.md"):
        for link in re.findall(r"\]\((?!https?:)([^)]+)\)", page.read_text(encoding="utf-8")):
            path, _, anchor = link.partition("#")
            target = ROOT / path
            assert target.exists(), f"{page.name}: {link}"
            heading = anchor.replace("-", " ")
            assert not anchor or re.search(
                f"^#+ {heading}$", target.read_text(encoding="utf-8"), re.MULTILINE | re.IGNORECASE
            ), f"{page.name}: {link}"
