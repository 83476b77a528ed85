"""Damage of a page of a file in the data directory, and the batch that comes upon it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from tests.torture.lab import LATER, Lab, Tally
from tests.torture.readers import Broken, check_whole, look

PAGE = 4096
HEADERS = 3
"""Pages that a DuckDB file begins with; each has a checksum of its own."""
PAGES_OF_BLOCK = 64
KINDS = ("a byte turned", "zeros", "noise")


class Page(NamedTuple):
    """A page of a file of the data directory, and how it is damaged."""

    file: Path
    offset: int
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.offset:,} of {self.file}"


def pages(data: Path, stride: int = 1) -> Iterator[Page]:
    """Yield the first page of each file, and every `stride`-th of all others.

    Of a file of several blocks: its first pages, which are DuckDB's headers, and one page of each
    block, at another place each time. A block has one checksum.
    """
    number = 0
    for file in sorted(path for path in data.rglob("*") if path.is_file()):
        size = file.stat().st_size
        for page in range(-(-size // PAGE)):
            block, place = divmod(page - HEADERS, PAGES_OF_BLOCK)
            if size > PAGE * PAGES_OF_BLOCK and page >= HEADERS and place != block % PAGES_OF_BLOCK:
                continue
            number += 1
            if not page or number % stride == 0:
                yield Page(file.relative_to(data), page * PAGE, KINDS[number % len(KINDS)])


def spoil(data: Path, page: Page) -> None:
    """Damage a page; equal pages are damaged alike."""
    chance = random.Random(str(page))
    with (data / page.file).open("r+b") as file:
        file.seek(page.offset)
        content = bytearray(file.read(PAGE))
        if page.kind == "a byte turned":
            content[chance.randrange(len(content))] ^= 0xFF
        else:
            content = bytearray(
                chance.randbytes(len(content)) if page.kind == "noise" else len(content)
            )
        file.seek(page.offset)
        file.write(content)


def damage(lab: Lab, tally: Tally, base: Path, damaged: Iterable[Page]) -> None:
    """Let a batch come upon each damage: it is exact, or names the file, and what it says helps."""
    for page in damaged:
        folder = lab.copy(base)
        spoil(folder / "data", page)
        tally.add("damages")
        try:
            _batch(lab, tally, base, folder, page)
        except Broken as problem:
            tally.found(page, problem)
        shutil.rmtree(folder)


def _batch(lab: Lab, tally: Tally, base: Path, folder: Path, page: Page) -> None:
    moment = lab.moments[LATER.after]
    ended = lab.run(folder, moment, "nightly")
    if ended.code:
        tally.add("refused")
        if "Traceback" in ended.err or page.file.name not in ended.err:
            raise Broken(f"ended with {ended.code} without naming the file: {ended.err[-600:]}")
        if page.file.name != "analytics.duckdb":
            look(folder / "data", lab.moments)
        if "`analytics rebuild`" in ended.err:
            lab.must(folder, moment, "rebuild")
        else:
            shutil.copyfile(base / "data" / page.file, folder / "data" / page.file)
        lab.must(folder, moment, "nightly")
    else:
        tally.add("healed, or not met")
    check_whole(folder / "data", moment)
