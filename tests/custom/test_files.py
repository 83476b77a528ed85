"""Files of a project are read whole, or refused with one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.custom.files import KINDS, read_files
from analytics.resources import folder


@pytest.fixture
def marts(tmp_path: Path) -> Path:
    """The empty folder of marts of a project in the working directory."""
    made = tmp_path / "queries" / "marts"
    made.mkdir(parents=True)
    return made


def errors(project: Path) -> list[str]:
    _, refused = read_files(project, "mart", {"rpt_days"})
    return [each.error for each in refused]


def test_files_are_read_by_name(tmp_path: Path, marts: Path) -> None:
    """Only files of the kind's ending count, in the order of their names."""
    (marts / "b.sql").write_text("select 2", encoding="utf-8")
    (marts / "a.sql").write_text("select 'ä'", encoding="utf-8-sig")
    (marts / "notes.md").write_text("none", encoding="utf-8")

    files, refused = read_files(tmp_path, "mart")

    assert [(each.file, each.name, each.text) for each in files] == [
        ("queries/marts/a.sql", "a", "select 'ä'"),
        ("queries/marts/b.sql", "b", "select 2"),
    ]
    assert refused == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_project_needs_no_folder(tmp_path: Path, kind: str) -> None:
    """A folder that is not there holds no file."""
    assert read_files(tmp_path, kind) == ([], [])


@pytest.mark.parametrize(
    "name",
    ["it's.sql", 'a"b.sql', "two words.sql", "Ünicode.sql", "1st.sql", "Big.sql", ".sql",
     "a\nb.sql", "a\u202eb.sql", "x" * 250 + ".sql", "a;drop table x.sql", "fct-runs.sql"],
)  # fmt: skip
def test_a_name_is_a_plain_identifier(tmp_path: Path, marts: Path, name: str) -> None:
    """A name that would need quotes in SQL is refused, in a line of readable length."""
    (marts / name).write_text("select 1", encoding="utf-8")

    (error,) = errors(tmp_path)

    assert "call it by another name: a small letter" in error
    assert len(error) < 200


def test_a_name_of_ours_is_taken(tmp_path: Path, marts: Path) -> None:
    """A file cannot stand in place of a table of ours."""
    (marts / "fct_runs.sql").write_text("select 1", encoding="utf-8")
    (marts / "rpt_days.sql").write_text("select 1", encoding="utf-8")

    assert errors(tmp_path) == [
        "queries/marts/fct_runs.sql: call it by another name: this one is taken",
        "queries/marts/rpt_days.sql: call it by another name: this one is taken",
    ]


def test_links_stay_within_the_project(tmp_path: Path, marts: Path) -> None:
    """A link within the project is followed, as mounted configuration has them; no other is."""
    (tmp_path / "real.sql").write_text("select 1", encoding="utf-8")
    (marts / "a.sql").symlink_to(tmp_path / "real.sql")
    (marts / "b.sql").symlink_to("/etc/passwd")
    (marts / "c.sql").symlink_to("nowhere")
    (marts / "d.sql").symlink_to("d.sql")

    files, _ = read_files(tmp_path, "mart")

    assert [each.name for each in files] == ["a"]
    assert [error.partition(": ")[2] for error in errors(tmp_path)] == [
        "it is a link that leads out of the project",
        "No such file or directory",
        "Too many levels of symbolic links",
    ]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"select 1\n-- caf\xe9", "line 2 is not UTF-8"),
        (b"select 1\0", "it holds a NUL character, so it is no text"),
        (b" " * 1_000_001, "it is larger than 1 MB"),
    ],
)
def test_what_is_no_text_is_refused(
    tmp_path: Path, marts: Path, content: bytes, reason: str
) -> None:
    """The reason says what is wrong, and where."""
    (marts / "a.sql").write_bytes(content)

    assert errors(tmp_path) == [f"queries/marts/a.sql: {reason}"]


def test_a_huge_file_is_not_read(tmp_path: Path, marts: Path) -> None:
    """Of 50 GB, one byte more than the limit is read."""
    with (marts / "a.sql").open("wb") as file:
        file.truncate(50 * 10**9)

    assert errors(tmp_path) == ["queries/marts/a.sql: it is larger than 1 MB"]


def test_our_own_queries_are_no_project() -> None:
    """Run in its own checkout, the program does not take its tables for the user's."""
    assert read_files(folder("queries").parent, "mart") == ([], [])
    assert read_files(folder("queries").parent, "question") == ([], [])
