"""Publications whose file and site tell the number of their batch, and kills of what makes them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from analytics.report.files import read_manifest
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import publish as publish_staged
from analytics.warehouse.publish import require_places, tidy
from tests.batches import Killed, killed_before

CALLS: list[tuple[Any, str]] = [
    *((os, name) for name in ("mkdir", "rename", "replace", "link", "symlink", "unlink", "rmdir")),
    *((os, name) for name in ("chmod", "fsync")),
    (shutil, "copyfile"),
    (subprocess, "run"),
]
"""All by which a publication changes the disk."""

OWN = {".lock", "analytics.duckdb", "publications", "published", "site"}
"""All that lies in the data directory of these tests between batches."""


def moment_of(batch: int) -> datetime:
    """Return when a batch is published."""
    return datetime(2026, 11, 20, 6, tzinfo=UTC) + timedelta(hours=batch)


def write(file: Path, site: Path, batch: int) -> None:
    """Write the file of a batch, and its site: each file names it, and one is of it alone."""
    files = {"index.html": f"{batch}", "data/days.js": f"{batch}", f"data/{batch}/x.js": "x"}
    for name, content in files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(content)
    digests = {name: sha256(text.encode()).hexdigest() for name, text in files.items()}
    (site / "manifest.json").write_text(json.dumps({"as_of": f"{batch}", "files": digests}))
    file.write_text(f"{batch}")


def stage(layout: Layout, batch: int) -> None:
    """Make what a batch publishes, as its stages before do."""
    tidy(layout)
    require_places(layout)
    write(layout.staged_file, layout.staged_site, batch)


def publish(layout: Layout, batch: int, mode: int = 0o600) -> None:
    """Publish what is staged, as of the moment of a batch."""
    publish_staged(layout, moment_of(batch), mode, b"{}")
    tidy(layout)


def publish_all(layout: Layout, *batches: int) -> None:
    for batch in batches:
        stage(layout, batch)
        publish(layout, batch)


def published(layout: Layout) -> tuple[int | None, int | None]:
    """Return the batches of file and site, None for none; its files are those of its manifest."""
    file = int(layout.published_file.read_text()) if layout.published_file.exists() else None
    if not layout.site.exists():
        return file, None
    digests = {
        str(path.relative_to(layout.site)): sha256(path.read_bytes()).hexdigest()
        for path in layout.site.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }
    manifest = read_manifest(layout.site)
    assert digests == manifest.files
    return file, int(manifest.as_of)


def require_tidy(layout: Layout, batch: int) -> None:
    """Assert that all of a batch is published, and nothing else is there."""
    assert published(layout) == (batch, batch)
    assert {path.name for path in layout.root.iterdir()} <= OWN
    assert {layout.published_file.is_symlink(), layout.site.is_symlink()} == {True}
    kept = {path.name for path in layout.published.iterdir()}
    assert kept == {"now", str((layout.published / "now").readlink())}


def kills(layout: Layout, given: Callable[[], object], work: Callable[[], object]) -> Iterator[int]:
    """Do some work on what is given, and kill that at each call; yield after each kill."""
    for call in range(1000):
        shutil.rmtree(layout.root)
        layout.root.mkdir()
        given()
        try:
            with killed_before(call, CALLS):
                work()
        except Killed:
            yield call
        else:
            assert call > 5
            return
