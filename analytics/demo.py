"""The whole product without a key: two batches against the emulator, then reports to open.

python -m analytics.demo [DATA_DIR]
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

SEED = 1
MARKER = "demo.toml"
"""The demo's settings file, by which it knows a data directory of its own again."""

QUESTION = (
    "select agent_name, sum(complete_cost_usd) as cost_usd"
    " from fct_agent_months_complete group by 1 order by 2 desc"
)

_ANALYTICS = (sys.executable, "-m", "analytics")


def main(data_dir: Path) -> int:
    """Run two batches into `data_dir`, which is made anew; the exit code of the last."""
    if data_dir.exists() and any(data_dir.iterdir()):
        if not (data_dir / MARKER).exists():
            print(
                f"error: {data_dir} holds data that is not the demo's.\n"
                "Name another place: make run DATA=demo-data",
                file=sys.stderr,
            )
            return 2
        shutil.rmtree(data_dir)
    data_dir.mkdir(parents=True, exist_ok=True)
    yesterday = datetime.now(UTC) - timedelta(days=1)
    with emulator(yesterday) as api:
        environment = _write_settings(data_dir / MARKER, api)
        nightly = [*_ANALYTICS, "nightly", "--data-dir", str(data_dir)]
        nightly += ["--config", str(data_dir / MARKER)]
        print("— the first batch", file=sys.stderr)
        first = subprocess.run(nightly, env=environment, stdout=subprocess.DEVNULL, check=False)
        if first.returncode:
            return first.returncode
        print("— a day passes: runs end and start, a cost is corrected", file=sys.stderr)
        httpx.post(f"{api['url']}/emulator/pass-time", json={"hours": 24}).raise_for_status()
        print("— the second batch", file=sys.stderr)
        second = subprocess.run(nightly, env=environment, check=False)
    if second.returncode == 0:
        print(f"Ask:     .venv/bin/analytics sql --data-dir {data_dir} '{QUESTION}'")
    return second.returncode


@contextmanager
def emulator(now: datetime) -> Iterator[dict[str, Any]]:
    """A running emulator whose clock starts at `now`; yields its first line."""
    command = [*_ANALYTICS, "emulator", "--port", "0", "--seed", str(SEED)]
    command += ["--now", now.strftime("%Y-%m-%dT%H:%M:%S")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            sys.exit("error: the emulator did not start")
        yield json.loads(line)
    finally:
        process.terminate()
        process.wait()


def _write_settings(file: Path, api: dict[str, Any]) -> dict[str, str]:
    """Write the settings; the keys go into the environment, which is returned."""
    environment = dict(os.environ)
    tables = []
    for workspace in api["workspaces"]:
        words = re.findall(r"[A-Z0-9]+", workspace["workspace_name"].upper())
        variable = "LEVAIN_KEY_" + "_".join(words)
        environment[variable] = workspace["api_key"]
        tables.append(f'[[workspaces]]\napi_key_env = "{variable}"\napi = "{api["url"]}"\n')
    file.write_text("\n".join(tables), encoding="utf-8")
    return environment


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "data")))
