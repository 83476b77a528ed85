"""Sixty faults, each a change of one place, that tests must find: `python -m tests.faults`."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = Path(__file__).with_name("faults.tsv")


@dataclass(frozen=True)
class Fault:
    """A line of the table: `old` occurs once in `file`, and `new` takes its place.

    `origin` is hand or drawn, `wrong` what goes wrong, and `tests` what is named to find it. In
    the table, `\\n` in a text stands for the end of a line.
    """

    id: str
    origin: str
    file: str
    old: str
    new: str
    wrong: str
    tests: tuple[str, ...]

    def applied_to(self, text: str) -> str:
        """Return the text of the file with the fault; ValueError unless `old` occurs once."""
        if (count := text.count(self.old)) != 1:
            raise ValueError(f"to be moved: `{self.old}` occurs {count} times in {self.file}")
        return text.replace(self.old, self.new)


def read_faults() -> list[Fault]:
    """Return the faults of the table in their order."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE, lineterminator="\n")
        return [
            Fault(
                **row
                | {each: row[each].replace("\\n", "\n") for each in ("old", "new")}
                | {"tests": tuple(row["tests"].split())}
            )
            for row in rows
        ]
