"""The API's responses behind a figure: counts and totals that include unlisted runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import zstandard

from analytics.extract.loads import SUFFIX
from analytics.published.trace_query import AgentDay, LandingFile, Request
from analytics.published.verify_landing import Findings, all_lines, hash_findings, money

# The answer that is in force: of each source the last one whose window holds the UTC day.
_ANSWERS = """
    select distinct on (q.source)
        q.source, q.workspace_id, q.load_id, f.byte_count, f.sha256,
        q.request_number, q.path, q.params, q.status, q.byte_count, q.record_count, q.fetched_at
    from audit.requests as q
    left join audit.landing_files as f
        on
            f.workspace_id = q.workspace_id
            and f.load_id = q.load_id
            and f.file_name = q.source || $suffix
    where
        q.workspace_id = $workspace_id
        and q.status = 200
        and q.window_start <= $day
        and q.window_end > $day
        and list_contains($sources, q.source)
        and coalesce(q.agent_id, $agent_id) = $agent_id
    order by q.source desc, q.load_id desc, q.request_number desc
"""
_HALF_OF_LAST_DIGIT = Decimal("0.00000000005")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response of the API to a request for counts or totals, and its landing file."""

    source: str
    file: LandingFile
    request: Request


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    record: dict[str, Any]


def answers_of_day(con: duckdb.DuckDBPyConnection, day: AgentDay) -> list[Answer]:
    """Return the responses that report unlisted runs, or the platform's activity; else none."""
    sources = ["platform_rollups"] if day.is_platform else ["run_counts", "agent_rollups"]
    if not day.is_platform and day.unlisted is None:
        return []
    rows = con.execute(
        _ANSWERS,
        {
            "workspace_id": day.agent.workspace_id,
            "agent_id": day.agent.agent_id,
            "day": day.date,
            "sources": sources,
            "suffix": SUFFIX,
        },
    ).fetchall()
    return [
        Answer(
            source,
            LandingFile(workspace_id, load_id, source + SUFFIX, byte_count, sha256),
            Request(*request),
        )
        for source, workspace_id, load_id, byte_count, sha256, *request in rows
    ]


def verify_answers(
    data_dir: Path, day: AgentDay, answers: list[Answer]
) -> tuple[Findings, dict[Answer, list[int]]]:
    """Return the mismatches in landing files on disk, and the lines of each response."""
    findings: Findings = {}
    numbers: dict[Answer, list[int]] = {}
    for answer in answers:
        path = data_dir / answer.file.path
        if not path.is_file():
            continue
        findings[answer.file] = list(hash_findings(path, answer.file))
        try:
            lines = list(_lines_of(path, answer, day))
        except (OSError, zstandard.ZstdError, ValueError, LookupError, TypeError) as error:
            findings[answer.file].append(f"it cannot be read: {error}")
            continue
        numbers[answer] = [line.number for line in lines]
        findings[answer.file] += _differences(answer, day, [line.record for line in lines])
    return findings, numbers


def _lines_of(path: Path, answer: Answer, day: AgentDay) -> Iterator[_Line]:
    """Yield the lines of a response for the agent and the day."""
    for number, text in all_lines(path):
        landed = json.loads(text, parse_float=Decimal)
        record = landed["record"]
        if landed["request"] == answer.request.number and _is_of(day, answer.source, record):
            yield _Line(number, record)


def _is_of(day: AgentDay, source: str, record: dict[str, Any]) -> bool:
    if source == "run_counts":
        return str(record["date"])[:10] == str(day.date)
    return bool(source == "platform_rollups" or record["agent_id"] == day.agent.agent_id)


def _differences(answer: Answer, day: AgentDay, records: list[dict[str, Any]]) -> Iterator[str]:
    where = f"request {answer.request.number}"
    published: Any
    if answer.source == "run_counts":
        published = (day.reported or {}).get("run_count")
        landed = sum(record["count"] for record in records)
        if landed != published:
            yield f"{where} counts {landed} runs, published is {published}"
        return
    published = day.figure["cost_usd"] if day.is_platform else (day.reported or {}).get("cost_usd")
    costs = [money(record["cost_usd"]) for record in records]
    if published is None or None in costs:
        return
    tolerance = _HALF_OF_LAST_DIGIT * (len(costs) + day.utc_sum["run_count"])
    if abs(sum(costs, Decimal(0)) - published) > tolerance:
        yield f"{where} has the cost_usd {sum(costs, Decimal(0))}, published is {published}"
