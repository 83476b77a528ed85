"""Notes on a pack: how its amounts add up, and the state of each workspace's data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.format import numbers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    import duckdb


class Note(NamedTuple):
    """A term, and its meaning."""

    term: str
    meaning: str


_READING = (
    Note(
        "How it adds up",
        "The books are kept in UTC months of the meter, as the bill is. In each line "
        "metered_cost_usd + surcharge_usd - own_key_usd = billed_usd, where unknown_bill_count is "
        "0: it counts days whose bill or cost is unknown. The lines add up to the bill by provider "
        "and by cost center, to the last digit. Nothing is rounded but where it is shown, and in "
        "the journal.",
    ),
    Note(
        "Journal",
        "Amounts are whole cents. Parts of a cent go to the largest remainders of an entry, so "
        "that it balances; what rounding leaves at an account and cost center of a workspace is "
        "carried forward until it is a cent.",
    ),
    Note(
        "Runs beside the amounts",
        "Runs, their outcomes, their cost (cost_usd) and the cost of failed ones are of the "
        "runs created in the month, in the reporting time zone; metered cost, bill and tokens are "
        "of the requests of its UTC days. The statement leads from one to the other.",
    ),
    Note(
        "Total to book",
        "The month's lines, and the adjustments of earlier, closed months that it books.",
    ),
    Note("An empty cell", "Unknown, or not reported by the API; never 0."),
    Note(
        "Owners",
        "Owner and cost center are those of the agent on the day, by finance/owners.csv: an agent "
        "that changed hands within the month has a line for each owner. (none) is a line without "
        "one.",
    ),
)
_STATUS = {
    "open": "open: the month is not over, or some of its days may still change; provisional",
    "incomplete": "incomplete: the days before the first one that was read are missing",
    "final": "final: every day was read, is over and may change no more",
    "closed": "closed: booked; a later change is an adjustment of the next open month",
}
_WORKSPACES = """
    select
        w.workspace_name,
        w.workspace_id,
        w.last_batch_at,
        w.reporting_timezone,
        m.status,
        m.first_date,
        coalesce(m.open_count, 0),
        coalesce(m.provisional_count, 0),
        coalesce(m.unreconciled_day_count, 0),
        m.unexplained_usd,
        l.load_id,
        l.code_version
    from marts.dim_workspaces as w
    left join marts.dim_months as m on m.workspace_id = w.workspace_id and m.month = $month
    left join (
        select workspace_id, max(load_id) as load_id, arg_max(code_version, load_id) as code_version
        from audit.loads
        group by workspace_id
    ) as l on l.workspace_id = w.workspace_id
    order by w.workspace_name, w.workspace_id
"""


def notes(con: duckdb.DuckDBPyConnection, month: date, *, is_closed: bool) -> list[Note]:
    """Return notes on the files of a month; `is_closed` if it is just being closed."""
    return [*_READING, *_data_of_workspaces(con, month, is_closed=is_closed)]


def _data_of_workspaces(
    con: duckdb.DuckDBPyConnection, month: date, *, is_closed: bool
) -> Iterator[Note]:
    """Yield the cut-off of each workspace's data, and the reasons why they may still change."""
    for (
        name, workspace_id, last_batch_at, timezone, status, first_date,
        open_count, provisional_count, unreconciled_day_count, unexplained_usd, load_id,
        code_version,
    ) in con.execute(_WORKSPACES, {"month": month}).fetchall():  # fmt: skip
        facts = [
            _STATUS.get("closed" if is_closed else status, "no figures of this month"),
            f"first UTC day read {first_date}" if first_date else "",
            f"{numbers.plural(open_count, 'open run')}" if open_count else "",
            f"{numbers.plural(provisional_count, 'provisional run')}" if provisional_count else "",
            f"{numbers.plural(unreconciled_day_count, 'unreconciled day')}"
            if unreconciled_day_count
            else "",
            f"unexplained {numbers.usd_exact(unexplained_usd)} US dollars"
            if unexplained_usd
            else "",
            f"data cut-off {last_batch_at:%Y-%m-%d %H:%M:%S} UTC" if last_batch_at else "",
            f"days and months in {timezone}",
            f"last load {load_id}, by levain-analytics {code_version}" if load_id else "",
            f"workspace_id {workspace_id}",
        ]
        yield Note(f"Workspace {name}", "; ".join(fact for fact in facts if fact) + ".")
