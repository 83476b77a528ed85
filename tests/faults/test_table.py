"""The table of faults: it does not rot while the lines that it changes move."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.faults import ROOT, Fault, read_faults


def test_every_fault_changes_one_place_of_a_file_that_still_parses() -> None:
    """Of sixty faults, each changes one place, leaves what parses, and names tests there are."""
    faults = read_faults()
    assert len({fault.id for fault in faults}) == len(faults) == 60
    assert not [f"{fault.id}: {problem}" for fault in faults for problem in _problems(fault)]


def _problems(fault: Fault) -> Iterator[str]:
    if fault.origin not in ("hand", "drawn") or not fault.wrong:
        yield "no origin, or not what goes wrong"
    for test in fault.tests or ("no test",):
        file, _, name = test.partition("::")
        path = ROOT / file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        if f"def {name or 'test'}" not in text:
            yield f"{test} is not there"
    try:
        text = (ROOT / fault.file).read_text(encoding="utf-8")
        changed = fault.applied_to(text)
        if changed == text:
            yield "it changes nothing"
        if fault.file.endswith(".py"):
            ast.parse(changed)
        elif not changed.strip():
            yield f"nothing is left of {fault.file}"
    except (OSError, ValueError, SyntaxError) as error:
        yield str(error)
