"""A batch up to its checks, as a whole process: with all controls of the figures, or plain.

    python -m benchmarks.batch DATA_DIR [plain]

The plain batch reads no counts, and builds and checks no relation that compares figures with the
API's own, nor any that depends on one.
"""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

from analytics.batch import nightly, stages
from analytics.batch.progress import Progress
from analytics.batch.transforming import transform
from analytics.resources import folder
from analytics.settings import load_settings

CONTROLS = {
    "intermediate.int_agent_days_vs_api",
    "intermediate.int_late_usage",
    "intermediate.int_run_differences",
    "marts.fct_adjustments",
    "intermediate.int_agent_billing_days",
}
"""Relations that the plain batch omits, with all that read them."""

FIGURES = {
    "marts.fct_runs",
    "marts.fct_agent_days",
    "marts.fct_workspace_days",
    "marts.fct_usage_hours",
    "marts.fct_billing_days",
}
"""Relations that every batch must have; without them the comparison would be meaningless."""


def main(data_dir: Path, *, is_plain: bool) -> None:
    """Extract, load, transform and check."""
    settings = load_settings(data_dir, data_dir.parent / "analytics.toml")
    with Path(os.devnull).open("w") as nowhere, _plain() if is_plain else nullcontext():
        progress = Progress(nowhere)
        nightly.extract(settings, progress)
        with nightly.batch(settings) as (layout, con):
            transform(con, settings, layout, progress)
            stages.check(con, settings, layout, progress)


@contextmanager
def _plain() -> Iterator[None]:
    async def read_nothing(_: object) -> None:
        pass

    with (
        TemporaryDirectory() as name,
        mock.patch("analytics.extract.workspace.read_counts", read_nothing),
        mock.patch("analytics.transform.build.folder", return_value=Path(name) / "queries"),
        mock.patch("analytics.transform.checks.folder", return_value=Path(name) / "queries"),
    ):
        queries = Path(shutil.copytree(folder("queries"), Path(name) / "queries"))
        left_out = set(CONTROLS)
        while found := [each for each in queries.glob("*/*.sql") if _needs(each, left_out)]:
            for file in found:
                left_out.add(f"{file.parent.name}.{file.stem}")
                file.unlink()
        if missing := FIGURES & left_out:
            sys.exit(f"the plain batch would lack {', '.join(sorted(missing))}")
        yield


def _needs(file: Path, left_out: set[str]) -> bool:
    """Return True if a model or check is omitted, or reads an omitted one."""
    names = {f"{file.parent.name}.{file.stem}", *re.findall(r"\w+\.\w+", file.read_text())}
    return not left_out.isdisjoint(names)


if __name__ == "__main__":
    main(Path(sys.argv[1]), is_plain="plain" in sys.argv[2:])
