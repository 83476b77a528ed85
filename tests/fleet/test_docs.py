"""The page of fleets: its commands run as they stand, and what they publish is read as it says."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("ray", reason="no extra `fleet` here: make test-all")

from analytics.emulator.server import Emulator
from tests.docs.conftest import folder, published
from tests.docs.pages import ROOT, blocks_under

__all__ = ["folder", "published"]

SECTIONS = ("The first fleet, on one machine", "What other engines read", "Into a fleet, and back")


# Python runs it first in each process, also in those that Ray starts.
AT = """from datetime import datetime
from analytics import machine_clock
machine_clock._clocks.append(lambda: datetime.fromisoformat("{}"))
"""


def test_the_page_does_what_it_says(
    folder: Path,
    published: tuple[Path, Emulator],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A first fleet, its tables in Polars, and the way into a fleet and back, as written."""
    at = tmp_path_factory.mktemp("at")
    (at / "sitecustomize.py").write_text(AT.format(published[1].world.now.isoformat()))
    monkeypatch.setenv("PYTHONPATH", f"{at}:{ROOT}")
    analytics = f"{shlex.quote(sys.executable)} -m analytics"
    for block in [each for heading in SECTIONS for each in blocks_under("fleet.md", heading)]:
        if block.file:
            (folder / block.file).write_text(block.code, encoding="utf-8")
        elif block.language == "sh" and not block.code.startswith("pip "):
            shell(block.code.replace("analytics ", f"{analytics} "), folder)
        elif "polars" in block.needs:
            shell(f"{shlex.quote(sys.executable)} - <<'END'\n{block.code}END\n", folder)
    assert (folder / "fleet" / "published" / "site" / "index.html").exists()
    shell(f"{analytics} nightly --data-dir moved/shards/bakery", folder)


def shell(commands: str, folder: Path) -> None:
    """Run commands, of which none may fail."""
    done = subprocess.run(
        ["/bin/sh", "-eu"],
        input=commands,
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{commands}\n{done.stdout}{done.stderr}"
