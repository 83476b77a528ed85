"""The stored state of one workspace, as the extract queries it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from analytics.warehouse.landed import CLOSING_STEP, LIST_SNAPSHOTS, SUFFIX
from analytics.warehouse.load import Loaded, load_folder
from analytics.warehouse.pending_details import FOUND, SOURCES
from analytics.warehouse.reading import SNAPSHOT_COLUMNS, ndjson
from analytics.warehouse.sources import MOST_RUNS_APART, OPEN, RUNS, TERMINAL, TERMINAL_STATUSES

# Agents that were ever heard of, from each place that names them.
_AGENTS_HEARD_OF = """
    select agent_id from raw.agents where {mine}
    union select agent_id from raw.agent_rollups where {mine} and agent_id is not null
    union select agent_id from ledger.list_snapshots where {mine} and agent_id is not null
"""

_IS_GONE = """
    agent_id not in (
        select agent_id from raw.agents anti join raw.superseded using (version_id) where {mine}
    )
"""
_IS_ANSWERED = f"coalesce(status = 200 or status = 404 and {_IS_GONE}, false)"
_AS_TEXT = "strftime({} at time zone 'UTC', '%Y-%m-%dT%H:%M:%S.%f+00:00')"
_WINDOWS = "from ledger.requests where {mine} and source = $source and status = 200"

_WRONG_COUNTS = """
    select agent_id, rollups.date
    from (
        select agent_id, date, sum(run_count) as run_count, max(seen_at) as seen_at
        from raw.agent_rollups anti join raw.superseded using (version_id)
        where {mine} and agent_id is not null and date >= $first group by all
    ) as rollups
    left join (
        select agent_id, date, sum(run_count) as run_count
        from raw.run_counts anti join raw.superseded using (version_id)
        where {mine} and date >= $first group by all
    ) as counts using (agent_id, date)
    left join (
        select agent_id, max(fetched_at) as answered_at from ledger.requests
        where {mine} and source = 'run_counts' and status = 200 group by all
    ) as answers using (agent_id)
    where abs(rollups.run_count - coalesce(counts.run_count, 0)) > $most_apart
        or (
            rollups.run_count > coalesce(counts.run_count, 0)
            and coalesce(rollups.seen_at > answers.answered_at, true)
        )
"""

# Of agent-days, of UTC days in `[$first, $end)`, by measure in its unit: cost, tokens, and the runs
# of each status in which a run can end. Each cost was rounded to ten decimals, so that half a unit
# for each row is ignored.
_DIFFERENCES = f"""
    with by_status as (
        select agent_id, (created_at at time zone 'UTC')::date as date, status,
            sum(cost_usd) as cost_usd,
            sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens,
            count(*) as run_count
        from raw.runs anti join raw.superseded using (version_id)
        where {{mine}} and agent_id is not null
            and created_at >= $first::timestamptz and created_at < $end::timestamptz
        group by all
    ),
    listed as (
        select agent_id, date, sum(cost_usd) as cost_usd, sum(tokens) as tokens,
            sum(run_count) as run_count
        from by_status group by all
    ),
    rolled_up as (
        select agent_id, date, sum(cost_usd) as cost_usd,
            sum(coalesce(tokens_in, 0) + coalesce(tokens_out, 0)) as tokens
        from raw.agent_rollups anti join raw.superseded using (version_id)
        where {{mine}} and agent_id is not null
            and date >= $first and date < $end
        group by all
    ),
    counted as (
        select agent_id, date, status, sum(run_count) as run_count
        from raw.run_counts anti join raw.superseded using (version_id)
        where {{mine}} and date >= $first and date < $end
        group by all
    ),
    found as (
        select agent_id, date, 'cost_usd' as measure,
            coalesce(rolled_up.cost_usd, 0) - coalesce(listed.cost_usd, 0) as difference,
            0.00000000005 * (coalesce(listed.run_count, 0) + 1) as least
        from listed full join rolled_up using (agent_id, date)
        union all
        select agent_id, date, 'tokens',
            coalesce(rolled_up.tokens, 0) - coalesce(listed.tokens, 0), 0
        from listed full join rolled_up using (agent_id, date)
        union all
        select agent_id, date, status,
            coalesce(counted.run_count, 0) - coalesce(by_status.run_count, 0), 0
        from by_status full join counted using (agent_id, date, status)
        where status in {TERMINAL_STATUSES}
            and (agent_id, date) in (select agent_id, date from counted)
    )
    select agent_id, date, measure, difference::decimal(38, 10) as difference
    from found where abs(difference) > least
"""

_GIVEN_DAYS = "select unnest($agents::varchar[]), unnest($days::date[])"


@dataclass(frozen=True, slots=True)
class Watermark:
    """The newest row of a list's last snapshot; `run_id` is None if the list was empty."""

    run_id: str | None
    created_at: str | None


class WarehouseStore:
    """The stored state of a workspace, in an open warehouse."""

    def __init__(self, con: duckdb.DuckDBPyConnection, workspace_id: str) -> None:
        self._con = con
        self._workspace_id = workspace_id

    def begin(self, api: str | None, api_key_env: str | None) -> None:
        """Record the API's address and the setting that names the key; a rebuild passes neither."""
        if not self._rows("select 1 from ledger.workspaces where {mine}"):
            self._rows("insert into ledger.workspaces (workspace_id) values ($workspace_id)")
        self._rows(
            "update ledger.workspaces set api = $api, api_key_env = $api_key_env where {mine}",
            api=api,
            api_key_env=api_key_env,
        )

    def load(self, folder: Path) -> Loaded:
        """Load a landing folder; loading one twice changes nothing."""
        return load_folder(self._con, folder)

    def has_runs(self) -> bool:
        """Return True if any run list was ever read."""
        return bool(self._rows("select 1 from ledger.list_snapshots where {mine} limit 1"))

    def known_runs(self, run_ids: Sequence[str]) -> set[str]:
        """Return those of these runs that are stored."""
        known = "select run_id from raw.runs where {mine} and run_id in (select unnest($run_ids))"
        return {*self._column(known, run_ids=list(run_ids))}

    def lists_in(self, load: Path) -> tuple[Watermark | None, set[str]]:
        """Return the end of the unfiltered list in a load that is not loaded, and its runs."""
        ends, run_ids = [], set[str]()
        if (file := load / (LIST_SNAPSHOTS + SUFFIX)).exists():
            lists = ndjson(file, SNAPSHOT_COLUMNS)
            ends = self._con.execute(
                f"select newest_run_id, newest_created_at from {lists} where agent_id is null"
            ).fetchall()
        if (file := load / (RUNS.name + SUFFIX)).exists():
            runs = ndjson(file, {"record": "STRUCT(id VARCHAR)"})
            found = self._con.execute(f"select distinct record.id from {runs}").fetchall()
            run_ids = {run_id for (run_id,) in found}
        return Watermark(*ends[-1]) if ends else None, run_ids

    def agent_ids(self) -> set[str]:
        """Return all agents that any stored record names."""
        return {*self._column(_AGENTS_HEARD_OF)}

    def watermarks(self) -> dict[str | None, Watermark]:
        """Return the end of each list's last snapshot; None is the key of the unfiltered list."""
        rows = self._rows(f"""
            select agent_id, arg_max(newest_run_id, rowid),
                {_AS_TEXT.format("arg_max(newest_created_at, rowid)")}
            from ledger.list_snapshots where {{mine}} group by agent_id
        """)
        return {agent_id: Watermark(run_id, created_at) for agent_id, run_id, created_at in rows}

    def refused_lists(self) -> dict[str, Watermark]:
        """Return the agents whose list was last refused, and the end of what is known of each.

        Snapshots that an unfiltered one implied since prove nothing about what was not read.
        """
        rows = self._rows(f"""
            select agent_id, newest_run_id, {_AS_TEXT.format("newest_created_at")}
            from ledger.list_snapshots
            where {{mine}} and row_count = 0 and not is_contiguous and agent_id in (
                select agent_id from ledger.requests
                where {{mine}} and source = 'runs' and agent_id is not null
                group by agent_id
                having arg_max(status <> 200 and not (status = 404 and {_IS_GONE}), rowid)
            )
            qualify row_number() over (partition by agent_id order by rowid desc) = 1
        """)
        return {agent_id: Watermark(run_id, created_at) for agent_id, run_id, created_at in rows}

    def days_read(self, source: str, days_after: int) -> set[date]:
        """Return the UTC days of a windowed source that were read so many days after, or later."""
        return {
            *self._column(
                f"""
                select distinct date from (
                    select fetched_at, unnest(generate_series(window_start,
                        window_end - interval 1 day, interval 1 day))::date as date
                    {_WINDOWS}
                ) where fetched_at >= date + to_days($days_after)
                """,
                source=source,
                days_after=days_after,
            )
        }

    def first_day_read(self, source: str) -> date | None:
        """Return the oldest UTC day of a windowed source that was ever read."""
        first: date | None = self._one(f"select min(window_start) {_WINDOWS}", source=source)
        return first

    def counted_on(self) -> dict[str, tuple[date, date | None]]:
        """Return the UTC days on which each agent's count was last asked for, and last answered."""
        rows = self._rows("""
            select agent_id, max(fetched_at)::date, (max(fetched_at) filter (status = 200))::date
            from ledger.requests
            where {mine} and source = 'run_counts' group by agent_id
        """)
        return {agent_id: (asked, answered) for agent_id, asked, answered in rows}

    def first_wrong_count(self, first: date) -> dict[str, date]:
        """Return the oldest UTC day from `first` on that is to be counted again, by agent.

        Open runs were counted on it, or the agent's roll-up has more runs than were counted. A
        roll-up that has not changed since the agent's last count is left out, unless so many
        runs lie between both, whichever has more, that they may stop publishing.
        """
        return dict(
            self._rows(
                f"""
                select agent_id, min(date)
                from (
                    select agent_id, date
                    from raw.run_counts anti join raw.superseded using (version_id)
                    where {{mine}} and date >= $first and run_count > 0
                        and status not in {TERMINAL_STATUSES}
                    union all
                    ({_WRONG_COUNTS})
                )
                group by agent_id
                """,
                first=first,
                most_apart=MOST_RUNS_APART,
            )
        )

    def counted_from(self) -> dict[str, date]:
        """Return the oldest UTC day for which each agent's runs were ever counted."""
        counts = f"select agent_id, min(window_start) {_WINDOWS} group by agent_id"
        return dict(self._rows(counts, source="run_counts"))

    def agents_active_on(self) -> dict[str, date]:
        """Return the last UTC day on which each agent started runs, by the API's own totals."""
        return dict(
            self._rows("""
                select agent_id, max(date)
                from raw.agent_rollups anti join raw.superseded using (version_id)
                where {mine} and agent_id is not null group by agent_id
            """)
        )

    def provisional_runs(self) -> list[str]:
        """Return runs that are open, or ended too recently to be final."""
        return self._column("select run_id from ledger.provisional_runs where {mine} order by 1")

    def given_up_runs(self) -> dict[str, str]:
        """Return open runs that this batch found to be gone, with the last status of each."""
        gone = self._rows(
            f"""
            select run_id, status
            from raw.runs anti join raw.superseded using (version_id)
            where {{mine}} and status not in {TERMINAL_STATUSES} and run_id in (
                select run_id from ledger.requests
                where {{mine}} and load_id > $closed and source = 'runs' and status = 404
            ) and run_id not in (select run_id from ledger.provisional_runs where {{mine}})
            order by run_id
            """,
            closed=self._closed(),
        )
        return dict(gone)

    def differing_agent_days(self, first: date, end: date) -> list[tuple[str, date]]:
        """Return agent-days, of UTC days in `[first, end)`, that differ otherwise than recorded.

        The stored runs and the API's own totals are compared.
        """
        return self._rows(
            f"""
            select distinct agent_id, date
            from ({_DIFFERENCES})
            anti join (from ledger.api_differences where {{mine}})
                using (agent_id, date, measure, difference)
            order by all
            """,
            first=first,
            end=end,
        )

    def runs_of(self, agent_days: Sequence[tuple[str, date]]) -> list[str]:
        """Return the stored runs that agents started on UTC days."""
        return self._column(
            f"""
            select run_id from raw.runs anti join raw.superseded using (version_id)
            where {{mine}}
                and (agent_id, (created_at at time zone 'UTC')::date) in ({_GIVEN_DAYS})
            """,
            **_given(agent_days),
        )

    def record_api_differences(
        self, agent_days: Sequence[tuple[str, date]], first: date, end: date
    ) -> None:
        """Record what remains of these agent-days' differences, so that no batch looks again."""
        given = _given(agent_days)
        of_these = f"(agent_id, date) in ({_GIVEN_DAYS})"
        self._rows(f"delete from ledger.api_differences where {{mine}} and {of_these}", **given)
        self._rows(
            f"""
            insert into ledger.api_differences
            select $workspace_id, agent_id, date, measure, difference
            from ({_DIFFERENCES}) where {of_these}
            """,
            first=first,
            end=end,
            **given,
        )

    def collect_pending_details(self) -> int:
        """Collect the details of ended runs to read, of the newest first; return their number.

        Runs whose details the API failed to return before come last, so that they delay no other.
        """
        count: int = self._one(f"""
            create or replace temp table collected_details as
            with failed as (
                select distinct run_id from ledger.requests
                where {{mine}} and list_contains({SOURCES}, source) and status is distinct from 200
            ),
            found as (
                select run_id, source, created_at, failed.run_id is not null as failed_before
                from ({FOUND}) as found left join failed using (run_id)
                where not is_settled
            )
            select row_number() over () - 1 as place, run_id, source
            from (from found order by failed_before, created_at desc, run_id, source)
        """)
        return count

    def collected_details(self, places: Sequence[int]) -> list[tuple[str, str]]:
        """Return the run and the source of the collected details at these places."""
        return self._con.execute(
            "select run_id, source from collected_details"
            " where place in (select unnest(?)) order by place",
            [list(places)],
        ).fetchall()

    def agents_with_unread_versions(self) -> list[str]:
        """Agents whose versions are to be read, those that the API failed to give before last.

        The API was not asked for them since the agent was first heard of, its record changed, or a
        run of this batch named a version that is not stored; or it failed to answer. A 404 is an
        answer where the agent is no longer in the list.
        """
        return self._column(
            f"""
            with asked as (
                select agent_id, load_id, {_IS_ANSWERED} as is_answered
                from ledger.requests where {{mine}} and source = 'agent_versions'
            ),
            runs as (
                select agent_id, agent_version, load_id from raw.runs
                where {{mine}} and load_id > $closed
                    and agent_id is not null and agent_version is not null
            ),
            stored as (
                select agent_id, agent_version from raw.agent_versions where {{mine}}
            ),
            due as (
                select agent_id, '' as load_id from ({_AGENTS_HEARD_OF})
                union all
                select agent_id, load_id from raw.agents where {{mine}}
                union all
                select agent_id, load_id from runs anti join stored using (agent_id, agent_version)
                union all
                select agent_id, load_id from asked where not is_answered
            )
            select agent_id
            from (select agent_id, max(load_id) as load_id from due group by agent_id) as latest
            where not exists (
                select 1 from asked
                where is_answered and asked.agent_id = latest.agent_id
                    and asked.load_id > latest.load_id
            )
            order by agent_id in (select agent_id from asked where not is_answered), agent_id
            """,
            closed=self._closed(),
        )

    def agents_with_unread_schedules(self) -> list[str]:
        """Agents that have runs since schedules were last read, or whose own were not answered.

        A 404 is an answer where the agent is no longer in the list.
        """
        return self._column(f"""
            with asked as (
                select agent_id, load_id, {_IS_ANSWERED} as is_answered
                from ledger.requests where {{mine}} and source = 'schedules'
            )
            select agent_id from raw.runs
            where {{mine}} and agent_id is not null
                and load_id > (select coalesce(max(load_id), '') from asked)
            union
            select agent_id from asked
            group by agent_id having not arg_max(is_answered, load_id)
            order by agent_id
        """)

    def unknown_statuses(self) -> dict[str, int]:
        """Return the number of runs by status, for each status that is unknown to this release."""
        unknown = self._rows(
            """
            select status, count(*)
            from raw.runs anti join raw.superseded using (version_id)
            where {mine} and not list_contains($known, status)
                and run_id in (select run_id from ledger.provisional_runs where {mine})
            group by status order by status
            """,
            known=[*OPEN, *TERMINAL],
        )
        return dict(unknown)

    def _closed(self) -> str:
        """Return the load that completed the last batch."""
        loads = f"ledger.loads where {{mine}} and step = '{CLOSING_STEP}'"
        return str(self._one(f"select coalesce(max(load_id), '') from {loads}"))

    def _one(self, sql: str, **values: Any) -> Any:
        ((value,),) = self._rows(sql, **values)
        return value

    def _column(self, sql: str, **values: Any) -> list[Any]:
        return [value for (value,) in self._rows(sql, **values)]

    def _rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Run SQL; `{mine}` selects the rows of this workspace."""
        sql = sql.replace("{mine}", "workspace_id = $workspace_id")
        return self._con.execute(sql, values | {"workspace_id": self._workspace_id}).fetchall()


def _given(agent_days: Sequence[tuple[str, date]]) -> dict[str, list[Any]]:
    """Return the values of `_GIVEN_DAYS`."""
    return {
        "agents": [agent_id for agent_id, _ in agent_days],
        "days": [day for _, day in agent_days],
    }
