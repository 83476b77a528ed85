"""The stretch of a relation in which its touched parts lie: nothing else of it is read.

Rows of runs lie about in the order of their creation, as batches bring them; a header says so by
`clustered: created_at`, of rows of sessions by `clustered: first_run_at`. DuckDB knows the least
and the greatest value of each block, and reads no block outside of a condition on that column. So a
batch that changed days, runs or sessions of this week reads this week of the runs of ten years.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence

import duckdb

from analytics.transform.changes import ANY, SHARED, WORKSPACE, Changes
from analytics.transform.models import Header

_DAY = re.compile(r"(?:utc_)?date|date_trunc\('month', (?:utc_)?date\)::date")
RUN, SESSION = "run_id", "session_id"
_RUNS = "raw.runs"
_MOST = 300_000  # more are of all times, as where an agent has another name


class Clustering:
    """Conditions on the stretches of the relations that an incremental build reads."""

    def __init__(self, con: duckdb.DuckDBPyConnection, changes: Changes) -> None:
        """Look up when the runs, and those of the sessions, in changed sources were created.

        Each is looked up once. Where runs came or went that no load brought or replaced, there is
        no condition: those that went have no time.
        """
        self.con = con
        # By the column of a condition, and the SELECT of what it is of.
        self._conditions: dict[tuple[str, str], str] = {}
        self._is_known = _RUNS not in changes or changes[_RUNS] != ANY
        for column in (RUN, SESSION):
            con.execute(f"""
                create or replace table {_times_of(column)}
                    (workspace_id varchar, {column} varchar, first_at timestamptz,
                    last_at timestamptz)
            """)
            if changed := changes.holding(column):
                rows = (changes.rows(name, (WORKSPACE, column)) for name in changed)
                self._look_up(column, " union all ".join(rows))

    def on(self, con: duckdb.DuckDBPyConnection) -> Clustering:
        """Return the same, with the times that either looks up, for another connection."""
        other = copy.copy(self)
        other.con = con
        other.forget_conditions()
        return other

    def forget_conditions(self) -> None:
        """Make conditions anew: the touched parts are others now."""
        self._conditions = {}

    def of_parts(self, header: Header, parts: Sequence[str]) -> str:
        """Return a condition that holds for all rows of the parts in `temp.touched`; "" for none.

        `header` is that of the relation, and `parts` are the expressions over it that say to which
        part a row belongs.
        """
        for column in (RUN, SESSION):
            if tuple(parts) == (column,):
                touched = f"select {WORKSPACE}, part as {column} from temp.touched"
                return self.of(header, column, touched)
        if not header.clustered or not all(_DAY.fullmatch(each) for each in parts):
            return ""
        # A day of any time zone begins and ends within a day of that of UTC.
        days = 33 if any("month" in each for each in parts) else 2
        return self._between(
            header.clustered,
            f"{_created('min(part)')} - interval 1 day,"
            f" {_created('max(part)')} + interval {days} day from temp.touched",
        )

    def of(self, header: Header, column: str, rows: str) -> str:
        """Return a condition that holds for all rows of runs, or of sessions; "" for none.

        `rows` is a SELECT of `workspace_id` and `column`, RUN or SESSION; `header` is that of a
        relation of runs, or of what has the time of the first run of each session.
        """
        if not header.clustered or not self._is_known:
            return ""
        key = header.clustered, rows
        if key not in self._conditions:
            times = (
                f"min(first_at), max(last_at) from {_times_of(column)}"
                f" semi join temp.looked_up using ({WORKSPACE}, {column})"
            )
            is_looked_up = self._look_up(column, rows)
            self._conditions[key] = self._between(header.clustered, times) if is_looked_up else ""
        return self._conditions[key]

    def _look_up(self, column: str, rows: str) -> bool:
        """Find out when runs, or those of sessions, were created; False if they are too many.

        All versions count: one that was replaced may have another time, or another session.
        """
        key = f"{WORKSPACE}, {column}"
        ((count,),) = self.con.execute(
            f"create or replace temp table looked_up as select distinct {key} from ({rows})"
        ).fetchall()
        if count > _MOST:
            return False
        self.con.execute(f"""
            insert into {_times_of(column)}
            with new as (from temp.looked_up anti join {_times_of(column)} using ({key}))
            select {key}, min(created_at), max(created_at)
            from new left join {_RUNS} using ({key})
            group by all
        """)
        return True

    def _between(self, column: str, times: str) -> str:
        """Return a condition with the times as they are: DuckDB does not push down a subquery."""
        ((first, last),) = self.con.execute(
            f"select columns(*)::timestamptz::varchar from (select {times})"
        ).fetchall()
        return f"{column} between '{first}' and '{last}'" if first else "false"


def _times_of(column: str) -> str:
    """Return the table of the times that were looked up. Where two looked up one, it is twice."""
    return f"{SHARED}.{column}_times"


def _created(day: str) -> str:
    """Return SQL of the next day on which a run may have been created: a load takes no other.

    A day of the API's sums may be millions of years away.
    """
    return f"least(greatest({day}, '2000-01-01'), '2100-01-01')"
