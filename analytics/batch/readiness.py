"""Reasons not to close a month: it is not its turn, or its figures may still change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analytics.errors import ControlError, UsageError
from analytics.files import folder
from analytics.finance.books.entries import WorkspaceState, first_day
from analytics.finance.books.reading import CLOSINGS, require_known
from analytics.finance.load import FOLDER, hash_files
from analytics.finance.tables import read_accounts
from analytics.format import days, numbers
from analytics.format.names import ALL, told_apart
from analytics.warehouse.database import records

if TYPE_CHECKING:
    import duckdb

    from analytics.finance.books.reading import Books
    from analytics.settings import Settings

_SHOWN = 3  # workspaces in a message
_COUNTS = {
    "open day": "open_day_count",
    "open run": "open_run_count",
    "provisional run": "provisional_run_count",
    "unreconciled day": "unreconciled_day_count",
}


# What moves between owners is the sum of what they get; other changes are net.
_CHANGES = r"""
    select
        usage_month,
        cause,
        sum(if(cause = 'owner_changed', greatest(difference_metered_cost_usd, 0),
            difference_metered_cost_usd)) as cost_usd,
        sum(if(cause = 'owner_changed', greatest(difference_billed_usd, 0),
            difference_billed_usd)) as billed_usd,
        sum(if(cause = 'owner_changed', greatest(difference_run_count, 0),
            difference_run_count))::bigint as run_count
    from marts.fct_period_adjustments
    where booked_month = $1 and not is_booked
    group by usage_month, cause
    order by usage_month, cause
"""


def month_of_figures(con: duckdb.DuckDBPyConnection, text: str) -> date:
    """Return the first day of a month (`2026-10`); UsageError if it has no figures."""
    try:
        day = first_day(text)
    except ValueError:
        raise UsageError(f"{text} is no month: write it as 2026-10.") from None
    if not con.execute("select 1 from marts.dim_months where month = ?", [day]).fetchone():
        raise UsageError(f"There are no figures of {text}.\n`analytics status` says what is there.")
    return day


def require_closable(
    con: duckdb.DuckDBPyConnection,
    books: Books,
    settings: Settings,
    month: date,
    now: datetime,
    *,
    early: bool,
) -> tuple[list[WorkspaceState], list[str]]:
    """Return the state of a month by workspace, and why its published figures may still change.

    UsageError if it has not ended, if it is not its turn, or if they are not of books, files and
    time zone as these are; ControlError if they may change, unless `early`, or if they failed a
    check.
    """
    require_published_books(con, books)
    _require_zone(con, settings.reporting.timezone)
    require_turn(books, month)
    require_ended(month, now)
    states, grace = states_of(con, month), settings.finance.grace_days
    own_keys = books_own_keys(settings.project)
    reasons = early_reasons(states, month, grace, with_own_keys=own_keys)
    if reasons and not early:
        raise ControlError(
            f"{month:%Y-%m} may still change: {_in_words(reasons)}.\nWait for a later batch; or"
            " close it with --early, which everything that is made will say."
        )
    failed = con.execute(
        "select check_name from audit.check_results where is_blocking order by check_name"
    ).fetchall()
    if failed:
        names = ", ".join(name for (name,) in failed)
        raise ControlError(
            f"Nothing was closed: the published figures failed {names}.\n"
            "`analytics status` says more, and docs/operations.md what to do."
        )
    _require_files(con, settings.project)
    return states, reasons


def changes_of_closed_months(con: duckdb.DuckDBPyConnection, month: date) -> Iterator[str]:
    """Yield a line for each cause for which the close of this month changes an earlier one."""
    for row in records(con, _CHANGES, [month]):
        is_move = row["cause"] == "owner_changed"
        amount = numbers.usd if is_move else numbers.usd_signed
        runs = f"{row['run_count']:{'' if is_move else '+'},}"
        yield (
            f"{month:%Y-%m} books a change of {row['usage_month']:%Y-%m}, which is closed:"
            f" {row['cause']}{', moved' if is_move else ''}: cost {amount(row['cost_usd'])},"
            f" billed {amount(row['billed_usd'])}, runs {runs}"
        )


def _require_zone(con: duckdb.DuckDBPyConnection, zone: str) -> None:
    published = con.execute("select reporting_timezone from marts.dim_workspaces").fetchone()
    if published and published[0] != zone:
        raise UsageError(
            f"The published figures are of the time zone {published[0]}, not of {zone} (timezone in"
            " [reporting]).\nRun `analytics nightly`, look at the figures, and close them then."
        )


def require_ended(month: date, now: datetime) -> None:
    """Raise UsageError unless the month has ended by this machine's clock.

    The API's clock may be ahead.
    """
    if now < (end := _end_of(month)):
        raise UsageError(
            f"{days.month_in_words(month)} has not ended: this machine's clock says"
            f" {now:%Y-%m-%d %H:%M} UTC.\nA month can be closed from {end:%Y-%m-%d} 00:00 UTC,"
            " with --early during its grace days."
        )


def require_turn(books: Books, month: date) -> None:
    """Raise UsageError unless the month is the next to close, or the first of all."""
    name = days.month_in_words(month)
    if closing := books.in_force.get(month):
        raise UsageError(
            f"{name} is closed already, as revision {closing.entry.revision}.\n"
            "A later change is booked in the next month; --reopen opens the last closed one again."
        )
    if not books.closings:
        return
    first, last = books.closings[0].entry.first_day, books.last_month
    if month < first or (last and month < last):
        raise UsageError(
            f"{name} is earlier than a closed month: months close in order."
            f"\nThe books begin with {days.month_in_words(first)}."
            if last
            else f"{name} is before the books: they begin with {days.month_in_words(first)}, which"
            " was closed once.\nClose that first."
        )
    turn = first
    while turn in books.in_force:
        turn = _next(turn)
    if turn < month:
        name = days.month_in_words(turn)
        raise UsageError(f"{name} is open: months close in order.\nClose it first.")


def require_not_kept(con: duckdb.DuckDBPyConnection, month: date) -> None:
    """Raise UsageError if the books alone have lines of the month: a new close would lose them.

    `con` has the marts.
    """
    if kept := [workspace for each, workspace in kept_months(con) if each == month]:
        raise UsageError(
            f"{month:%Y-%m} cannot be reopened: what was landed of {_in_words(kept)} is gone.\nThe"
            " next close would lack it. Put it back in landing/ and run `analytics rebuild`; or let"
            " the month stay, and correct it by entries of your own."
        )


def kept_months(con: duckdb.DuckDBPyConnection) -> list[tuple[date, str]]:
    """Return closed months that stay as the books have them, each with the workspace's name."""
    known = con.execute("select workspace_id, workspace_name from marts.dim_workspaces")
    labels = told_apart(dict(known.fetchall()))
    found = con.execute("""
        select month, workspace_id
        from marts.dim_months join marts.dim_workspaces using (workspace_id)
        where is_kept
        order by month, workspace_name, workspace_id
    """).fetchall()
    return [(month, labels[workspace_id]) for month, workspace_id in found]


def _next(month: date) -> date:
    return (month + timedelta(days=31)).replace(day=1)


RULES = "select name, sha256, status from audit.project_files where kind = 'rules'"
"""SQL of name, hash and status of each file of rules by which the published figures were made."""


def _require_files(con: duckdb.DuckDBPyConnection, project: Path) -> None:
    """Raise UsageError unless the user's files are right, and those of the published figures."""
    rows = con.execute(RULES).fetchall()
    if wrong := sorted(name for name, _, status in rows if status == "error"):
        raise UsageError(
            f"{FOLDER}/{wrong[0]} holds lines that are not right, so that figures lack them.\n"
            "`analytics status` names each. Correct them, and run `analytics nightly`."
        )
    published = {name: sha256 for name, sha256, _ in rows}
    now = hash_files(project)
    if unreadable := sorted(name for name, sha256 in now.items() if sha256 is None):
        raise UsageError(
            f"{FOLDER}/{unreadable[0]} is no ordinary file of the project, so that the books cannot"
            " keep it.\nRemove it, or put the file itself there, and run `analytics nightly`."
        )
    if changed := sorted(dict(published.items() ^ now.items())):
        raise changed_file(changed[0])


def changed_file(name: str) -> UsageError:
    """Return the refusal to close with a file that is not that of the published figures."""
    return UsageError(
        f"{FOLDER}/{name} is not the file that the published figures were made with.\n"
        "Run `analytics nightly`, look at the figures, and close them then."
    )


def require_published_books(con: duckdb.DuckDBPyConnection, books: Books) -> None:
    """Raise unless the published figures were made with the books as they are.

    AnalyticsError if the books lack an entry, UsageError if they have one that is not published.
    """
    published = con.execute(f"{CLOSINGS} audit.closings").fetchall()
    require_known(books, published)
    held = [
        (each.entry.first_day, each.entry.revision, state, each.sha256)
        for each in books.closings
        for state in ["reopened" if books.reopening(each) else "closed"]
    ]
    if sorted(held) != sorted(published):
        raise UsageError(
            "A month was closed or reopened since the figures were published, so that they are not"
            " those of the books.\nRun `analytics nightly`, look at the figures, and try again."
        )


def states_of(con: duckdb.DuckDBPyConnection, month: date) -> list[WorkspaceState]:
    """Return the state of the month in each workspace that has figures of it.

    One that was last read in the month before, and may have figures of it, is also there; one that
    nobody has read for longer is not.
    """
    sql = (folder("queries") / "finance" / "month_states.sql").read_text(encoding="utf-8")
    return [WorkspaceState(**row) for row in records(con, sql, [month])]


def books_own_keys(project: Path) -> bool:
    """Return True if journals book own-key cost: `finance/accounts.toml` has an account for it."""
    accounts, _ = read_accounts(project)
    return accounts.accounts.provider_payable is not None


def early_reasons(
    states: Sequence[WorkspaceState],
    month: date,
    grace_days: int,
    *,
    with_own_keys: bool,
) -> list[str]:
    """Return why figures of the month may still change, a text for each workspace.

    `with_own_keys` is true if own-key cost is booked.
    """
    due = _end_of(month) + timedelta(days=grace_days)
    labels = told_apart({state.workspace_id: state.workspace_name for state in states})
    return [
        f"{labels[state.workspace_id]}: {', '.join(parts)}"
        for state in states
        if (parts := [*_reasons_of([state], due, with_own_keys=with_own_keys)])
    ]


def of_open_months(
    con: duckdb.DuckDBPyConnection, books: Books, settings: Settings, now: datetime
) -> dict[tuple[str, date], dict[str, Any]]:
    """Return of each month that is not closed what its pages say of its close, by workspace.

    `readiness` says from when it may be closed, and why not now, for the reasons of `close`;
    `is_closable` is true if nothing is in the way. With `(all)` stand all workspaces together.
    """
    with_own_keys = books_own_keys(settings.project)
    found = {}
    months = con.execute("select distinct month from marts.dim_months order by month").fetchall()
    for month in (month for (month,) in months if month not in books.in_force):
        due = _end_of(month) + timedelta(days=settings.finance.grace_days)
        is_due, before = now >= due, []
        try:
            require_turn(books, month)
        except UsageError as error:
            before = [str(error).splitlines()[0].removesuffix(".")]
        soon = f"may be closed from {days.day_in_words(due.date())}"
        states = states_of(con, month)
        of = {ALL: states} | {each.workspace_id: [each] for each in states}
        for workspace_id, members in of.items():
            # Before it is due, that data do not reach further goes without saying.
            reach = due if is_due else datetime.min.replace(tzinfo=UTC)
            reasons = ", ".join(_reasons_of(members, reach, with_own_keys=with_own_keys))
            is_never = any(each.status == "incomplete" for each in members)
            first = "" if is_due or is_never else soon
            known = " · ".join(filter(None, [first, *before, reasons]))
            found[workspace_id, month] = {
                "readiness": known or "may be closed",
                "is_closable": not known,
            }
    return found


def _end_of(month: date) -> datetime:
    return datetime.combine(_next(month), datetime.min.time(), UTC)


def _reasons_of(
    states: Sequence[WorkspaceState], due: datetime, *, with_own_keys: bool
) -> Iterator[str]:
    """Yield why figures of workspaces may still change, counted over all of them."""
    if any(state.status == "incomplete" for state in states):
        yield "the month was not read from its start"
    for name, field in _COUNTS.items():
        if count := sum(getattr(state, field) for state in states):
            yield numbers.plural(count, name)
    if unknown := sum(state.unknown_bill_count for state in states):
        yield f"{numbers.plural(unknown, 'bill')} of an agent's day unknown"
    if not all(state.has_agent_bill for state in states):
        yield "the API does not give the bill by agent of each day"
    if with_own_keys and not all(state.has_provider_keys for state in states):
        yield "the API does not give the provider keys, whose cost is booked"
    reach = [state.data_to for state in states if state.data_to is not None]
    if len(reach) < len(states):
        yield "no whole batch has read it"
    elif min(reach, default=due) < due:
        yield f"data reach to {min(reach):%Y-%m-%d}, before {due:%Y-%m-%d}"


def _in_words(reasons: Sequence[str]) -> str:
    """Return the first reasons, and how many there are beside them."""
    more = len(reasons) - _SHOWN
    return "; ".join(reasons[:_SHOWN]) + (f"; and {more} workspaces more" if more > 0 else "")
