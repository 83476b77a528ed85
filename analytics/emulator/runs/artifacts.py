"""Files that runs publish; their content is generated on download."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.emulator import serialize
from analytics.emulator.records import Artifact
from analytics.emulator.rng import seeded

if TYPE_CHECKING:
    from datetime import datetime

    from analytics.emulator.records import Run


def artifacts(run: Run) -> list[Artifact]:
    """Return the files that a run has published so far, oldest first."""
    if run.files is not None:
        return run.files
    rng = seeded("artifacts", run.id)
    return [
        report(run, n, rng.randint(200, 90_000), run.finished_at)
        for n in range(1, run.artifact_count + 1)
    ]


def report(run: Run, number: int, size_bytes: int, at: datetime | None) -> Artifact:
    """Return the file that a run publishes as its nth."""
    return Artifact(f"{run.id}/{number}", f"report-{number}.md", size_bytes, at)


def find(run: Run, key: str) -> Artifact | None:
    """Return a file of the run, also one beyond the listing, or None."""
    return next((file for file in artifacts(run) if file.key == key), None)


def listing(run: Run) -> dict[str, Any]:
    """Return the list of a run's files; beyond the cap, the last names are omitted."""
    files = artifacts(run)
    listed = {file.key for file in sorted(files, key=_name)[: serialize.ARTIFACTS_LISTED]}
    return {
        "artifacts": [_record(file) for file in files if file.key in listed],
        "truncated": len(files) > serialize.ARTIFACTS_LISTED,
    }


def _name(file: Artifact) -> str:
    return file.filename


def _record(file: Artifact) -> dict[str, Any]:
    return {
        "key": file.key,
        "filename": file.filename,
        "size_bytes": file.size_bytes,
        "content_type": file.content_type,
        "created_at": serialize.timestamp(file.created_at),
    }
