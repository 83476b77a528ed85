"""Answers of the API with wrong values, by their structure, on their way through extract and load.

Every expectation is of a record: where it stood in which response, and what was changed of it.
"""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch
from urllib.parse import urlencode

import httpx
import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from analytics.batch.extract import extract_all
from analytics.batch.progress import Progress
from analytics.emulator.runs.platform import BUILDER
from analytics.emulator.server import Emulator, running
from analytics.emulator.world import World
from analytics.settings import Extract, load_settings
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.sources import SOURCES, Scope, Source
from tests.conftest import NOW, book_run, hire_baker
from tests.extract.mutations import (
    CUT,
    DEEP,
    MISSING,
    MUTATED,
    NULL,
    PATHS,
    TWICE,
    UNKNOWN,
    VALUES,
    At,
    Change,
    Row,
    Tampering,
    accepts,
    left_out,
)

if TYPE_CHECKING:
    pass


@dataclass
class Stored:
    """What a batch stored: current rows by the place of their record, and the quarantine."""

    rows: dict[At, list[Row]]
    quarantined: set[tuple[At, str]]
    requests: set[tuple[str, str]]


_PLACES = """
    select load_id, request, source, path, params,
        coalesce(sum(record_count) over (
            partition by load_id, source order by request
            rows between unbounded preceding and 1 preceding
        ), 0) as line_before
    from ledger.requests where status = 200
"""


def stored(layout: Layout) -> Stored:
    """Read what a batch stored."""
    with open_warehouse(layout) as con:

        def query(sql: str) -> list[Row]:
            found = con.execute(sql)
            names = [name for name, *_ in found.description]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]

        con.execute(f"create temp table places as {_PLACES}")
        rows: dict[At, list[Row]] = {}
        for source in MUTATED:
            for row in query(
                f"select path, params, line - line_before - 1 as place, {', '.join(source.columns)}"
                f" from raw.{source.name} anti join raw.superseded using (version_id)"
                f" join (from places where source = '{source.name}') using (load_id, request)"
            ):
                rows.setdefault(_at(source.name, row), []).append(row)
        quarantined = {
            (_at(row["source"], row), row["field"])
            for row in query(
                "select source, path, params, line - line_before - 1 as place, field"
                " from ledger.quarantine join places using (load_id, request, source)"
            )
        }
        requests = {(row["source"], _request(row)) for row in query("from places")}
    return Stored(rows, quarantined, requests)


def _request(row: Row) -> str:
    return f"{row['path']}?{urlencode(json.loads(row['params']))}"


def _at(source: str, row: Row) -> At:
    at = At(source, _request(row), int(row["place"]))
    for name in ("path", "params", "place", "source"):
        row.pop(name, None)
    return at


class Api:
    """An API that can be tampered with, and what a batch stores of it otherwise."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self.tampering = Tampering(emulator.app._app)  # type: ignore[attr-defined]
        emulator.app._app = self.tampering  # type: ignore[attr-defined]
        self.true = self.read({})

    def read(self, changes: dict[str, list[Change]]) -> Stored:
        """Read a first batch with changes, and return what it stored."""
        self.tampering.begin(changes)
        key = {"LEVAIN_API_KEY": self._emulator.world.workspaces[0].api_key}
        with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, key):
            given = load_settings(Path(folder) / "data")
            workspace = msgspec.structs.replace(given.workspaces[0], api=self._emulator.url)
            given = msgspec.structs.replace(
                given, workspaces=(workspace,), extract=Extract(history_days=3)
            )
            layout = Layout(given.data_dir)
            layout.root.mkdir()
            with open_warehouse(layout) as con:
                (outcome,) = asyncio.run(extract_all(con, given, layout, Progress()))
            assert outcome.error is None, outcome.error
            return stored(layout)

    def prove(self, changes: dict[str, list[Change]]) -> None:
        """Read a batch with changes, and compare it with the batch without."""
        found, true, made = self.read(changes), self.true, self.tampering.made
        expected = {
            (at, name) for at, change in made.items() if (name := left_out(change)) is not None
        }
        assert found.quarantined == expected, found.quarantined ^ expected
        unread = {
            row["run_id"]
            for at, change in made.items()
            if at.source == "runs" and _hides_details(change)
            for row in true.rows[at]
        }
        for at, (row,) in true.rows.items():
            if at.source in ("run_costs", "run_log_events") and row["run_id"] in unread:
                continue
            if at.source in OF_ACTIVE_AGENTS and (at.source, at.path) not in found.requests:
                assert changes["agents"] or changes["agent_rollups"]
                continue
            rows = found.rows.pop(at, [])
            change = made.get(at)
            if change is not None and change.value == TWICE and change.field is None:
                rows += self._repeated(found, at)
            self._compare(at, row, rows, change)
        assert found.rows == {}

    def _repeated(self, found: Stored, at: At) -> list[Row]:
        """Return the rows of the repetition of a record, which stand after all others."""
        count = sum(other[:2] == at[:2] for other in self.true.rows)
        twice = [
            each.place for each, change in self.tampering.made.items()
            if each[:2] == at[:2] and change.field is None and change.value == TWICE
        ]  # fmt: skip
        return found.rows.pop(at._replace(place=count + twice.index(at.place)), [])

    def _compare(self, at: At, true: Row, rows: list[Row], change: Change | None) -> None:
        if change is None or change.field is UNKNOWN:
            assert rows == [true], at
            return
        if left_out(change) == "(record)":
            assert rows == [], at
            return
        if change.field is None:  # repeated
            is_unique = SCOPES[at.source] in (Scope.LIST, Scope.RECORD)
            assert rows == [true] * (1 if is_unique else 2), at
            return
        (row,) = rows
        column = change.field.column
        if left_out(change) or change.value in (NULL, MISSING):
            assert row[column] is None, (at, change.field)
        others = true.keys() - {column} - ({"date"} if column == "hour" else set())
        assert {name: row[name] for name in others} == {name: true[name] for name in others}, at


OF_ACTIVE_AGENTS = ("agent_versions", "schedules", "run_counts")
"""Sources that are read of agents only that are known by now, or active."""

SCOPES = {source.name: source.scope for source in SOURCES}


def _hides_details(change: Change) -> bool:
    """Return True if no details are read of a run with this change: it is open, or unknown."""
    is_open = change.field is not None and change.field.column == "status"
    return left_out(change) == "(record)" or is_open


def _changes_of(source: Source) -> st.SearchStrategy[Change]:
    """Changes of a source's records; a record is never made another one of the same kind."""
    values = st.sampled_from([*VALUES, NULL, MISSING])
    identity = source.keys[0] if source.scope in (Scope.LIST, Scope.RECORD) else None
    places = st.integers(0, 20)
    fields = st.builds(Change, places, st.sampled_from([*source.fields, UNKNOWN]), values)
    whole = st.sampled_from([b"5", b'"a text"', b"[]", NULL, DEEP, b"NaN", TWICE, CUT])
    return (fields | st.builds(Change, places, st.none(), whole)).filter(
        lambda change: (
            change.field is None
            or change.field.column != identity
            or not accepts(change.field, change.value)
        )
    )


changes = st.fixed_dictionaries(
    {source.name: st.lists(_changes_of(source), min_size=1, max_size=2) for source in MUTATED}
)


@pytest.fixture(scope="module")
def api() -> Iterator[Api]:
    """A workspace of three days with a record of each kind, on a frozen clock."""
    world = World.empty(1, NOW - timedelta(days=2))
    workspace = world.workspaces[0]
    world.add_provider_key(workspace, "anthropic", "sk-1234")
    agents = [hire_baker(world), world.add_agent(workspace, "Quiet", "quiet")]
    with running(world) as emulator:
        for agent in agents:
            answer = httpx.post(
                f"{emulator.url}/api/v1/agents/{agent.id}/schedules",
                headers={"Authorization": f"Bearer {workspace.api_key}"},
                json={"cron_expr": "0 0 1 1 *", "prompt": "Bread?"},
            )
            assert answer.status_code == 201
        for day in range(3):
            for agent in agents:
                book_run(world, agent, hours_ago=4, cost="0.25")
                book_run(world, agent, hours_ago=3, cost="0.5", status="failed", error="Broke")
            build = world.start_platform_run(workspace, BUILDER)
            world.meter(
                build, model="claude-sonnet-5", provider="anthropic", tokens_in=1, tokens_out=1,
                cost_usd=Decimal("0.125"),
            )  # fmt: skip
            world.finish_run(build)
            if day < 2:
                world.pass_time(timedelta(days=1))
        yield Api(emulator)


def test_each_source_has_records(api: Api) -> None:
    """The workspace has records of every source, so that each can be mutated."""
    assert {at.source for at in api.true.rows} == set(PATHS)
    assert api.true.quarantined == set()


@settings(
    max_examples=4,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(changes)
def test_a_wrong_value_costs_no_more_than_its_record(
    api: Api, changes: dict[str, list[Change]]
) -> None:
    """Whatever an answer holds, all other records are exact, and what is left out is named."""
    api.prove(changes)


@pytest.mark.slow
def test_ten_thousand_mutated_answers(api: Api) -> None:
    """The same, of ten thousand answers."""
    api.tampering.answer_count = 0

    @settings(
        max_examples=10_000, database=None,
        suppress_health_check=list(HealthCheck), phases=[Phase.generate],
    )  # fmt: skip
    @given(changes)
    def prove(changes: dict[str, list[Change]]) -> None:
        if api.tampering.answer_count < 10_000:
            api.prove(changes)

    prove()
    assert api.tampering.answer_count >= 10_000
