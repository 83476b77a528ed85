"""Files of a project are read whole, or refused with one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.files import folder
from analytics.project.files import KINDS, read_files


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


@pytest.mark.parametrize(
    "name",
    ["it's.sql", "Ünicode.sql", "1st.sql", ".sql", "a\nb.sql", "x" * 250 + ".sql", "a;drop.sql"],
)
def test_a_name_is_a_plain_identifier(tmp_path: Path, marts: Path, name: str) -> None:
    """A name that would need quotes in SQL is refused, in a line of readable length."""
    (marts / name).write_text("select 1", encoding="utf-8")

    (error,) = errors(tmp_path)

    assert "call it by another name: a small letter" in error
    assert len(error) < 200


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
    ("name", "content", "reason"),
    [
        ("a", b"select 1\n-- caf\xe9", "line 2 is not UTF-8"),
        ("a", b"select 1\0", "it holds a NUL character, so it is no text"),
        ("fct_runs", b"select 1", "call it by another name: this one is taken"),
        ("rpt_days", b"select 1", "call it by another name: this one is taken"),
    ],
)
def test_what_cannot_be_used_is_refused(
    tmp_path: Path, marts: Path, name: str, content: bytes, reason: str
) -> None:
    """A file that is no text, too large, or named like a table of ours is left out."""
    (marts / f"{name}.sql").write_bytes(content)

    with (marts / "huge.sql").open("wb") as file:
        file.truncate(50 * 10**9)  # of which one byte more than the limit is read

    assert {*errors(tmp_path)} == {
        f"queries/marts/{name}.sql: {reason}", "queries/marts/huge.sql: it is larger than 1 MB",
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_folder_is_a_project(tmp_path: Path, kind: str) -> None:
    """A folder that is not there holds no file, and in its own checkout ours are not the user's."""
    assert read_files(tmp_path, kind) == ([], [])
    if kind in {"mart", "question"}:
        assert read_files(folder("queries").parent, kind) == ([], [])
