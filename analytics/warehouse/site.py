"""A site on the disk: the manifest of its files."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import msgspec

from analytics.files import read_bytes

MANIFEST = "manifest.json"


class Manifest(msgspec.Struct):
    """The SHA-256 of each file, and a digest of the inputs of those that can be taken over.

    `as_of` is the cut-off of the figures.
    """

    as_of: str = ""
    files: dict[str, str] = {}
    inputs: dict[str, str] = {}


def read_manifest(site: Path) -> Manifest:
    """Return the manifest of a site; an empty one if it cannot be read, whatever stands there."""
    try:
        return msgspec.json.decode(read_bytes(site / MANIFEST, site), type=Manifest)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return Manifest()


def link_or_copy(source: str | Path, target: str | Path) -> None:
    """Give a file a second name; copy it where the file system has no such thing."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
