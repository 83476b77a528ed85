"""docs/charts.md: it names all that a specification may say, and what it shows is right."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import msgspec
import pytest

from analytics.format import text
from analytics.report import columns, spec
from analytics.report.entities import Scope
from analytics.transform.models import read_header, references

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "charts.md").read_text(encoding="utf-8")
PICTURES = ROOT / "docs" / "pictures"
CODE = re.compile(r"```(\w+)\n(.*?)```", re.DOTALL)
BLOCKS = CODE.findall(PAGE)
NAMED = set(re.findall(r"[\w-]+", " ".join(re.findall(r"`([^`]+)`", CODE.sub("", PAGE)))))
AROUND = """
scope = "workspace"
title = "Page of an example"
as_of = []

[[section]]
key = "section"
title = "Section of an example"
"""


@pytest.mark.parametrize("kind", [spec.Page, spec.Section, spec.Headline, spec.Part, spec.Draw])
def test_each_field_is_explained_in_the_table_of_its_kind(kind: type[msgspec.Struct]) -> None:
    """The table of a struct has a line for each field, and for nothing else."""
    table = PAGE.partition(f"\n| {kind.__name__.lower()} | holds |\n")[2].partition("\n\n")[0]
    explained = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| ([^|]+) \|", table, re.MULTILINE)))

    assert sorted(explained) == sorted(kind.__struct_fields__)


def test_each_unit_mark_scope_and_period_is_named() -> None:
    """Words of the grammar stand somewhere in the text, not in examples alone."""
    fields = {field.name: field.type for field in msgspec.structs.fields(spec.Part)}
    periods = {word for each in get_args(fields["period"]) for word in get_args(each)}
    units = {*text._ONE, *text._TWO, *columns._NAMES, *columns._TEXTS} - {""}
    others = {"range", "range_percent", "plural", "spark", "of_unit"}
    marks = set(re.findall(r"^\*\*(\w+)\*\* ", PAGE, re.MULTILINE))

    assert units | others | periods | set(get_args(Scope)) <= NAMED
    assert marks == set(get_args(spec.Mark))


@pytest.mark.parametrize("example", [block for kind, block in BLOCKS if kind == "toml"])
def test_examples_are_specifications(example: str, tmp_path: Path) -> None:
    """Each example can be read as a page, or within one, and its templates know their units."""
    file = tmp_path / "example.toml"
    file.write_text(example if "scope =" in example else AROUND + example, encoding="utf-8")

    page = spec.read_page(file)

    assert page.headline or page.parts
    for part in page.parts:
        assert (ROOT / "queries" / "report" / f"{part.data}.sql").exists() or part.data in PAGE
        assert all(columns.column(each).unit in NAMED for each in part.columns)
    for each in re.findall(r"\{[^{}|]+\|(\w+)[^{}]*\}", example):
        assert each in NAMED


def test_the_example_of_a_relation_is_one() -> None:
    """Its header is complete, and its SQL is one SELECT of a mart."""
    (sql,) = (block for kind, block in BLOCKS if kind == "sql")
    header = read_header(sql)

    assert header.description
    assert header.key
    assert references("example", sql) == {"marts.fct_runs"}


def test_the_example_of_a_case_is_one() -> None:
    """It has the form of those in tests/engine/cases.json, and its part is a specification."""
    (case,) = (json.loads(block) for kind, block in BLOCKS if kind == "json")
    kept = json.loads((ROOT / "tests" / "engine" / "cases.json").read_text(encoding="utf-8"))

    assert case.keys() <= {field for each in kept for field in each}
    assert msgspec.convert(case["part"], spec.Part).key == "agents"


def test_each_picture_is_shown_and_small() -> None:
    """Every picture is linked once, no link leads nowhere, and a file is below 40 KB."""
    linked = re.findall(r"!\[[^\]]+\]\(pictures/([^)]+)\)", PAGE)

    assert sorted(linked) == sorted(each.name for each in PICTURES.iterdir())
    assert all(each.stat().st_size < 40 * 1024 for each in PICTURES.iterdir())
