"""The tables of `warehouse.duckdb`: `raw` by source, the `ledger`, and `finance` of the user.

`staging` has a view of each table of `raw`: all versions, and which of them are in force.
"""

from __future__ import annotations

from analytics.warehouse.sources import (
    AGENT_BILLING_DAYS,
    BILLING_DAYS,
    RUNS,
    SOURCES,
    USAGE_HOURS,
    Source,
)

SCHEMA_VERSION = 19

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
_SPELLED = {
    "model": r"coalesce(regexp_replace(model, '^[^/]+/(.)', '\1'), '(unknown)') as model",
    "provider": "coalesce(provider, '(unknown)') as provider",
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
create table ledger.schema_version (version INTEGER);

-- The workspaces of this folder, and the setting that names each one's key; a rebuild leaves it
-- null until the next batch.
create table ledger.workspaces (
    workspace_id VARCHAR, workspace_name VARCHAR, api VARCHAR, api_key_env VARCHAR,
    first_batch_at TIMESTAMPTZ, last_batch_at TIMESTAMPTZ
);

-- One row per loaded landing folder; loads first published together have one `published_at`.
create table ledger.loads (
    workspace_id VARCHAR, load_id VARCHAR, step VARCHAR, loaded_at TIMESTAMPTZ,
    code_version VARCHAR,
    record_count BIGINT, new_version_count BIGINT, superseded_count BIGINT,
    quarantined_count BIGINT, rounded_count BIGINT, published_at TIMESTAMPTZ
);

-- One row per landing file, with the hash of the bytes that were loaded.
create table ledger.files (
    workspace_id VARCHAR, load_id VARCHAR, file_name VARCHAR, byte_count BIGINT, sha256 VARCHAR
);

-- One row per answered request.
create table ledger.requests (
    workspace_id VARCHAR, load_id VARCHAR, request INTEGER, source VARCHAR, path VARCHAR,
    params VARCHAR, run_id VARCHAR, agent_id VARCHAR, window_start DATE, window_end DATE,
    status INTEGER, byte_count BIGINT, record_count BIGINT, fetched_at TIMESTAMPTZ
);

-- One row per snapshot of a run list; agent_id is null for the unfiltered list.
create table ledger.list_snapshots (
    workspace_id VARCHAR, load_id VARCHAR, agent_id VARCHAR, pulled_at TIMESTAMPTZ,
    row_count BIGINT, newest_run_id VARCHAR, newest_created_at TIMESTAMPTZ,
    oldest_created_at TIMESTAMPTZ, is_contiguous BOOLEAN, unread_from TIMESTAMPTZ,
    unread_until TIMESTAMPTZ
);

-- Working sets: small tables of the records that the next batch reads again.
create table ledger.provisional_runs (
    workspace_id VARCHAR, run_id VARCHAR, created_at TIMESTAMPTZ, terminal_seen_at TIMESTAMPTZ,
    read_at TIMESTAMPTZ
);
-- Runs and the details of them that were pending when the last batch ended; `pending_details.py`
-- adds later ones. `missing_since` is when the API first failed to return one, null before.
create table ledger.pending_details (
    workspace_id VARCHAR, run_id VARCHAR, source VARCHAR, created_at TIMESTAMPTZ,
    missing_since TIMESTAMPTZ
);

-- Differences of agent-days to the API's totals that remain after reading the runs again.
create table ledger.api_differences (
    workspace_id VARCHAR, agent_id VARCHAR, date DATE, measure VARCHAR, difference DECIMAL(38,10)
);

-- The time zone that the marts of the build file were built with: one row.
create table ledger.build (timezone VARCHAR);

-- Invalid records, as the API sent them, whole or by field.
create table ledger.quarantine (
    workspace_id VARCHAR, load_id VARCHAR, source VARCHAR, request INTEGER, line INTEGER,
    field VARCHAR, reason VARCHAR, record VARCHAR
);

create sequence raw.version_ids;
create table raw.superseded (version_id BIGINT, workspace_id VARCHAR, load_id VARCHAR);
"""

# Made whenever the file is opened: it holds nothing but the user's files as last read.
FINANCE = """
create schema if not exists finance;

-- A name or glob as ILIKE takes it: with a backslash before its wildcards that are none of the
-- user's.
create macro if not exists finance.pattern_of(pattern) as
    translate(regexp_replace(pattern, '([\\\\%_])', '\\\\\\1', 'g'), '*?', '%_');

-- A name as it is compared: composed, and without case; two small letters may be one capital.
create macro if not exists finance.folded(name) as lower(upper(nfc_normalize(trim(name))));

-- Money in whole ten-billionths of a US dollar, and back.
create macro if not exists finance.units(amount) as (amount * 10000000000)::hugeint;
create macro if not exists finance.usd(units) as
    units::decimal(28, 0) * 0.0000000001::decimal(10, 10);
-- The part of units that `part` is of `whole`, rounded half away from zero; 0 of no whole.
create macro if not exists finance.part_of(units, part, whole) as if(
    whole > 0,
    sign(units * part)::hugeint * ((2 * abs(units * part) + whole) // (2 * whole)),
    0
);
-- The share of units that falls to a weight, where weights up to it add up to `so_far`: all shares
-- add up to the units. The one of `has_all` has them where there is no weight.
create macro if not exists finance.share_of(units, weight, so_far, whole, has_all) as if(
    whole > 0,
    finance.part_of(units, so_far, whole) - finance.part_of(units, so_far - weight, whole),
    if(has_all, units, 0)
);

-- One row per rule of `finance/owners.csv`, read anew before each build of the marts.
create table if not exists finance.owner_rules (
    precedence INTEGER, line INTEGER, workspace VARCHAR, agent VARCHAR, cost_center VARCHAR,
    account VARCHAR, owner VARCHAR, valid_from DATE, valid_to DATE
);

-- One row per file of `finance/`; the hash is null if it cannot be read.
create table if not exists finance.files (name VARCHAR, sha256 VARCHAR, problem_count BIGINT);

-- One row per line of `finance/invoices.csv`: an invoice's part for a workspace and month.
create table if not exists finance.invoices (
    line INTEGER, invoice_id VARCHAR, workspace VARCHAR, month DATE, issued_on DATE,
    amount_usd DECIMAL(38,10), credit_usd DECIMAL(38,10), tax_usd DECIMAL(38,10),
    is_accepted BOOLEAN
);

-- One row per line of `finance/budgets.csv`; of scope 'all', the name is '(all)'.
create table if not exists finance.budgets (
    line INTEGER, scope VARCHAR, name VARCHAR, workspace VARCHAR, month DATE,
    amount_usd DECIMAL(38,10)
);

-- One row per line of `finance/outcomes.csv`; of agent, run and session, one is given.
create table if not exists finance.outcomes (
    line INTEGER, outcome_id VARCHAR, date DATE, workspace VARCHAR, agent VARCHAR, run VARCHAR,
    session VARCHAR, outcome VARCHAR, count BIGINT, value_usd DECIMAL(38,10)
);

-- List prices in US dollars for a million tokens: the catalogue's, and the user's own.
create table if not exists finance.list_prices (
    line INTEGER, source VARCHAR, provider VARCHAR, model VARCHAR, availability VARCHAR,
    valid_from DATE,
    input_usd_per_million_tokens DECIMAL(12,6), output_usd_per_million_tokens DECIMAL(12,6)
);

-- One row per rule of `finance/allocation.toml`, by its number in the file.
create table if not exists finance.allocation_rules (
    rule INTEGER, name VARCHAR, source VARCHAR, method VARCHAR, basis VARCHAR, workspace VARCHAR,
    valid_from DATE, valid_to DATE
);
create table if not exists finance.allocation_shares (
    rule INTEGER, cost_center VARCHAR, share DECIMAL(38,10)
);

-- [finance] of the settings, as of the last build: one row.
create table if not exists finance.limits (materiality_usd DECIMAL(38,10));

-- One row per table of `finance/findings.toml`: findings that the user knows of.
create table if not exists finance.silenced_findings (
    kind VARCHAR, agent VARCHAR, subject VARCHAR, until DATE, note VARCHAR
);

-- Accounts of `finance/accounts.toml`, or the defaults; one with a cost center is of that alone.
create table if not exists finance.accounts (role VARCHAR, cost_center VARCHAR, account VARCHAR);
"""

# Of the revision in force of each closed month, as `books/` holds it; read anew likewise.
_AMOUNTS = """
    metered_cost_usd DECIMAL(38,10), billed_usd DECIMAL(38,10), surcharge_usd DECIMAL(38,10),
    own_key_usd DECIMAL(38,10), tokens_in BIGINT, tokens_out BIGINT"""
BOOKS = f"""
create schema if not exists finance;

-- One row per revision, in force (`closed`) or not (`reopened`).
create table if not exists finance.closings (
    month DATE, revision INTEGER, status VARCHAR, closed_at TIMESTAMPTZ, is_early BOOLEAN,
    prepared_by VARCHAR, approved_by VARCHAR, manifest_sha256 VARCHAR, previous_sha256 VARCHAR,
    code_version VARCHAR, reopened_at TIMESTAMPTZ, reason VARCHAR, early_reasons VARCHAR
);

-- The last load of each workspace that a revision holds.
create table if not exists finance.closing_loads (
    month DATE, revision INTEGER, workspace_id VARCHAR, load_id VARCHAR
);

-- Loads on which a closed month rests, and their landing files.
create table if not exists finance.closed_loads (
    month DATE, workspace_id VARCHAR, load_id VARCHAR, file_name VARCHAR, sha256 VARCHAR
);

create table if not exists finance.closed_charges (
    usage_month DATE, workspace_id VARCHAR, utc_date DATE, agent_id VARCHAR, provider VARCHAR,
    model VARCHAR, owner VARCHAR, cost_center VARCHAR, account VARCHAR, {_AMOUNTS},
    request_count BIGINT
);

create table if not exists finance.closed_charge_adjustments (
    booked_month DATE, usage_month DATE, workspace_id VARCHAR, utc_date DATE, agent_id VARCHAR,
    provider VARCHAR, model VARCHAR, owner VARCHAR, cost_center VARCHAR, account VARCHAR,
    cause VARCHAR, {_AMOUNTS}, request_count BIGINT, load_id VARCHAR
);

create table if not exists finance.closed_lines (
    usage_month DATE, revision INTEGER, workspace_id VARCHAR, workspace_name VARCHAR,
    agent_id VARCHAR, agent_slug VARCHAR, agent_name VARCHAR, line_type VARCHAR,
    owner VARCHAR, cost_center VARCHAR,
    {_AMOUNTS}, run_count BIGINT, succeeded_count BIGINT, failed_count BIGINT,
    cancelled_count BIGINT, listed_run_count BIGINT, cost_usd DECIMAL(38,10),
    failed_cost_usd DECIMAL(38,10), failed_cost_high_usd DECIMAL(38,10), unknown_cost_count BIGINT
);

-- Counts of runs that an adjustment booked; its amounts are those of closed_charge_adjustments.
create table if not exists finance.closed_run_adjustments (
    booked_month DATE, usage_month DATE, workspace_id VARCHAR, agent_id VARCHAR, owner VARCHAR,
    cost_center VARCHAR, cause VARCHAR, run_count BIGINT, listed_run_count BIGINT, load_id VARCHAR
);

create table if not exists finance.closed_allocations (
    usage_month DATE, workspace_id VARCHAR, agent_id VARCHAR, line_cost_center VARCHAR,
    cost_center VARCHAR, source VARCHAR, rule VARCHAR,
    metered_cost_usd DECIMAL(38,10), billed_usd DECIMAL(38,10)
);

create table if not exists finance.closed_budgets (
    scope VARCHAR, name VARCHAR, workspace_id VARCHAR, month DATE, budget_usd DECIMAL(38,10),
    actual_usd DECIMAL(38,10), run_rate_usd DECIMAL(38,10), forecast_usd DECIMAL(38,10),
    forecast_low_usd DECIMAL(38,10), forecast_high_usd DECIMAL(38,10),
    forecast_low_95_usd DECIMAL(38,10), forecast_high_95_usd DECIMAL(38,10),
    remaining_usd DECIMAL(38,10), exhausted_on DATE, status VARCHAR
);

create table if not exists finance.closed_month_bridge (
    month DATE, workspace_id VARCHAR, agent_id VARCHAR, provider VARCHAR, model VARCHAR,
    start_usd DECIMAL(38,10), adjustment_effect_usd DECIMAL(38,10),
    volume_effect_usd DECIMAL(38,10), agent_mix_effect_usd DECIMAL(38,10),
    tokens_per_run_effect_usd DECIMAL(38,10), model_mix_effect_usd DECIMAL(38,10),
    price_effect_usd DECIMAL(38,10), failure_effect_usd DECIMAL(38,10),
    new_agent_effect_usd DECIMAL(38,10), retired_agent_effect_usd DECIMAL(38,10),
    platform_effect_usd DECIMAL(38,10), surcharge_effect_usd DECIMAL(38,10),
    own_key_effect_usd DECIMAL(38,10), end_usd DECIMAL(38,10)
);

create table if not exists finance.closed_invoices (
    usage_month DATE, workspace_id VARCHAR, invoice_id VARCHAR, booked_month DATE, issued_on DATE,
    amount_usd DECIMAL(38,10), credit_usd DECIMAL(38,10), tax_usd DECIMAL(38,10),
    is_accepted BOOLEAN, billed_usd DECIMAL(38,10), invoiced_usd DECIMAL(38,10),
    difference_usd DECIMAL(38,10), status VARCHAR
);

create table if not exists finance.closed_accruals (
    booked_month DATE, usage_month DATE, workspace_id VARCHAR, cost_center VARCHAR, account VARCHAR,
    default_account VARCHAR, billed_usd DECIMAL(38,10), invoiced_usd DECIMAL(38,10),
    accrual_usd DECIMAL(38,10), adjusted_usd DECIMAL(38,10), newly_invoiced_usd DECIMAL(38,10),
    own_key_usd DECIMAL(38,10), accrual_date DATE, reversal_date DATE, accrual_id VARCHAR,
    reversal_id VARCHAR
);

create table if not exists finance.closed_journal_lines (
    booked_month DATE, entry_id VARCHAR, line_number INTEGER, entry_date DATE, kind VARCHAR,
    role VARCHAR, account VARCHAR, cost_center VARCHAR, workspace_id VARCHAR, usage_month DATE,
    debit_usd DECIMAL(38,10), credit_usd DECIMAL(38,10), narration VARCHAR, memo VARCHAR,
    reverses_entry_id VARCHAR
);
"""


def create_statements() -> str:
    """Return the SQL that creates the tables of an empty warehouse."""
    return "\n".join(
        [
            "create schema raw; create schema staging;",
            "create schema intermediate; create schema ledger;",
            _LEDGER,
            *(_raw_table(source) for source in SOURCES),
            *(f"create view {view} as {sql};" for view, sql in source_views().items()),
            FINANCE,
            BOOKS,
            f"insert into ledger.schema_version values ({SCHEMA_VERSION});",
        ]
    )


def _raw_table(source: Source) -> str:
    columns = ", ".join(f"{name} {kind}" for name, kind in (LINEAGE | source.columns).items())
    return f"create table raw.{source.name} ({columns});"


def source_views() -> dict[str, str]:
    """Return the SELECT of each view of `staging`, by its name.

    It has every version of a source's records, with `is_current` and `superseded_by_load_id`: the
    load that replaced the version or took it away, null while it is in force. Days are of UTC but
    for `date` of runs, which is of the reporting time zone.
    """
    return {f"staging.{source.name}": _source_view(source) for source in SOURCES}


def _source_view(source: Source) -> str:
    shown = _SHOWN | (_SPELLED if "provider" in source.parts else {})
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
