"""The documentation: generated parts are fresh, the site builds, and every page is reached."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from docs import generate

ROOT = generate.ROOT
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", generate.pages(), ids=lambda page: page.name)
def test_generated_parts_are_fresh(page: Path) -> None:
    """A page is the same after its generated parts are made anew; else run `make docs`."""
    text = page.read_text(encoding="utf-8")

    assert text == generate.renewed(text)


def test_each_generated_part_is_somewhere() -> None:
    """Every maker, and every file of docs/deploy/, is part of a page."""
    texts = "".join(page.read_text(encoding="utf-8") for page in generate.pages())
    files = [each.name for each in (generate.DOCS / "deploy").iterdir()]

    assert sorted(re.findall(r"<!-- generated: (\S+) -->", texts)) == sorted(
        [*generate.MAKERS, *files]
    )


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


def test_the_readme_is_short_and_begins_with_a_picture() -> None:
    """The README has at most 120 lines, and a picture in its first screen."""
    lines = README.splitlines()

    assert len(lines) <= 120
    assert any(line.startswith("![") for line in lines[:12])
    assert {"make run", "make test", "pip install levain-analytics", "uvx"} <= set(
        re.findall(r"make run|make test|pip install levain-analytics|uvx", README)
    )


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
