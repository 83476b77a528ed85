from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.format import names


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("  Baker ", "Baker"),
        ("a\x1b[31mb", "a⟨U+001B⟩[31mb"),
        ("fdp\u202eexe", "fdp⟨U+202E⟩exe"),
        ("a\u2066b\u2069", "a⟨U+2066⟩b⟨U+2069⟩"),
        ("line\nbreak", "line⟨U+000A⟩break"),
        ("zero\u200bwidth", "zero⟨U+200B⟩width"),
        ("👩\u200d🍳", "👩\u200d🍳"),
        ("e\u0301", "\u00e9"),
        ("x" * 200, "x" * 119 + "…"),
    ],
)
def test_what_cannot_be_seen_is_made_visible(raw: str, shown: str) -> None:
    """Controls and marks of writing direction are shown as code points; joiners stay."""
    assert shown == names.display(raw)


def test_the_first_name_that_shows_anything_is_taken() -> None:
    """A name that is missing or blank gives way to the slug, then to the id."""
    assert [
        names.display(None, "slug", "id"),
        names.display(" ", "", "id"),
        names.display(None, None),
    ] == ["slug", "id", "(no name)"]


def test_a_sentence_begins_with_a_capital_but_for_a_column() -> None:
    """The name of a table or a column that begins a sentence is as SQL has it."""
    sentences = ["every run is known.", "fct_runs holds one row per run.", ""]

    assert [names.capitalized(each) for each in sentences] == [
        "Every run is known.",
        "fct_runs holds one row per run.",
        "",
    ]


@given(st.text(), st.text())
def test_file_names_are_safe_and_differ_where_ids_differ(one: str, other: str) -> None:
    """A file name holds safe characters only, is short, and is no other id's in any case."""
    first, second = names.file_name("ws", one), names.file_name("ws", other)

    assert re.fullmatch(r"[a-z0-9-]+\.html", first)
    assert len(first) <= 80
    assert (one == other) == (first.lower() == second.lower())


@pytest.mark.parametrize("name", ["con", "NUL", "../../etc/passwd", "a/b", ".", "", "Agent"])
def test_an_id_never_becomes_a_path_or_a_device(name: str) -> None:
    """An id that is a path, a device or nothing still gives one plain file."""
    stem = names.file_name("ws", name).removesuffix(".html")

    assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{10}", stem)


def test_the_same_id_in_two_workspaces_has_two_pages() -> None:
    """The workspace's id is part of what tells file names apart."""
    assert names.file_name("ws-1", "a") != names.file_name("ws-2", "a")
    assert names.file_name("a", "b", "c") != names.file_name("ab", "c")
