"""The tables of `warehouse.duckdb`: `raw` by source, the `ledger`, and `finance` of the user.

`staging` has a view of each table of `raw`: all versions, and which of them are in force.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from analytics.warehouse.sources import (
    AGENT_BILLING_DAYS,
    BILLING_DAYS,
    RUNS,
    SOURCES,
    USAGE_HOURS,
    Source,
)

SCHEMA_VERSION = 21

# Columns that every table of `raw` has: the version, and the place of its record.
LINEAGE = {
    "version_id": "BIGINT",
    "workspace_id": "VARCHAR",
    "load_id": "VARCHAR",
    "request": "INTEGER",
    "line": "INTEGER",
    "seen_at": "TIMESTAMPTZ",
    "record_hash": "UBIGINT",
}

# What a column of `raw` is in `staging`, where it has another name there or another value.
_SHOWN = {
    "request": "request as request_number",
    "line": "line as file_line",
    "date": "date as utc_date",
    "error": "error as error_message",
}
# Names of models and providers have one spelling, as sources of the API spell them differently.
_SPELLED = {
    "model": r"coalesce(nullif(lower(trim(regexp_replace(model, '^[^/]+/(.)', '\1'))), ''),"
    " '(unknown)') as model",
    "provider": "coalesce(nullif(lower(trim(provider)), ''), '(unknown)') as provider",
}
# Of the meters; usage that names no agent, platform or unattributed activity, is '(platform)'.
_METERED = {
    "agent_id": "coalesce(agent_id, '(platform)') as agent_id",
    "cost_usd": "cost_usd as metered_cost_usd",
}
_DAYS = {
    RUNS: "(created_at at time zone getvariable('reporting_timezone'))::date as date,"
    " (created_at at time zone 'UTC')::date as utc_date",
    USAGE_HOURS: "(hour at time zone 'UTC')::date as utc_date",
}

_LEDGER = """
ledger.schema_version: version integer

-- The workspaces of this folder, and the setting that names each one's key; a rebuild leaves it
-- null until the next batch.
ledger.workspaces: workspace_id, workspace_name, api, api_key_env, first_batch_at, last_batch_at

-- One row per loaded landing folder; loads first published together have one `published_at`.
ledger.loads: workspace_id, load_id, step, loaded_at, code_version, record_count, new_version_count,
    superseded_count, quarantined_count, rounded_count, published_at

-- One row per landing file, with the hash of the bytes that were loaded.
ledger.files: workspace_id, load_id, file_name, byte_count, sha256

-- One row per answered request, as its landing file has it.
ledger.requests: workspace_id, load_id, request integer, source, path, params, run_id, agent_id,
    window_start date, window_end date, status integer, byte_count, record_count, fetched_at

-- One row per snapshot of a run list; agent_id is null for the unfiltered list.
ledger.list_snapshots: workspace_id, load_id, agent_id, pulled_at, row_count, newest_run_id,
    newest_created_at, oldest_created_at, is_contiguous, unread_from timestamptz,
    unread_until timestamptz

-- Working sets: small tables of the records that the next batch reads again.
ledger.provisional_runs: workspace_id, run_id, created_at, terminal_seen_at, read_at

-- Runs and the details of them that were pending when the last batch ended; `pending_details.py`
-- adds later ones. `missing_since` is when the API first failed to return one, null before.
ledger.pending_details: workspace_id, run_id, source, created_at, missing_since timestamptz

-- Differences of agent-days to the API's totals that remain after reading the runs again.
ledger.api_differences: workspace_id, agent_id, date, measure, difference decimal(38,10)

-- The time zone that the marts of the build file were built with: one row.
ledger.build: timezone

-- Invalid records, as the API sent them, whole or by field.
ledger.quarantine: workspace_id, load_id, source, request integer, line integer, field, reason,
    record

raw.superseded: version_id bigint, workspace_id, load_id
"""

# What the user's files said when they were last read, before each build of the marts.
_FILES = """
-- One row per rule of `finance/owners.csv`.
finance.owner_rules: precedence integer, line integer, workspace, agent, cost_center, account,
    owner, valid_from date, valid_to date

-- One row per file of `finance/`; the hash is null if it cannot be read. `unknown_names` has a line
-- for each name that means nothing known.
finance.files: name, sha256, problem_count, unknown_names

-- One row per line of `finance/invoices.csv`: an invoice's part for a workspace and month.
finance.invoices: line integer, invoice_id, workspace, month, issued_on, amount_usd, credit_usd,
    tax_usd, is_accepted

-- One row per line of `finance/budgets.csv`; of scope 'all', the name is '(all)'.
finance.budgets: line integer, scope, name, workspace, month, amount_usd

-- One row per line of `finance/outcomes.csv`; of agent, run and session, one is given.
finance.outcomes: line integer, outcome_id, date, workspace, agent, run, session, outcome,
    count bigint, value_usd

-- List prices in US dollars for a million tokens: the catalogue's, and the user's own.
finance.list_prices: line integer, source, provider, model, availability, valid_from date,
    input_usd_per_million_tokens decimal(12,6), output_usd_per_million_tokens decimal(12,6)

-- One row per rule of `finance/allocation.toml`, by its number in the file.
finance.allocation_rules: rule integer, name, source, method, basis, workspace, valid_from date,
    valid_to date

finance.allocation_shares: rule integer, cost_center, share decimal(38,10)

-- [finance] of the settings, as of the last build: one row.
finance.limits: materiality_usd

-- One row per table of `finance/findings.toml`: findings that the user knows of.
finance.silenced_findings: kind, agent, subject, until date, note

-- Accounts of `finance/accounts.toml`, or the defaults; one with a cost center is of that alone.
finance.accounts: role, cost_center, account
"""

# Of the revision in force of each closed month, as `books/` holds it; read anew likewise.
_BOOKS = """
-- One row per revision, in force (`closed`) or not (`reopened`).
finance.closings: month, revision integer, status, closed_at, is_early, prepared_by, approved_by,
    manifest_sha256, previous_sha256, code_version, reopened_at, reason, early_reasons

-- The last load of each workspace that a revision holds.
finance.closing_loads: month, revision integer, workspace_id, load_id

-- Loads on which a closed month rests, and their landing files.
finance.closed_loads: month, workspace_id, load_id, file_name, sha256

finance.closed_charges: usage_month, workspace_id, utc_date, agent_id, provider, model, owner,
    cost_center, account, metered_cost_usd, billed_usd, surcharge_usd, own_key_usd, tokens_in,
    tokens_out, request_count

finance.closed_charge_adjustments: booked_month, usage_month, workspace_id, utc_date, agent_id,
    provider, model, owner, cost_center, account, cause, metered_cost_usd, billed_usd,
    surcharge_usd, own_key_usd, tokens_in, tokens_out, request_count, load_id

finance.closed_lines: usage_month, revision integer, workspace_id, workspace_name, agent_id,
    agent_slug, agent_name, line_type, owner, cost_center, metered_cost_usd, billed_usd,
    surcharge_usd, own_key_usd, tokens_in, tokens_out, run_count, succeeded_count, failed_count,
    cancelled_count, listed_run_count, cost_usd, failed_cost_usd, failed_cost_high_usd,
    unknown_cost_count

-- Counts of runs that an adjustment booked; its amounts are those of closed_charge_adjustments.
finance.closed_run_adjustments: booked_month, usage_month, workspace_id, agent_id, owner,
    cost_center, cause, run_count, listed_run_count, load_id

finance.closed_allocations: usage_month, workspace_id, agent_id, line_cost_center, cost_center,
    source, rule, metered_cost_usd, billed_usd

finance.closed_budgets: scope, name, workspace_id, month, budget_usd, actual_usd, run_rate_usd,
    forecast_usd, forecast_low_usd, forecast_high_usd, forecast_low_95_usd, forecast_high_95_usd,
    remaining_usd, exhausted_on, status

finance.closed_month_bridge: month, workspace_id, agent_id, provider, model, start_usd,
    adjustment_effect_usd, volume_effect_usd, agent_mix_effect_usd, tokens_per_run_effect_usd,
    model_mix_effect_usd, price_effect_usd, failure_effect_usd, new_agent_effect_usd,
    retired_agent_effect_usd, platform_effect_usd, surcharge_effect_usd, own_key_effect_usd, end_usd

finance.closed_invoices: usage_month, workspace_id, invoice_id, booked_month, issued_on, amount_usd,
    credit_usd, tax_usd, is_accepted, billed_usd, invoiced_usd, difference_usd, status

finance.closed_accruals: booked_month, usage_month, workspace_id, cost_center, account,
    default_account, billed_usd, invoiced_usd, accrual_usd, adjusted_usd, newly_invoiced_usd,
    own_key_usd, accrual_date, reversal_date, accrual_id, reversal_id

finance.closed_journal_lines: booked_month, entry_id, line_number integer, entry_date, kind, role,
    account, cost_center, workspace_id, usage_month, debit_usd, credit_usd, booked_usd,
    narration, memo, reverses_entry_id
"""

_TYPES = {
    r".*_usd": "DECIMAL(38,10)",
    r".*_count|tokens_in|tokens_out": "BIGINT",
    r"is_.*": "BOOLEAN",
    r".*_at": "TIMESTAMPTZ",
    r"(.*_)?(date|month|on)": "DATE",
}
"""The type of a column by its name, where a table does not say it; a text by any other."""

_MACROS = """
-- A name or glob as LIKE takes it: with a backslash before its wildcards that are none of the
-- user's.
create macro finance.pattern_of(pattern) as
    translate(regexp_replace(pattern, '([\\\\%_])', '\\\\\\1', 'g'), '*?', '%_');

-- A name as it is compared: composed, and without case; two small letters may be one capital, and
-- a sharp s is two.
create macro finance.folded(name) as
    replace(lower(upper(nfc_normalize(trim(name)))), 'ß', 'ss');

-- Money in whole ten-billionths of a US dollar, and back.
create macro finance.units(amount) as (amount * 10000000000)::hugeint;
create macro finance.usd(units) as units::decimal(28, 0) * 0.0000000001::decimal(10, 10);
-- The part of units that `part` is of `whole`, rounded half away from zero; 0 of no whole.
create macro finance.part_of(units, part, whole) as if(
    whole > 0,
    sign(units * part)::hugeint * ((2 * abs(units * part) + whole) // (2 * whole)),
    0
);
-- The share of units that falls to a weight, where weights up to it add up to `so_far`: all shares
-- add up to the units. The one of `has_all` has them where there is no weight.
create macro finance.share_of(units, weight, so_far, whole, has_all) as if(
    whole > 0,
    finance.part_of(units, so_far, whole) - finance.part_of(units, so_far - weight, whole),
    if(has_all, units, 0)
);
"""


def columns_of(table: str) -> dict[str, str]:
    """Return the type of each column of a table, by its name."""
    return _columns(_LEDGER + _FILES + _BOOKS)[table]


def _columns(tables: str) -> dict[str, dict[str, str]]:
    """Return the columns of each table, by its name."""
    lines = (line for line in tables.splitlines() if not line.startswith("--"))
    paragraphs = "\n".join(lines).strip().split("\n\n")
    named = (each.strip().split(": ", 1) for each in paragraphs)
    return {
        name: dict(_column(*each.split()) for each in re.split(r",\s+", columns))
        for name, columns in named
    }


def _column(name: str, kind: str = "") -> tuple[str, str]:
    found = (known for pattern, known in _TYPES.items() if re.fullmatch(pattern, name))
    return name, kind or next(found, "VARCHAR")


def _create(tables: Mapping[str, Mapping[str, str]]) -> str:
    return "\n".join(
        f"create table {table} ({', '.join(map(' '.join, columns.items()))});"
        for table, columns in tables.items()
    )


def finance_statements() -> str:
    """Return the SQL that creates schema `finance`."""
    return f"create schema finance; {_MACROS} {_create(_columns(_FILES + _BOOKS))}"


def create_statements() -> str:
    """Return the SQL that creates the tables of an empty warehouse."""
    raw = {f"raw.{source.name}": LINEAGE | source.columns for source in SOURCES}
    return "\n".join(
        [
            "create schema raw; create schema staging;",
            "create schema intermediate; create schema ledger;",
            "create sequence raw.version_ids;",
            _create(_columns(_LEDGER) | raw),
            *(f"create view {view} as {sql};" for view, sql in source_views().items()),
            finance_statements(),
            f"insert into ledger.schema_version values ({SCHEMA_VERSION});",
        ]
    )


def source_views() -> dict[str, str]:
    """Return the SELECT of each view of `staging`, by its name.

    It has every version of a source's records, with `is_current` and `superseded_by_load_id`: the
    load that replaced the version or took it away, null while it is in force. Days are of UTC but
    for `date` of runs, which is of the reporting time zone.
    """
    return {f"staging.{source.name}": _source_view(source) for source in SOURCES}


def _source_view(source: Source) -> str:
    shown = _SHOWN | (_SPELLED if "provider" in source.columns else {})
    if source in (USAGE_HOURS, BILLING_DAYS, AGENT_BILLING_DAYS):
        shown |= _METERED
    columns = [shown.get(name, name) for name in LINEAGE | source.columns]
    if source in _DAYS:
        columns = [each for each in columns if each != _SHOWN["date"]] + [_DAYS[source]]
    return f"""
        select {", ".join(columns)},
            superseded_by_load_id, superseded.version_id is null as is_current
        from raw.{source.name}
        left join (
            select version_id, load_id as superseded_by_load_id from raw.superseded
        ) as superseded using (version_id)
    """
