"""All benchmarks, one after another: `make bench`.

The pipeline and the peer run in turn against the same served fleet, as whole processes, each in an
environment with its own dependencies only.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from analytics.cli.emulator import command_at
from benchmarks import details, site
from benchmarks.fleet import AGENTS, RUNS_PER_AGENT, Served, served
from benchmarks.measure import Run, median, megabytes, run, seconds

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
OUR_ENVIRONMENT = ROOT / "build" / "bench-ours"
PEER_ENVIRONMENT = ROOT / "build" / "bench-peer"
ROUNDS = 5
CHANGE = 0.01
PAST = 900_000
SETTLED = timedelta(days=3)
"""After it, no run that has ended is read again."""

_OURS = str(OUR_ENVIRONMENT / "bin" / "python")
_PEER = str(PEER_ENVIRONMENT / "bin" / "python")


def main() -> None:
    """Run all parts, and print their results; a part's name as an argument runs that part alone."""
    parts = sys.argv[1:] or ["lists", "details", "past"]
    shutil.rmtree(BUILD, ignore_errors=True)
    BUILD.mkdir(parents=True)
    if "lists" in parts:
        _set_up(PEER_ENVIRONMENT, "-r", str(ROOT / "benchmarks" / "requirements.txt"))
    if {"lists", "past"} & set(parts):
        _set_up(OUR_ENVIRONMENT, "-c", str(_locked_versions()), "-e", str(ROOT))
        _help_time()
        with served() as fleet:
            environment = _environment(fleet)
            if "lists" in parts:
                _run_lists(fleet, environment)
            if "past" in parts:
                _long_past(fleet, environment)
    if "details" in parts:
        with served() as fleet:
            details.measure(fleet, BUILD, _environment(fleet))


def _own_environment() -> dict[str, str]:
    """Return environment variables that keep compiled modules, as on any machine in use."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}


def _environment(fleet: Served) -> dict[str, str]:
    return _own_environment() | {
        "LEVAIN_API": fleet.url,
        "LEVAIN_API_KEY": fleet.api_key,
        "RUNTIME__DLTHUB_TELEMETRY": "false",
    }


def _set_up(environment: Path, *what: str) -> None:
    python = str(environment / "bin" / "python")
    if Path(python).exists():
        return
    print("setting up", environment.relative_to(ROOT))
    if shutil.which("uv"):
        subprocess.run(
            ["uv", "venv", "--quiet", environment, "--python", sys.executable], check=True
        )
        install = ["uv", "pip", "install", "--quiet", "--compile-bytecode", "--python", python]
    else:
        subprocess.run([sys.executable, "-m", "venv", environment], check=True)
        install = [python, "-m", "pip", "install", "--quiet"]
    subprocess.run([*install, *what], check=True)


def _locked_versions() -> Path:
    """Write the locked versions without hashes, since pip refuses hashes beside a local folder."""
    file = BUILD / "constraints.txt"
    locked = re.findall(
        r"^\S+==[^\\\n]+", (ROOT / "requirements" / "runtime.lock").read_text(), re.MULTILINE
    )
    file.write_text("\n".join(locked))
    return file


def _help_time() -> None:
    command = [_OURS, "-m", "analytics", "--help"]
    kept = _own_environment()
    run(command, kept)
    print(f"\n`analytics --help`: {seconds([run(command, kept) for _ in range(ROUNDS)])}")


def _run_lists(fleet: Served, environment: dict[str, str]) -> None:
    """The run lists alone, 100,000 runs: the first batch, and batches with 1 % new or changed."""
    print(
        f"\nRun lists alone, {AGENTS * RUNS_PER_AGENT:,} runs of {AGENTS} agents, {ROUNDS} rounds"
    )
    _print("first batch", [_both(number, environment) for number in range(ROUNDS)])
    following: list[tuple[Run, Run]] = []
    for _ in range(ROUNDS):
        fleet.change(CHANGE)
        following.append(_both(0, environment))
    _print(f"a batch with {CHANGE:.0%} new or changed", following)


def _both(number: int, environment: dict[str, str]) -> tuple[Run, Run]:
    ours = [_OURS, "-m", "benchmarks.ours", "lists", str(BUILD / f"ours-{number}")]
    peer = [_PEER, str(ROOT / "benchmarks" / "peer.py"), str(BUILD / f"peer-{number}")]
    return run(ours, environment), run(peer, environment)


def _print(what: str, pairs: list[tuple[Run, Run]]) -> None:
    ours, peer = [a for a, _ in pairs], [b for _, b in pairs]
    print(f"  {what}")
    print(f"    ours  {seconds(ours):28} peak {megabytes(ours)}")
    print(f"    dlt   {seconds(peer):28} peak {megabytes(peer)}")
    print(
        f"    ratio dlt / ours {median(peer) / median(ours):.1f}, ours / dlt "
        f"{median(ours) / median(peer):.2f}"
    )


def _long_past(fleet: Served, environment: dict[str, str]) -> None:
    """Whole batches on 100,000 and on 1,000,000 stored runs, after the same change."""
    short, long = BUILD / "short", BUILD / "long"
    settings = BUILD / "analytics.toml"
    settings.write_text("[extract]\nhistory_days = 60\n")

    def analytics(command: str, data: Path, *options: str) -> Run:
        place = ["--data-dir", str(data), "--config", str(settings)]
        return run([_OURS, *command_at(fleet.now, command, *place, *options)[1:]], environment)

    def extract(data: Path) -> Run:
        code = "import sys; from analytics.cli.demo import read; read(*sys.argv[1:])"
        moment = fleet.now.isoformat()
        return run([_OURS, "-c", code, moment, str(data), str(settings)], environment)

    extract(short)
    shutil.copytree(short, long)
    # In a process of its own: a child's peak memory counts from what its parent holds.
    run([_OURS, "-m", "benchmarks.history", str(long), str(PAST)], environment)
    batches: list[tuple[Run, Run]] = []
    for _ in range(ROUNDS):
        fleet.change(CHANGE)
        batches.append((extract(short), extract(long)))
    small, large = [a for a, _ in batches], [b for _, b in batches]
    print(f"\nExtract and load of a batch with {CHANGE:.0%} of 100,000 runs new or changed")
    print(f"  on   100,000 stored runs {seconds(small):28} peak {megabytes(small)}")
    print(f"  on 1,000,000 stored runs {seconds(large):28} peak {megabytes(large)}")
    print(f"  ratio {median(large) / median(small):.2f}")
    made = {short: "100,000", long: "1,000,000"}
    for data, name in made.items():
        print(f"{name} runs, a first time: {_stages(analytics, data)}")
    _whole_batches(fleet, analytics, made, CHANGE)
    for span in (timedelta(), SETTLED):  # reads all details, then what will not change any more
        fleet.rest(span)
        for data in made:
            analytics("nightly", data)
    _whole_batches(fleet, analytics, made, 0)
    site.measure(long, BUILD, environment)


def _whole_batches(
    fleet: Served, analytics: Callable[..., Run], made: dict[Path, str], share: float
) -> None:
    """Whole batches, on each directory after the same change of that share of the runs."""
    after: dict[Path, list[Run]] = {data: [] for data in made}
    for _ in range(ROUNDS):
        if share:
            fleet.change(share)
        for data, batches in after.items():
            batches.append(analytics("nightly", data, "--log-format", "json"))
    print(f"A whole batch with {share:.0%} of 100,000 runs new or changed")
    for data, name in made.items():
        print(f"  on {name:>9} stored runs {seconds(after[data]):28} {megabytes(after[data])}")
        print(f"    {_stage_medians(after[data])}")
    small, large = after.values()
    print(f"  ratio {median(large) / median(small):.2f}")


def _stage_medians(batches: list[Run]) -> str:
    """Return the median of the seconds of each stage."""
    stages = [each.stages() for each in batches]
    return ", ".join(
        f"{name} {statistics.median(each[name] for each in stages):.2f} s" for name in stages[0]
    )


def _stages(analytics: Callable[..., Run], data: Path) -> str:
    """Run a batch; return the seconds of each stage, and the published size."""
    stages = analytics("nightly", data, "--log-format", "json").stages()
    size = (data / "analytics.duckdb").stat().st_size / 1e6
    told = ", ".join(f"{stage} {seconds:.1f} s" for stage, seconds in stages.items())
    return f"{told}; published file {size:.0f} MB"


if __name__ == "__main__":
    main()
