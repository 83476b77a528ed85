"""Figures of an earlier publication, as whole processes: `sql`, `trace` and exports `--as-of`.

    python -m benchmarks.as_of DATA_DIR

The directory has at least two publications of the fleet: measured is the last but one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from analytics.warehouse.layout import Layout
from analytics.warehouse.publications import moments_on_record
from benchmarks.measure import cpu_seconds, megabytes, run, seconds

ROUNDS = 5
COMMANDS = {
    "sql, fct_agent_days": ("sql", "select sum(cost_usd) from fct_agent_days"),
    "sql, fct_runs": ("sql", "select sum(cost_usd) from fct_runs"),
    "sql, fct_workspace_months": ("sql", "from fct_workspace_months"),
    "trace of an agent's day": ("trace", "--agent", "agent-316", "--date", "2026-11-19"),
    "export month": ("export", "month", "2026-11"),
    "export journal": ("export", "journal", "2026-11"),
    "export focus, of 21,434 rows": (
        "export", "focus", "2026-11", "--dataset", "cost-and-usage",
    ),
    "export pack": ("export", "pack", "2026-11", "--output", "pack.zip"),
}  # fmt: skip


def measure(data_dir: Path, environment: dict[str, str], python: str) -> None:
    """Print the seconds of each command as of the last publication but one, and of today's."""
    moment = moments_on_record(Layout(data_dir))[-2].isoformat()
    for name, command in COMMANDS.items():
        told = []
        for as_of in (("--as-of", moment), ()):
            runs = []
            for _ in range(ROUNDS):
                with TemporaryDirectory() as folder:
                    line = [python, "-m", "analytics", *command, *as_of]
                    runs.append(run([*line, "--data-dir", str(data_dir)], environment, folder))
            told.append(f"{seconds(runs)}, CPU {cpu_seconds(runs)}, peak {megabytes(runs)}")
        print(f"  {name:28} {told[0]:50} published: {told[1]}", flush=True)


if __name__ == "__main__":
    measure(Path(sys.argv[1]).resolve(), dict(os.environ), sys.executable)
