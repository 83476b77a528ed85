"""Landed loads: their folders and files, and what a load's id tells.

A load's id is its batch, its number within the batch, and its step: it sorts by time.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator, Sequence
from datetime import datetime
from itertools import count
from pathlib import Path

from analytics.files import UNFINISHED, sync
from analytics.machine_clock import FURTHEST, machine_time

REQUESTS = "requests"
LIST_SNAPSHOTS = "list_snapshots"
SUFFIX = ".ndjson.zst"
BATCH_ID = "%Y%m%dT%H%M%SZ"
LISTS_STEP = "lists"
LAST_STEP = "workspace"
"""The last step of a batch: loads after its last one belong to an incomplete batch."""

ASIDE = "aside-"
"""The start of the names of folders for loads that no batch or rebuild loads, in a workspace's."""

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


def last_batch_id() -> str:
    """Return the last batch, by its id, that is not of the future; ids of loads begin with it."""
    return (machine_time() + FURTHEST).strftime(BATCH_ID)


def loads_ahead(folder: Path) -> list[Path]:
    """Return the loads of the future in a workspace's folder, in order."""
    last = last_batch_id()
    names = sorted(each for each in folder.glob("*-*-*") if each.name > last and each.is_dir())
    return [each for each in names if _is_load(each)]


def move_aside(loads: Sequence[Path]) -> Path:
    """Move loads of a workspace into a folder beside them, which holds none; return that."""
    folder = loads[0].parent / f"{ASIDE}{machine_time():{BATCH_ID}}"
    folder.mkdir(exist_ok=True)
    for load in loads:
        load.rename(folder / load.name)
    sync(folder.parent)
    return folder


def loads_aside(landing: Path) -> set[tuple[str, str]]:
    """Return the loads that were set aside, each by its workspace and its id."""
    return {(each.parts[-3], each.name) for each in landing.glob(f"*/{ASIDE}*/*")}


def new_loads(folder: Path, began_at: datetime) -> Iterator[str]:
    """Yield the ids of a workspace's next loads, less their step: they sort after all landed ones.

    Loads that began in the same second as the last ones continue their numbers, and so do those
    that began before it by the API's clock, since its servers may disagree by seconds.
    Names of the future are of no loads (`require_past`), and count for nothing.
    """
    last = last_batch_id()
    names = [match for each in folder.glob("*-*-*") if (match := _LOAD_ID.fullmatch(each.name))]
    past = [each for each in names if each["batch"] <= last]
    landed = max((each["batch"] for each in past if not each[0].endswith(UNFINISHED)), default="")
    batch = max(began_at.strftime(BATCH_ID), landed)
    taken = [int(match["number"]) for match in names if match["batch"] == batch]
    return (f"{batch}-{number:06d}" for number in count(max(taken, default=0) + 1))
