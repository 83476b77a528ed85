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

pytest.importorskip("obstore", reason="needs the extra `fleet`: make test-fleet")
pytest.importorskip("deltalake", reason="needs the extra `fleet`: make test-fleet")

import msgspec

from analytics.cli.fleet import alerts
from analytics.errors import AnalyticsError
from analytics.fleet import publication
from analytics.fleet.generations import PUBLISHED, head
from analytics.fleet.merge import Merged, merge_files
from analytics.fleet.publication import merge, read_record
from analytics.fleet.settings import load_fleet
from analytics.fleet.store import Store
from tests.alerts.webhook import Webhook, webhook
from tests.fleet.comparing import differences, on_one_machine
from tests.fleet.fleets import Given, fleet_of, quiet

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
ALERT = """-- All workspaces
select count(*) as workspaces, (select count(*) from custom.numbers) as numbers,
    (
        select budgets.actual_usd = (
            select sum(cost_usd + surcharge_usd) from fct_charges
            where utc_date >= date '2026-11-01'
        )
        from fct_budgets as budgets where scope = 'all'
    ) as is_whole
from dim_workspaces
"""


@pytest.fixture(scope="module")
def hook() -> Iterator[Webhook]:
    """The address to which findings are sent."""
    with webhook() as served:
        yield served


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory, hook: Webhook) -> Iterator[Given]:
    """Five workspaces in three shards, after a batch of each and a merge."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("ALERT_URLS", hook.address())
        root = tmp_path_factory.mktemp("fleet")
        for name, content in (
            ("finance/budgets.csv", BUDGETS),
            ("finance/owners.csv", OWNERS),
            ("queries/marts/numbers.sql", "select range as n from range(3)"),
            ("queries/alerts/all.sql", ALERT),
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(content)
        with fleet_of(root, monkeypatch, RUNS, SHARDS) as made:
            with (root / "analytics.toml").open("a") as settings:
                settings.write('[alerts]\nurls_env = "ALERT_URLS"\n')
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
    return Path(given.fleet.publish.url, name)


def test_is_what_one_machine_publishes(given: Given, one_machine: Path) -> None:
    """Each relation of marts and audit has the same rows, and the same columns and comments."""
    assert differences(one_machine, published(given, PUBLISHED)) == []


def test_budgets_of_several_shards_are_summed(given: Given) -> None:
    """A budget of all workspaces has the charges of all shards, whichever each belongs to."""
    with duckdb.connect(published(given, PUBLISHED), read_only=True) as con:
        rows = con.execute("""
            select scope, actual_usd = (
                select sum(cost_usd + surcharge_usd) from marts.fct_charges
                where (scope <> 'cost_center' or cost_center = 'R&D')
                    and utc_date >= date '2026-11-01'
            )
            from marts.fct_budgets where workspace_id = '(all)' order by scope
        """).fetchall()

    assert ("all", True) in rows
    assert ("cost_center", True) in rows


def test_findings_are_of_all_shards_and_sent_once(
    given: Given, hook: Webhook, capsys: pytest.CaptureFixture[str]
) -> None:
    """Batches of shards send nothing; the merge asks alerts of all figures, and sends them once.

    They are listed with their state.
    """
    merge(given.fleet, quiet())

    finding = "workspaces: 5, numbers: 3, is_whole: true"
    assert hook.findings == {("hook", finding): 1}
    with duckdb.connect(published(given, PUBLISHED), read_only=True) as con:
        rows = con.execute("select shard, finding from audit.alert_findings").fetchall()
    assert rows == [("(all)", finding)]
    alerts(given.fleet.file)
    assert capsys.readouterr().out == f"sent      all: {finding}\n"


def test_tables_are_the_marts(given: Given) -> None:
    """Each mart is a Delta table with the rows of the merged file."""
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
    assert len(names) > 40


def test_site_has_the_pages_of_all_shards(given: Given) -> None:
    """The overview links to the page of each workspace, which leads back; all files are there."""
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


def test_what_did_not_change_is_not_written(given: Given) -> None:
    """A second merge of the same generations commits no table and writes no page."""
    site = {path: path.stat().st_mtime_ns for path in published(given, "site").rglob("*.html")}
    versions = [*published(given, "tables").rglob("_delta_log/*.json")]

    merge(given.fleet, quiet())

    assert versions == [*published(given, "tables").rglob("_delta_log/*.json")]
    now = {path: path.stat().st_mtime_ns for path in published(given, "site").rglob("*.html")}
    assert {path for path in site if site[path] != now[path]} <= {
        published(given, "site/index.html"), published(given, "site/all.html")
    }  # fmt: skip
    record = read_record(given.fleet)
    assert record
    assert record.shards == dict.fromkeys("abc", 1)


def files_of(given: Given, folder: Path) -> dict[str, Path]:
    """Copies of the published files of all shards."""
    found = {}
    for shard in given.fleet.shards:
        generation = head(given.store, shard)
        assert generation
        found[shard] = folder / f"{shard}.duckdb"
        shutil.copy(Path(given.fleet.storage, generation.files[PUBLISHED].path), found[shard])
    return found


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


def test_the_later_of_two_merges_has_the_last_word(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge that another one overtakes stops, and the next one compares all with the tables."""
    before = read_record(given.fleet)
    merge_marts = publication._merge_marts

    def overtaken(work: publication._Work, *rest: Any) -> None:
        merge_marts(work, *rest)
        assert work.merge.target.commit(f"merges/{work.merge.number + 1:010}.begun", b"")

    monkeypatch.setattr(publication, "_merge_marts", overtaken)
    with pytest.raises(AnalyticsError, match="Another merge has begun"):
        merge(given.fleet, quiet())
    monkeypatch.undo()

    assert read_record(given.fleet) == before
    merge(given.fleet, quiet())
    after = read_record(given.fleet)
    assert before
    assert after
    assert (after.number, after.shards) == (before.number + 3, before.shards)


def test_what_an_overtaken_merge_wrote_is_written_anew(
    given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A merge that another one overtakes writes no more than it was writing, until the next one."""
    others = [published(given, name) for name in ("shards/a.duckdb", "site/shards/a/index.html")]
    right = [each.read_bytes() for each in others]
    put, asked = Store.put, []

    def slow(store: Store, path: str, content: bytes | Path) -> None:
        monkeypatch.undo()
        merge(given.fleet, quiet())
        asked.append(published(given, PUBLISHED).stat().st_mtime_ns)
        for each in others:
            each.write_bytes(b"older")
        put(store, path, content)

    monkeypatch.setattr(Store, "put", slow)
    with pytest.raises(AnalyticsError, match="Another merge has begun"):
        merge(given.fleet, quiet())
    assert asked == [published(given, PUBLISHED).stat().st_mtime_ns]

    merge(given.fleet, quiet())

    assert [each.read_bytes() for each in others] == right


def test_the_later_merge_has_the_newer_heads(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """A merge takes its number first, so that none with older heads has a later one."""
    names, asked = Store.names, []

    def listed(store: Store, prefix: str, after: str = "") -> dict[str, int]:
        asked.append(prefix)
        return names(store, prefix, after)

    monkeypatch.setattr(Store, "names", listed)
    merge(given.fleet, quiet())

    assert asked.index("merges/") < asked.index("shards/a/log/")


def test_what_is_published_is_readable_as_settings_say(given: Given) -> None:
    """By default nobody but the owner reads files and folders of storage and publication."""
    modes = {path.stat().st_mode & 0o077 for path in Path(given.fleet.storage).rglob("*")}

    assert modes == {0}


def test_a_large_fleet_has_no_file_of_all(given: Given) -> None:
    """Above its limit, the merged file is removed; tables and the files of shards are there."""
    publish = msgspec.structs.replace(given.fleet.publish, duckdb_limit="1MB")

    merge(msgspec.structs.replace(given.fleet, publish=publish), quiet())

    assert not published(given, PUBLISHED).exists()
    assert published(given, "shards/a.duckdb").exists()
    with pytest.raises(AnalyticsError, match="of all shards in"):
        alerts(given.fleet.file)
    merge(given.fleet, quiet())
    assert published(given, PUBLISHED).exists()


@pytest.mark.parametrize("change", ["drop column queue_seconds", "add column own integer"])
def test_figures_of_another_release_are_left_out(
    given: Given, hook: Webhook, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    """A sum has no null for a column that a shard lacks: the shard is not in it, and is named."""

    def altered(files: Mapping[str, Path], *rest: Any) -> Merged:
        with duckdb.connect(files["a"]) as con:
            con.execute(f"alter table marts.fct_runs {change}")
        return merge_files(files, *rest)

    monkeypatch.setattr(publication, "merge_files", altered)
    before = dict(hook.findings)
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
    assert published(given, "shards/a.duckdb").exists()
    assert hook.findings == before


def test_what_is_no_more_in_the_fleet_is_not_published(given: Given) -> None:
    """Pages and file of a shard go with it, and all pages with `site`, whatever was killed."""
    others = {shard: given.fleet.shards[shard] for shard in "bc"}
    fleet = msgspec.structs.replace(given.fleet, shards=others)
    left = [published(given, "site/shards/old/index.html"), published(given, "shards/old.duckdb")]
    for each in left:
        each.parent.mkdir(exist_ok=True)
        each.write_text("of a merge that was killed")
    own = published(given, "shards/a/landing/load.tar")
    own.parent.mkdir(parents=True)
    own.write_text("of a storage that is published to")

    merge(fleet, quiet())

    assert not any(each.exists() for each in left)
    assert not [*published(given, "site/shards/a").rglob("*.html")]
    assert sorted(path.stem for path in published(given, "shards").glob("*.*")) == ["b", "c"]
    assert own.exists()
    publish = msgspec.structs.replace(fleet.publish, site=False)
    merge(msgspec.structs.replace(fleet, publish=publish), quiet())
    assert not [*published(given, "site").rglob("*.html")]
