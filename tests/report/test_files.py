"""Which files a site has, which of them a batch rewrites, and what they can hold."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import polars as pl
import pytest

from analytics.report.entities import Entity
from analytics.report.files import packed
from analytics.report.months import encoded
from analytics.report.rendering import About
from analytics.report.site import build_site
from tests.conftest import shared_folder
from tests.report import shown
from tests.report.expected import Reports

Built = Callable[..., Path]
ABOUT = About(datetime(2026, 11, 25, 6, tzinfo=UTC), "0.1.0", "Europe/Berlin")
LASTING = re.compile(r"^(data/20.*\.js|assets/.*)$")


@pytest.fixture(scope="module")
def tables(published: Path) -> Reports:
    """The published tables."""
    return Reports(published / "analytics.duckdb")


@pytest.fixture
def reports(tables: Reports) -> Iterator[Reports]:
    """The published tables, to be changed until the end of the test."""
    tables.con.begin()
    yield tables
    tables.con.rollback()


@pytest.fixture
def build(reports: Reports, tmp_path: Path) -> Built:
    """Builds a site of the tables as they are, after another one."""

    def build(name: str, published: Path | None = None) -> Path:
        target = tmp_path / name
        target.mkdir()
        build_site(reports.con, target, about=ABOUT, published=published)
        return target

    return build


@pytest.fixture(scope="module")
def before(tables: Reports, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of the tables as they were published, which tests only read."""
    return shared_folder(
        tmp_path_factory, "built", lambda folder: build_site(tables.con, folder, about=ABOUT)
    )


def files(site: Path) -> dict[str, bytes]:
    """The files of a site."""
    return {
        str(file.relative_to(site)): file.read_bytes() for file in site.rglob("*") if file.is_file()
    }


def lasting(site: Path) -> set[str]:
    """The files that a later site takes over while their rows are the same."""
    return {name for name in files(site) if LASTING.search(name)}


def rewritten(before: Path, after: Path) -> set[str]:
    """The lasting files that the later one of two sites has not taken over."""
    return {name for name in lasting(after) if not (before / name).samefile(after / name)}


def costliest(reports: Reports) -> Entity:
    """The most expensive agent of late."""
    return max(reports.entities.of("agent"), key=lambda each: each.row["recent_cost_usd"] or 0)


def test_a_batch_rewrites_the_data_that_it_changed(
    before: Path, reports: Reports, build: Built
) -> None:
    """A change of an agent's day writes the data of its month anew, and no other."""
    agent = costliest(reports)
    last = agent.row["last_date"]
    reports.con.execute(
        "update rpt_days set cost_usd = cost_usd + 1 where agent_id = ? and date = ?",
        [agent.agent_id, last],
    )
    after = build("after", before)

    workspace = reports.entities.by_key[agent.workspace_id, "(all)"].stem
    stems = (agent.stem, workspace, "site")
    assert rewritten(before, after) == {f"data/{last:%Y-%m}/{stem}.js" for stem in stems}
    assert lasting(after) == lasting(before)


def test_the_same_tables_make_the_same_site(before: Path, build: Built) -> None:
    """Every file of a site that is built again is the same to the byte."""
    assert files(build("again")) == files(before)


def test_a_damaged_file_is_not_taken_over(before: Path, build: Built, tmp_path: Path) -> None:
    """What was cut off, or is a link, a folder or a pipe, is made anew; none is waited for."""
    damaged = tmp_path / "damaged"
    shutil.copytree(before, damaged)
    link, folder, pipe, cut, *_ = sorted(lasting(damaged))
    (damaged / cut).write_bytes((damaged / cut).read_bytes()[:-9])
    for name in (link, folder, pipe):
        (damaged / name).rename(damaged / f"{name}.elsewhere")
    (damaged / link).symlink_to(damaged / f"{link}.elsewhere")
    (damaged / folder).mkdir()
    os.mkfifo(damaged / pipe)
    after = build("after", damaged)

    assert files(after) == files(before)
    assert all((after / name).lstat().st_nlink == 1 for name in (link, folder, pipe, cut))
    assert rewritten(damaged, after) == {link, folder, pipe, cut}


@pytest.mark.parametrize(
    "manifest",
    [
        '{"x":' * 100_000,
        '{"files": {"../x": "", "index.html": null}}',
        '{"inputs": {"../../x": "1", "\\ud800": "1"}, "files": {"../../x": "1"}}',
    ],
    ids=["deep", "no digest", "other names"],
)
def test_any_manifest_makes_the_site_anew(
    before: Path, build: Built, tmp_path: Path, manifest: str
) -> None:
    """A manifest that is not what was written takes over no file, and stops no batch."""
    spoilt = tmp_path / "spoilt"
    shutil.copytree(before, spoilt)
    (spoilt / "manifest.json").write_text(manifest)
    after = build("after", spoilt)

    assert files(after) == files(before)
    assert rewritten(spoilt, after) == lasting(after)


def test_the_manifest_lists_every_file(published: Path) -> None:
    """Nothing but the manifest and the files in it lies in the site, each with its SHA-256."""
    site = published / "site"
    manifest = json.loads((site / "manifest.json").read_bytes())
    digests = {name: sha256(content).hexdigest() for name, content in files(site).items()}
    del digests["manifest.json"]

    assert manifest["files"] == digests
    assert manifest["inputs"].keys() == lasting(site)


def test_any_money_and_no_money_survive_packing(tmp_path: Path) -> None:
    """A number that a script would round is a text; null is null, and texts are as they were."""
    large = Decimal(2**53 + 1).scaleb(-10)
    texts = ["a", '"\\\n\u2028\ue000\ud7ff🍞', None]
    frame = pl.DataFrame(
        {"cost_usd": [large, -large, None], "name": texts, "n": [1, None, 2**40]},
        schema={"cost_usd": pl.Decimal(38, 10), "name": pl.String, "n": pl.Int64},
    )
    file = tmp_path / "x.js"
    file.write_bytes(packed(encoded(frame)))

    assert shown.unpacked(file) == {
        "cost_usd": [str(2**53 + 1), str(-(2**53) - 1), None],
        "name": {"keys": texts},
        "n": [1, None, 2**40],
    }
