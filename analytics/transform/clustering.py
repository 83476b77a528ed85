"""The stretch of a relation in which its touched parts lie: nothing else of it is read.

Rows of runs lie about in the order of their creation, as batches bring them; a header says so by
`clustered: created_at`. DuckDB knows the least and the greatest value of each block, and reads no
block outside of a condition on that column. So a batch that changed days or runs of this week
reads this week of the runs of ten years.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import duckdb

from analytics.transform.models import Header

_DAY = re.compile(r"(?:utc_)?date|date_trunc\('month', (?:utc_)?date\)::date")
RUN = "run_id"
_MOST_RUNS = 300_000  # more are of all times, as where an agent has another name


class Clustering:
    """Conditions on the stretches of the relations that an incremental build reads."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        """Begin with no times of runs: those of a run that is touched are looked up once."""
        self._con = con
        con.execute("""
            create or replace temp table run_times
                (workspace_id varchar, run_id varchar, first_at timestamptz, last_at timestamptz)
        """)

    def of_parts(self, header: Header, parts: Sequence[str]) -> str:
        """Return a condition that holds for all rows of the parts in `temp.touched`; "" for none.

        `header` is that of the relation, and `parts` are the expressions over it that say to which
        part a row belongs.
        """
        if tuple(parts) == (RUN,):
            return self.of_runs(header, "select workspace_id, part as run_id from temp.touched")
        if not header.clustered or not all(_DAY.fullmatch(each) for each in parts):
            return ""
        # A day of any time zone begins and ends within a day of that of UTC.
        days = 33 if any("month" in each for each in parts) else 2
        return self._between(
            header.clustered,
            f"{_created('min(part)')} - interval 1 day,"
            f" {_created('max(part)')} + interval {days} day from temp.touched",
        )

    def of_runs(self, header: Header, runs: str) -> str:
        """Return a condition that holds for all rows of runs; "" for none.

        `runs` is a SELECT of `workspace_id` and `run_id`.
        """
        if not header.clustered:
            return ""
        ((count,),) = self._con.execute(
            f"create or replace temp table looked_up_runs as select distinct * from ({runs})"
        ).fetchall()
        if count > _MOST_RUNS:
            return ""
        # A version that is replaced may have another time.
        self._con.execute("""
            insert into run_times
            with new as (
                from temp.looked_up_runs anti join temp.run_times using (workspace_id, run_id)
            )
            select workspace_id, run_id, min(created_at), max(created_at)
            from new left join raw.runs using (workspace_id, run_id)
            group by all
        """)
        return self._between(
            header.clustered,
            "min(first_at), max(last_at)"
            " from temp.run_times semi join temp.looked_up_runs using (workspace_id, run_id)",
        )

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
