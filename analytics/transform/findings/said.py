"""Findings as they are published: with their words, in their order, and silenced or not."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import polars as pl

from analytics.format import names
from analytics.transform.findings.finding import RECENT_DAYS, SCHEMA
from analytics.transform.findings.urgency import URGENCIES, is_small, urgency
from analytics.transform.findings.words import KINDS, Row, named, next_step, sentence
from analytics.transform.models import Header, polars_model

_FEWEST_DAYS = 7  # that the cost of something that lasts is taken to be of
_TOLD_APART = ("price_step", "failure_burst", "cost_jump", "repeated_errors", "budget", "data")


def findings(found: pl.DataFrame, silenced: pl.DataFrame) -> pl.DataFrame:
    """Return all findings with sentence and rank; `silenced` are the user's, by kind."""
    silences = silenced.rows(named=True)
    told = [
        {
            **row,
            "finding_id": identity(row),
            "urgency": urgency(row),
            "sentence": sentence(named(row)),
            "next_step": next_step(row),
            **_silence(row, silences),
        }
        for row in found.iter_rows(named=True)
    ]
    ranks = ({**row, "rank": rank} for rank, row in enumerate(sorted(told, key=place), start=1))
    return pl.DataFrame(list(ranks), schema=_SCHEMA)


def place(row: Row) -> tuple[Any, ...]:
    """Return what sorts findings by urgency, then by what it costs to wait.

    First stale data and differences; then lasting findings, by their cost of 28 days, those of an
    unknown cost by their runs; then ended ones and small differences. Silenced ones come last.
    """
    cost, is_budget = row["cost_usd"], row["kind"] == "budget"
    if row["kind"] == "data":
        order = 0 if row["detail"] == "stale" else 4 if is_small(row) else 1
    else:
        order = 3 if row["until"] else 2
    if cost is not None and order == 2 and not is_budget:  # of that it is the whole overrun
        days = min(max((row["now"] - row["since"]).days, _FEWEST_DAYS), RECENT_DAYS)
        cost = cost * RECENT_DAYS / days
    runs = row["run_count"] or 0
    urgent = URGENCIES.index(urgency(row))
    by_cost = (cost is None, -(cost or 0), -runs)
    return row["is_silenced"], urgent, order, *by_cost, row["finding_id"]


def identity(row: Row) -> str:
    """Return the identity of a finding, the same in each batch that finds it.

    That of a burst has its first UTC date: there may be several, but not on one date.
    """
    parts = [row[name] for name in ("kind", "workspace_id", "agent_id", "subject")]
    if row["kind"] in _TOLD_APART:
        parts.append(row["detail"])
    if row["kind"] == "failure_burst":
        parts.append(row["since"].date().isoformat())
    return sha256("\0".join(map(str, parts)).encode()).hexdigest()[:16]


def _silence(row: Row, silences: list[dict[str, Any]]) -> dict[str, Any]:
    """Return whether the user's file silences a finding, and its note.

    The file may name an agent by its name, slug or identifier.
    """
    called = {
        names.folded(row[name]) for name in ("agent_name", "agent_slug", "agent_id") if row[name]
    }
    for each in silences:
        if (
            each["kind"] == row["kind"]
            and (each["agent"] is None or names.folded(each["agent"]) in called)
            and (each["subject"] is None or each["subject"] == row["subject"])
            and (each["until"] is None or each["until"] >= row["now"].date())
        ):
            return {"is_silenced": True, "silenced_note": each["note"]}
    return {"is_silenced": False, "silenced_note": None}


_COLUMNS = [*SCHEMA]
_COLUMNS.insert(_COLUMNS.index("agent_id") + 1, "agent_name")
_SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "finding_id": pl.String,
    **{name: SCHEMA.get(name, pl.String) for name in _COLUMNS},
    "urgency": pl.String,
    "sentence": pl.String,
    "next_step": pl.String,
    "is_silenced": pl.Boolean,
    "silenced_note": pl.String,
    "rank": pl.Int64,
}
MODEL = polars_model(
    "marts.fct_findings",
    findings,
    Header(
        "What needs a person, in the order of `rank`: by `urgency`, then by what it costs to wait."
        " Wrong figures come first, then lasting findings, by their cost of 28 days or the runs"
        " affected, then ended ones and differences below a dollar; those that"
        " finance/findings.toml silences come last. See docs/findings.md for each kind, its rule"
        " and what it may not claim."
        " Grain: finding.",
        key=("finding_id",),
        columns={
            "finding_id": "Identity of the finding: the same in each batch that finds it again.",
            "kind": "Kind of the finding: " + ", ".join(KINDS) + ".",
            "agent_id": "Identifier of the agent; '(all)' where it is not of one agent.",
            "agent_name": "Current name of the agent; null where it is not of one agent.",
            "subject": "What it is about: a version, model, provider, tool, limit, trigger, budget,"
            " agent, workspace or control.",
            "detail": "What tells the subject apart, or more of it: its provider, the version"
            " before it, or its sort.",
            "since": "When it began (UTC).",
            "until": "When it ended (UTC); null while it lasts.",
            "value": "The figure that is found, in the unit.",
            "baseline": "The figure before, or that of a budget, in the unit; null without one.",
            "unit": "Unit of value and baseline.",
            "sample_count": "Runs, requests, calls or days that the value is of.",
            "baseline_count": "Runs that the baseline is of; null of another unit. Those of"
            " versions, like sample_count, are without hours in which a provider or tool failed.",
            "run_count": "Runs affected; null where none are told.",
            "p_value": "Probability that chance makes as much; null where nothing is tested.",
            "cost_usd": "What it costs in US dollars, so far or in 28 days, of a budget what is"
            " expected above it; null if unknown or nothing. The low end of a range where"
            " cost_high_usd is known.",
            "cost_high_usd": "The high end, where unlisted runs make the cost a range; else null.",
            "is_chronic": "True if the 28 days before had it, too; it is sent to nobody then.",
            "urgency": "How urgent it is: " + ", ".join(URGENCIES) + ".",
            "sentence": "What, since when, and what it costs, in one sentence.",
            "next_step": "The command that helps; null where the page of the subject shows more.",
            "is_silenced": "True if finance/findings.toml silences it.",
            "silenced_note": "The note of finance/findings.toml.",
            "rank": "Place in the order, from 1, over all workspaces.",
        },
    ),
)
