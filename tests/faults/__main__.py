"""Apply faults one at a time to a copy of the tree, and run the tests that are named for each.

    python -m tests.faults          all of them
    python -m tests.faults H05 D12  these

Exit 1 where more than three are not found.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import ROOT, Fault, read_faults

MOST_NOT_FOUND = 3
LONGEST = 900
"""Seconds of one run of tests; a fault that makes it longer is found."""

_FAILED = re.compile(r"^(?:FAILED|ERROR) (\S+)", re.MULTILINE)


def copy_tree(target: Path) -> None:
    """Copy the files that git tracks or does not ignore, as they are now."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(listed, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    for name in filter(None, names.split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)


@contextmanager
def applied(fault: Fault, tree: Path) -> Iterator[None]:
    """Change the file of a fault; ValueError if it is to be moved."""
    file = tree / fault.file
    text = file.read_text(encoding="utf-8")
    changed = fault.applied_to(text)
    compiled = Path(cache_from_source(str(file)))  # its time stamp may be that of the other text
    try:
        compiled.unlink(missing_ok=True)
        file.write_text(changed, encoding="utf-8")
        yield
    finally:
        file.write_text(text, encoding="utf-8")
        compiled.unlink(missing_ok=True)


def first_failure(tree: Path, tests: tuple[str, ...]) -> str | None:
    """Run tests of a tree until one fails; return its name, None if none does."""
    options = ["-x", "-q", "-p", "no:cacheprovider", "--basetemp", tree.parent / "tests"]
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *options, *tests],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree)},  # so that programs see the copy, too
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=LONGEST)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return f"no end of {' '.join(tests)}"
    if process.returncode == 0:
        return None
    found = _FAILED.search(output)
    return found[1] if found else output.strip().rpartition("\n")[2]


def result_of(fault: Fault, tree: Path, clean: Callable[[tuple[str, ...]], str | None]) -> str:
    """Return the test that finds a fault, else in capitals why there is none."""
    if wrong := clean(fault.tests):
        return f"FAILS WITHOUT THE FAULT: {wrong}"
    try:
        with applied(fault, tree):
            return first_failure(tree, fault.tests) or "NOT FOUND"
    except ValueError as error:
        return f"NOT APPLIED, {error}"


def main(ids: list[str]) -> int:
    """Try the faults with these ids, or all; return the exit code."""
    faults = [each for each in read_faults() if each.id in ids or not ids]
    if unknown := {*ids} - {each.id for each in faults}:
        print(f"There is no fault {', '.join(sorted(unknown))}.", file=sys.stderr)
        return 2
    with TemporaryDirectory(prefix="faults-") as folder:
        tree = Path(folder) / "tree"
        copy_tree(tree)
        clean = cache(lambda tests: first_failure(tree, tests))
        found = 0
        for fault in faults:
            began = time.monotonic()
            result = result_of(fault, tree, clean)
            found += not result.startswith(("NOT ", "FAILS "))
            print(f"{fault.id} | {result} | {time.monotonic() - began:.0f} s", flush=True)
    print(f"found {found} of {len(faults)}")
    return int(len(faults) - found > MOST_NOT_FOUND)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
