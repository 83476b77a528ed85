"""The merge of a fleet: what one machine would have published, of all shards, in every form."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

pytest.importorskip("deltalake", reason="no extra `fleet` here: make test-all")

import msgspec

from analytics.errors import AnalyticsError, BusyError
from analytics.fleet import delta, publication
from analytics.fleet.merged_file import Merged, merge_files
from analytics.fleet.publication import merge, read_record
from analytics.fleet.settings import load_fleet
from analytics.fleet.status import read_state
from analytics.warehouse.layout import Layout
from analytics.warehouse.lock import batch_lock
from tests.batches import Killed
from tests.fleet.comparing import differences, on_one_machine
from tests.fleet.fleets import Given, fleet_of, quiet

PUBLISHED = "analytics.duckdb"
RUNS = [9, 14, 3, 20, 1]
SHARDS = ["a", "b", "a", "c", "b"]

BUDGETS = """scope,name,workspace,month,amount_usd
all,,,2026-11,10
workspace,Workspace 3,,2026-11,5
agent,agent-1,,2026-11,4
cost_center,R&D,,2026-11,4
workspace,Nobody,,2026-11,1
"""
OWNERS = """workspace,agent,owner,cost_center,account,valid_from,valid_to
*,agent-1,Ann,R&D,6100,,
"""


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Given]:
    """Five workspaces in three shards, after a batch of each and a merge."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        root = tmp_path_factory.mktemp("fleet")
        for name, content in (
            ("finance/budgets.csv", BUDGETS),
            ("finance/owners.csv", OWNERS),
            ("queries/marts/numbers.sql", "select range as n from range(3)"),
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        with fleet_of(root, monkeypatch, RUNS, SHARDS) as made:
            made.fleet = load_fleet(root / "fleet.toml")
            for shard in made.fleet.shards:
                assert made.batch(shard).exit_code == 0
            assert merge(made.fleet, quiet()) == []
            yield made


@pytest.fixture(scope="module")
def one_machine(given: Given, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file that one machine publishes of all that the shards have landed."""
    return on_one_machine(given, tmp_path_factory.mktemp("one"))


def published(given: Given, name: str) -> Path:
    """A file of the publication."""
    return given.fleet.published / name


def test_is_what_one_machine_publishes(given: Given, one_machine: Path) -> None:
    """Each relation of marts and audit has the same rows, and the same columns and comments."""
    assert differences(one_machine, published(given, PUBLISHED)) == []


def test_tables_are_the_marts(given: Given) -> None:
    """Each mart is a Delta table with the rows of the merged file."""
    require_tables(given)


def require_tables(given: Given) -> None:
    with duckdb.connect(published(given, PUBLISHED), read_only=True) as con:
        names = con.execute(
            "select table_name from duckdb_tables() where schema_name = 'marts' order by all"
        ).fetchall()
        for (name,) in names:
            rows = pl.DataFrame(con.sql(f"from marts.{name}"))
            table = pl.scan_delta(str(published(given, f"tables/{name}"))).collect()
            ours, theirs = (
                sorted(map(repr, each.select(rows.columns).rows())) for each in (rows, table)
            )
            assert [row.replace("Etc/UTC", "UTC") for row in ours] == [
                row.replace("Etc/UTC", "UTC") for row in theirs
            ]
    assert names


def test_site_has_the_pages_of_all_shards(given: Given) -> None:
    """The overview links to the page of each workspace, which leads back; all files are there.

    By default nobody but the owner reads files and folders of shards and publication.
    """
    site = published(given, "site")
    with duckdb.connect(published(given, PUBLISHED), read_only=True) as con:
        pages = con.execute("select page from fleet.shards order by all").fetchall()
    overview = (site / "index.html").read_text()

    assert len(pages) == len(RUNS)
    for (page,) in pages:
        assert page in overview
        assert 'href="../../../index.html"' in (site / page).read_text()
    for manifest in site.rglob("manifest.json"):
        names = json.loads(manifest.read_bytes())["files"]
        assert names
        assert all((manifest.parent / name).is_file() for name in names)
    assert {path.stat().st_mode & 0o077 for path in given.fleet.folder.rglob("*")} == {0}


def test_what_did_not_change_is_not_written(given: Given) -> None:
    """A second merge of the same figures commits no table and writes no page."""
    site = {path: path.stat().st_mtime_ns for path in published(given, "site").rglob("*.html")}
    versions = [*published(given, "tables").rglob("_delta_log/*.json")]

    merge(given.fleet, quiet())

    assert versions == [*published(given, "tables").rglob("_delta_log/*.json")]
    now = {path: path.stat().st_mtime_ns for path in published(given, "site").rglob("*.html")}
    changed = {path for path in site if site[path] != now[path]}
    assert changed <= {published(given, "site/index.html")}
    assert all(shard.is_merged for shard in read_state(given.fleet).shards)


def files_of(given: Given, folder: Path) -> dict[str, Path]:
    """Copies of the published files of all shards."""
    return {
        shard: Path(shutil.copy(given.file(shard), folder / f"{shard}.duckdb"))
        for shard in given.fleet.shards
    }


def test_a_workspace_in_two_shards_is_refused(given: Given, tmp_path: Path) -> None:
    """Its figures would count twice."""
    files = files_of(given, tmp_path)
    shutil.copy(files["a"], files["b"])

    with pytest.raises(AnalyticsError, match="is in several shards: a, b"):
        merge_files(files, dict.fromkeys(files), tmp_path / "merged.duckdb", tmp_path)


def test_rows_under_another_workspace_are_refused(given: Given, tmp_path: Path) -> None:
    """A row of a shard that names a workspace of another shard is in no figure of that one."""
    files = files_of(given, tmp_path)
    other = given.fleet.shards["b"][0].workspace_id
    with duckdb.connect(files["a"]) as con:
        con.execute(
            "update marts.fct_agent_days set workspace_id = ?"
            " where date = (select max(date) from marts.fct_agent_days)",
            [other],
        )

    with pytest.raises(AnalyticsError, match=r"marts\.fct_agent_days has .* rows merged"):
        merge_files(files, dict.fromkeys(files), tmp_path / "merged.duckdb", tmp_path)


def test_a_second_merge_at_once_is_refused(given: Given) -> None:
    """Two merges do not publish beside each other."""
    with batch_lock(Layout(given.fleet.published)), pytest.raises(BusyError):
        merge(given.fleet, quiet())


def test_a_killed_merge_is_done_by_the_next(given: Given) -> None:
    """What a merge may have written of the tables is compared with nothing: all is written anew."""
    write, count = delta.replace_changed, 0

    def killed(*rest: Any, **options: Any) -> int:
        nonlocal count
        count += 1
        if count == 3:
            raise Killed
        return write(*rest, **options)

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(delta, "replace_changed", killed)
        with pytest.raises(Killed):
            merge(given.fleet, quiet())
    record = read_record(given.fleet)
    assert record
    assert not record.digests

    merge(given.fleet, quiet())

    require_tables(given)


def test_a_large_fleet_has_no_file_of_all(given: Given) -> None:
    """Above its limit, the merged file is removed; the tables are there."""
    publish = given.fleet.publish.model_copy(update={"duckdb_limit": "1MB"})

    merge(msgspec.structs.replace(given.fleet, publish=publish), quiet())

    assert not published(given, PUBLISHED).exists()
    assert [*published(given, "tables").iterdir()]
    merge(given.fleet, quiet())
    assert published(given, PUBLISHED).exists()


@pytest.mark.parametrize("change", ["drop column queue_seconds", "add column own integer"])
def test_figures_of_another_release_are_left_out(
    given: Given, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, change: str
) -> None:
    """A sum has no null for a column that a shard lacks: the shard is not in it, and is named."""

    def altered(files: Mapping[str, Path], *rest: Any) -> Merged:
        file = Path(shutil.copy(files["a"], tmp_path / "a.duckdb"))
        with duckdb.connect(file) as con:
            con.execute(f"alter table marts.fct_runs {change}")
        return merge_files({**files, "a": file}, *rest)

    monkeypatch.setattr(publication, "merge_files", altered)
    without = merge(given.fleet, quiet())

    assert without == ["a, whose figures are of another release"]
    assert (
        f"these figures are without {without[0]}" in published(given, "site/index.html").read_text()
    )
    with duckdb.connect(published(given, PUBLISHED), read_only=True) as con:
        rows = con.execute("""
            select shard, count(runs.run_id) > 0, any_value(message)
            from fleet.shards left join marts.fct_runs as runs using (workspace_id)
            group by shard order by shard
        """).fetchall()
    told = "its figures are of another release, and not among these"
    assert rows == [("a", False, told), ("b", True, None), ("c", True, None)]


def test_what_is_no_more_in_the_fleet_is_not_published(given: Given) -> None:
    """Pages of a shard go with it, and all pages with `site`; its data directory stays."""
    others = {shard: given.fleet.shards[shard] for shard in "bc"}
    fleet = msgspec.structs.replace(given.fleet, shards=others)

    merge(fleet, quiet())

    folders = published(given, "site/shards").iterdir()
    assert sorted(path.name for path in folders) == ["b", "c"]
    assert given.file("a").exists()
    publish = fleet.publish.model_copy(update={"site": False})
    merge(msgspec.structs.replace(fleet, publish=publish), quiet())
    assert not published(given, "site").exists()
