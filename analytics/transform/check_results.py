"""The tables that checks write: results, findings of controls and alerts, the user's files."""

from __future__ import annotations

import duckdb

from analytics.transform.models import comment_on, read_header

RESULTS = "build_file.audit.check_results"
CONTROLS = "build_file.audit.controls"
FINDINGS = "build_file.audit.control_findings"
PROJECT_FILES = "build_file.audit.project_files"
ALERT_FINDINGS = "build_file.audit.alert_findings"
KEPT_FINDINGS = 100

_TABLES = {
    RESULTS: """
-- What the last batch's checks found; names of the user's own begin with 'custom.'. Grain: check.
-- key: check_name
checked_at timestamptz, check_name varchar, claim varchar, control varchar, sources varchar,
violation_count bigint, is_ok boolean, is_blocking boolean, finding varchar
""",
    CONTROLS: """
-- Each control against the API by workspace: its two sources, what they sum to over all that was
-- compared. Sources are independent: neither number is derived from the other.
-- Grain: workspace, control and measure.
-- key: workspace_id, control, measure
workspace_id varchar, control varchar, measure varchar, first_source varchar,
second_source varchar, compared_count bigint, ours decimal(38, 10), theirs decimal(38, 10)
""",
    FINDINGS: f"""
-- Differences that controls against the API found, of each control and workspace the
-- {KEPT_FINDINGS} largest. Grain: control, workspace and finding.
-- key: check_name, workspace_id, finding_number
-- column agent_id: The agent whose figures differ; null where the control compares none.
-- column run_id: The run whose figures differ; null where the control compares days.
-- column provider: The provider whose figures differ; null where the control compares none.
-- column difference_usd: Difference in US dollars; null for counts and tokens.
check_name varchar, control varchar, workspace_id varchar, finding_number bigint,
finding_count bigint, agent_id varchar, utc_date date, run_id varchar, provider varchar,
measure varchar, ours decimal(38, 10), theirs decimal(38, 10), difference_usd decimal(38, 10),
is_closed boolean
""",
    PROJECT_FILES: """
-- The user's files that the last batch read from the project folder. Grain: kind and file.
-- key: kind, file
-- column kind: rules: a file of finance/ by which our figures are made; finance, mart, check or
-- alert: a file of the user's own, after its folder.
-- column file: Path of the file within the project folder.
-- column name: Name of the table in schema custom, of the alert, or of the check without 'custom.'.
-- column status: built; of a check passed or failed, of an alert asked, of rules read; error where
-- the file, or a line of it, could not be used.
-- column row_count: Rows of the table, rows that contradict the check, or findings of the alert;
-- null for an error.
-- column seconds: Time that the query took, in seconds; null where none ran.
-- column error: Cause of the error, with file and line; of rules, a line for each name that means
-- nothing known; null where there is none.
-- column sha256: SHA-256 of the bytes of rules; null if they could not be read.
kind varchar, file varchar, name varchar, status varchar, row_count bigint, seconds double,
error varchar, sha256 varchar
""",
    ALERT_FINDINGS: f"""
-- What the alerts of the project found in the figures of the last batch, of each alert at most
-- {KEPT_FINDINGS} findings. Grain: alert and finding.
-- key: alert_name, finding_number
-- column finding: The values of the finding, as text.
alert_name varchar, title varchar, severity varchar, finding_number bigint, finding_count bigint,
finding_id varchar, finding varchar
""",
}
"""The columns of each table, below the lines of its header."""


def create_results(con: duckdb.DuckDBPyConnection) -> None:
    """Create the tables, or empty them, but for the rules of finance, and sums of controls.

    A control that is not run again has these as they are.
    """
    existing = con.execute(
        "select concat_ws('.', database_name, schema_name, table_name) from duckdb_tables()"
    ).fetchall()
    for relation, columns in _TABLES.items():
        if (relation,) not in existing:
            con.execute(f"create table {relation} ({columns})")
            comment_on(con, relation, read_header(columns))
        elif relation != CONTROLS:
            con.execute(f"truncate {relation}")
    con.execute(f"""
        insert into {PROJECT_FILES} by name
        select
            'rules' as kind,
            'finance/' || name as file,
            name,
            if(problem_count > 0, 'error', 'read') as status,
            unknown_names as error,
            sha256
        from finance.files
    """)
