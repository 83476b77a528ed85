"""Landed loads: their folders and files, and what a load's id tells.

A load's id is its batch, its number within the batch, and its step: it sorts by time.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from datetime import datetime
from itertools import count
from pathlib import Path

from analytics.disk import UNFINISHED

REQUESTS = "requests"
LIST_SNAPSHOTS = "list_snapshots"
SUFFIX = ".ndjson.zst"
BATCH_ID = "%Y%m%dT%H%M%SZ"
LISTS_STEP = "lists"
CLOSING_STEP = "workspace"
"""The last step of a batch: loads after its last one belong to an incomplete batch."""

_LOAD_ID = re.compile(r"(?P<batch>\d{8}T\d{6}Z)-(?P<number>\d+)-.+")


def step_of(load_id: str) -> str:
    """Return the step that landed a load."""
    return load_id.split("-", 2)[-1]


def landed_loads(folder: Path, *, besides: Container[str] = ()) -> list[Path]:
    """Return the complete loads in a workspace's folder, in order, less those with these ids.

    What a file manager or a person left there is none of them, nor is an empty folder. OSError for
    a folder that cannot be read.
    """
    return [each for each in folders_in(folder) if each.name not in besides and _is_load(each)]


def folders_in(folder: Path) -> list[Path]:
    """Return the folders in one, in order; none if it is not there.

    OSError if it cannot be read, where `glob` would find none.
    """
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.exists() else []


def landing_files(load: Path) -> list[Path]:
    """Return the files of a load, without those of a file manager."""
    return sorted(
        each
        for each in load.iterdir()
        if each.name.endswith(SUFFIX) and not each.name.startswith(".")
    )


def _is_load(folder: Path) -> bool:
    is_named = _LOAD_ID.fullmatch(folder.name) and not folder.name.endswith(UNFINISHED)
    return bool(is_named and landing_files(folder))


def new_loads(folder: Path, began_at: datetime) -> Iterator[str]:
    """Yield the ids of a workspace's next loads, less their step: they sort after all landed ones.

    Loads that began in the same second as the last ones continue their numbers, and so do those
    that began before it by the API's clock, since its servers may disagree by seconds.
    """
    names = [match for each in folder.glob("*-*-*") if (match := _LOAD_ID.fullmatch(each.name))]
    landed = max((each["batch"] for each in names if not each[0].endswith(UNFINISHED)), default="")
    batch = max(began_at.strftime(BATCH_ID), landed)
    taken = [int(match["number"]) for match in names if match["batch"] == batch]
    return (f"{batch}-{number:06d}" for number in count(max(taken, default=0) + 1))
