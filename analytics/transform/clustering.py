"""The stretch of a relation in which its touched parts lie: nothing else of it is read.

Rows of runs lie about in the order of their creation, as batches bring them; a header says so by
`clustered: created_at`, of rows of sessions by `clustered: first_run_at`. DuckDB knows the least
and the greatest value of each block, and reads no block outside of a condition on that column. So a
batch that changed days, runs or sessions of this week reads this week of the runs of ten years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from analytics.transform.changes import WORKSPACE, Changes
from analytics.transform.models import Header

_DAY = re.compile(r"(?:utc_)?date|date_trunc\('month', (?:utc_)?date\)::date")
RUN, SESSION = "run_id", "session_id"
_FIRST_RUNS = "intermediate.int_first_runs"
_MOST = 300_000  # more are of all times, as where an agent has another name


class Clustering:
    """Conditions on the stretches of the relations that an incremental build reads."""

    def __init__(self, con: duckdb.DuckDBPyConnection, changes: Changes) -> None:
        """Look up when the runs of changed sources were created: of each run, that is done once."""
        self._con = con
        self._changes = changes
        for column in (RUN, SESSION):
            con.execute(f"""
                create or replace temp table {column}_times
                    (workspace_id varchar, {column} varchar, first_at timestamptz,
                    last_at timestamptz)
            """)
        if changed := changes.holding(RUN):
            rows = (changes.rows(name, (WORKSPACE, RUN)) for name in changed)
            self._look_up(RUN, " union all ".join(rows))

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

        `rows` is a SELECT of `workspace_id` and `column`, RUN or SESSION.
        """
        if not header.clustered or not self._look_up(column, rows):
            return ""
        return self._between(
            header.clustered,
            f"min(first_at), max(last_at) from temp.{column}_times"
            f" semi join temp.looked_up using ({WORKSPACE}, {column})",
        )

    def _look_up(self, column: str, rows: str) -> bool:
        """Find out when runs, or the runs of sessions, were created; False if they are too many."""
        key = f"{WORKSPACE}, {column}"
        ((count,),) = self._con.execute(
            f"create or replace temp table looked_up as select distinct {key} from ({rows})"
        ).fetchall()
        if count > _MOST:
            return False
        self._con.execute(f"""
            insert into {column}_times
            with new as (from temp.looked_up anti join temp.{column}_times using ({key}))
            select {key}, min(first_at), max(last_at)
            from new left join ({self._times(column)}) using ({key})
            group by all
        """)
        return True

    def _times(self, column: str) -> str:
        """Return a SELECT of the first and last times of all runs, or of the runs of sessions."""
        # A version of a run that is replaced may have another time.
        created = "created_at as first_at, created_at as last_at"
        if column == RUN:
            return f"select {WORKSPACE}, {RUN}, {created} from raw.runs"
        # A session that loses its runs, or gains its first one, is in the changed rows alone.
        times = "first_run_at as first_at, last_run_at as last_at"
        selects = [f"select {WORKSPACE}, {SESSION}, {times} from {_FIRST_RUNS}"]
        for name, expressions in (("raw.runs", created), (_FIRST_RUNS, times)):
            if name in self._changes.holding(SESSION):
                selects.append(self._changes.rows(name, (WORKSPACE, SESSION, expressions)))
        return " union all ".join(selects)

    def _between(self, column: str, times: str) -> str:
        """Return a condition with the times as they are: DuckDB does not push down a subquery."""
        ((first, last),) = self._con.execute(
            f"select columns(*)::timestamptz::varchar from (select {times})"
        ).fetchall()
        return f"{column} between '{first}' and '{last}'" if first else "false"


def _created(day: str) -> str:
    """Return SQL of the next day on which a run may have been created: a load takes no other.

    A day of the API's sums may be millions of years away.
    """
    return f"least(greatest({day}, '2000-01-01'), '2100-01-01')"
