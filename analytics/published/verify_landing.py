"""Verification of published runs against landing files: the file's hash, and the run's line."""

from __future__ import annotations

import hashlib
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, localcontext
from pathlib import Path
from typing import Any

import zstandard

from analytics.published.trace_query import LandingFile, RunVersion

_KEPT = Decimal("0.0000000001")
_DIGITS = 60

Findings = dict[LandingFile, list[str]]


def verify(data_dir: Path, versions: Iterable[RunVersion]) -> Findings:
    """Map each landing file found on disk to its mismatches; missing files are omitted.

    A file without mismatches has the ledger's hash, and its lines have the versions' run, request,
    status and cost.
    """
    by_file: defaultdict[LandingFile, list[RunVersion]] = defaultdict(list)
    for version in versions:
        by_file[version.file].append(version)
    return {
        file: list(_mismatches(data_dir / file.path, file, of_file))
        for file, of_file in by_file.items()
        if (data_dir / file.path).is_file()
    }


def _mismatches(path: Path, file: LandingFile, versions: list[RunVersion]) -> Iterator[str]:
    try:
        yield from hash_findings(path, file)
        lines = _lines(path, {version.line for version in versions})
    except (OSError, zstandard.ZstdError) as error:
        yield f"it cannot be read: {error}"
        return
    for version in versions:
        yield from _differences(version, lines.get(version.line))


def hash_findings(path: Path, file: LandingFile) -> Iterator[str]:
    """That a file is not the one of the ledger, if so."""
    with path.open("rb") as opened:
        sha256 = hashlib.file_digest(opened, "sha256").hexdigest()
    if sha256 != file.sha256:
        yield f"its SHA-256 is {sha256}, the ledger has {file.sha256}"


def all_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a landing file with their numbers, which count from 1."""
    with path.open("rb") as file:
        reader = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True)
        yield from enumerate(io.BufferedReader(reader), 1)


def _lines(path: Path, wanted: set[int]) -> dict[int, bytes]:
    return {number: line for number, line in all_lines(path) if number in wanted}


def _differences(version: RunVersion, line: bytes | None) -> Iterator[str]:
    where = f"line {version.line}"
    if line is None:
        yield f"{where} is missing"
        return
    try:
        landed = json.loads(line, parse_float=Decimal)
        landed_values = {"request": landed["request"]} | {
            name: landed["record"].get(name) for name in ("id", "status", "cost_usd")
        }
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        yield f"{where} is no record"
        return
    landed_values["cost_usd"] = money(landed_values["cost_usd"])
    published = {
        "request": version.request.number,
        "id": version.run_id,
        "status": version.status,
        "cost_usd": version.cost_usd,
    }
    for name, value in published.items():
        if landed_values[name] != value:
            yield f"{where} has the {name} {landed_values[name]}, published is {value}"


def money(value: Any) -> Any:
    """An amount as it is stored: ten decimals, half-even."""
    if value is None:
        return None
    try:
        with localcontext(prec=_DIGITS):
            return Decimal(value).quantize(_KEPT, ROUND_HALF_EVEN)
    except (InvalidOperation, ValueError, TypeError):
        return value
