"""Data files: what scripts need beyond a page, packed so that five hundred agents stay small.

A data file is a script that registers one compressed JSON document: from disk, a page can load
nothing but scripts. The script is UTF-16, of which each unit holds two bytes of the document: it
grows by 3 %, where base64 would add 33 %. Its byte order mark outranks what a server says it is.
"""

from __future__ import annotations

import re
import zlib
from itertools import accumulate, pairwise
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

from analytics.report.figures.facts import MEASURE_COLUMNS, DayState
from analytics.report.figures.splits import MONEY, ten_billionths, whole_numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from analytics.report.figures.facts import Subject
    from analytics.report.figures.splits import Split
    from analytics.report.writing.blocks import Chart

_LEVEL = 6
# What no literal may hold as it is: quotes, backslashes, ends of lines, halves of pairs. Each is
# written as the mark and the unit with its highest bit turned, which makes it harmless.
_MARK, _TURNED = "\ue000", 0x8000
_UNSAFE = re.compile(f'["\\\\\r\n\u2028\u2029{_MARK}\ud800-\udfff]')
_MARKED = re.compile(f"{_MARK}(.)")
_UNREAD = (None,) * len(MEASURE_COLUMNS)
_measures = attrgetter(*MEASURE_COLUMNS)
_STEPWISE = frozenset({"day", "run", "created"})
_STATES = {
    DayState.COMPLETE: "c",
    DayState.SO_FAR: "s",
    DayState.INCOMPLETE: "i",
    DayState.NO_DATA: "n",
}


def write(file: Path, document: object) -> None:
    """Writes a document; its name is that of the file."""
    text = msgspec.json.encode(_stepwise(document))
    # Digits repeat by chance: to spell them out takes less than to refer back to them.
    pack = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
    packed = pack.compress(text) + pack.flush()
    script = f'\ufefffacts.add("{file.stem}", {len(packed)}, "{_literal(packed)}");\n'
    file.write_bytes(script.encode("utf-16-le"))


def read(file: Path) -> Any:
    """The document of a data file."""
    literal = file.read_text("utf-16").split('"')[3]
    return _summed(msgspec.json.decode(zlib.decompress(_bytes(literal))))


def document(
    subject: Subject, splits: Mapping[str, Split], *, is_resting: bool = False
) -> dict[str, object]:
    """The figures of a subject by day: whole numbers, money in ten-billionths of a dollar."""
    days = list(subject.coverage.calendar.history.days())
    known = [_UNREAD if (day := subject.on(each)) is None else _measures(day) for each in days]
    columns = zip(MEASURE_COLUMNS, zip(*known, strict=True), strict=True)
    return {
        "first": days[0].isoformat(),
        "states": "".join(_STATES[subject.state(day)] for day in days),
        "resting": is_resting,
        "measures": {
            name: whole_numbers([*map(ten_billionths, column)] if name in MONEY else column)
            for name, column in columns
        },
        "splits": {name: split.document() for name, split in splits.items()},
    }


def charts(charts: Mapping[str, Chart]) -> dict[str, object]:
    """What the script draws charts from, by their keys."""
    return {chart.key: chart.spec for chart in charts.values() if chart.spec}


def _literal(packed: bytes) -> str:
    units = (packed + bytes(len(packed) % 2)).decode("utf-16-le", "surrogatepass")
    return _UNSAFE.sub(lambda unit: _MARK + chr(ord(unit[0]) ^ _TURNED), units)


def _bytes(literal: str) -> bytes:
    units = _MARKED.sub(lambda marked: chr(ord(marked[1]) ^ _TURNED), literal)
    return units.encode("utf-16-le", "surrogatepass")


def _stepwise(document: object) -> object:
    """Columns that rise or fall in small steps, as those steps, under a name with a plus."""
    if not isinstance(document, dict):
        return document
    return {
        f"+{name}" if name in _STEPWISE else name: [
            after - before for before, after in pairwise([0, *value])
        ]
        if name in _STEPWISE
        else _stepwise(value)
        for name, value in document.items()
    }


def _summed(document: object) -> object:
    if not isinstance(document, dict):
        return document
    return {
        name.removeprefix("+"): [*accumulate(value)] if name[:1] == "+" else _summed(value)
        for name, value in document.items()
    }
