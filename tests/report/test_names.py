from __future__ import annotations

import re

import pytest
from hypothesis import example, given
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
    given = ((None, "slug", "id"), (" ", "", "id"), (None, None))

    assert [names.display(*each) for each in given] == ["slug", "id", "(no name)"]


def test_a_sentence_begins_with_a_capital_but_for_a_column() -> None:
    """The name of a table or a column that begins a sentence is as SQL has it."""
    sentences = ["every run is known.", "fct_runs holds one row per run.", ""]

    assert [names.capitalized(each) for each in sentences] == [
        "Every run is known.", *sentences[1:],
    ]  # fmt: skip


@given(st.text(), st.text())
@example("con", "CON")
@example("../../etc/passwd", "a/b")
@example(".", "")
def test_file_names_are_safe_and_differ_where_ids_differ(one: str, other: str) -> None:
    """A file name has a digest and safe characters only, is short, and is no other id's."""
    first, second = names.file_name("ws", one), names.file_name("ws", other)

    assert re.fullmatch(r"[a-z0-9-]+-[0-9a-f]{10}\.html", first)
    assert len(first) <= 80
    assert (one == other) == (first == second)
    assert names.file_name("ws", "b", one) != names.file_name("wsb", one)  # of two workspaces
