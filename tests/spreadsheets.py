"""Workbooks as a test reads them, and LibreOffice, which opens and calculates them anew."""

from __future__ import annotations

import re
import shutil
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Callable
from itertools import count, takewhile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

OFFICE = shutil.which("soffice") or ""
WHY_NOT = "LibreOffice is not installed: no program opens the workbook"

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_FORMULA_WITH_VALUE = re.compile(rb"(<c [^>]*>)(<f>[^<]*</f>)<v>[^<]*</v>")
_ALWAYS_CALCULATE = """<?xml version="1.0" encoding="UTF-8"?>
<oor:items xmlns:oor="http://openoffice.org/2001/registry">
<item oor:path="/org.openoffice.Office.Calc/Formula/Load">
<prop oor:name="OOXMLRecalcMode" oor:op="fuse"><value>0</value></prop></item>
</oor:items>
"""

Cells = dict[str, Any]


def read_cells(file: Path, what: str = "v") -> dict[str, Cells]:
    """Return each sheet's cells by their names: numbers, and text as text.

    `f` instead of `v` gives the formulas, of cells that have one.
    """
    with zipfile.ZipFile(file) as book:
        trees = {
            name: ElementTree.fromstring(book.read(name))
            for name in book.namelist()
            if name.endswith(".xml")
        }
    strings = [
        "".join(part.text or "" for part in each.iter(f"{_MAIN}t"))
        for each in trees.get("xl/sharedStrings.xml", ())
    ]
    names = [str(each.get("name")) for each in trees["xl/workbook.xml"].iter(f"{_MAIN}sheet")]
    found: dict[str, Cells] = {}
    for number, name in enumerate(names, 1):
        found[name] = {}
        for cell in trees[f"xl/worksheets/sheet{number}.xml"].iter(f"{_MAIN}c"):
            inline = cell.find(f"{_MAIN}is")
            if inline is not None and what == "v":
                found[name][str(cell.get("r"))] = "".join(inline.itertext())
            elif (value := cell.findtext(f"{_MAIN}{what}")) is not None:
                found[name][str(cell.get("r"))] = _value(value, cell.get("t"), what, strings)
    return found


def rows_of(cells: Cells, head: int = 1) -> list[dict[str, Any]]:
    """Return the rows of the table whose headings are in row `head`, up to a row without cells."""
    rows: defaultdict[int, dict[str, Any]] = defaultdict(dict)
    for name, value in cells.items():
        letters = name.rstrip("0123456789")
        rows[int(name.removeprefix(letters))][letters] = value
    heads = rows[head]
    assert len({*heads.values()}) == len(heads), "two columns have one heading"
    of_table = takewhile(rows.__contains__, count(head + 1))
    return [{name: rows[number].get(at) for at, name in heads.items()} for number in of_table]


def calculated(file: Path, folder: Path) -> Path:
    """Return the workbook with every formula calculated anew by LibreOffice, from no value."""
    bare = _edited(file, folder, "xl/worksheets/", _FORMULA_WITH_VALUE, rb"\1\2")
    return converted(bare, "xlsx", folder / "calculated")


def only_first_sheet(file: Path, folder: Path) -> Path:
    """Return the workbook with all other sheets hidden and without pages, so that none prints."""
    shown = re.compile(
        rb'(<sheet )(?=[^>]*sheetId="(?!1"))|<definedName [^>]*localSheetId="[^0].*?/definedName>'
    )
    return _edited(
        file, folder, "xl/workbook.xml", shown,
        lambda found: b'<sheet state="hidden" ' if found[1] else b"",
    )  # fmt: skip


def converted(file: Path, form: str, folder: Path) -> Path:
    """Return a file that LibreOffice makes of another one."""
    profile = folder / "profile" / "user"
    profile.mkdir(parents=True)
    (profile / "registrymodifications.xcu").write_text(_ALWAYS_CALCULATE, encoding="utf-8")
    command = [
        OFFICE, f"-env:UserInstallation={profile.parent.as_uri()}", "--headless",
        "--convert-to", form, "--outdir", folder, file,
    ]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    return folder / f"{file.stem}.{form}"


def page_sizes(pdf: Path) -> list[tuple[int, int]]:
    """Return width and height of each page of a PDF, in points."""
    sizes = re.findall(rb"/MediaBox ?\[0 0 ([0-9.]+) ([0-9.]+)\]", pdf.read_bytes())
    return [(round(float(width)), round(float(height))) for width, height in sizes]


def _edited(
    file: Path,
    folder: Path,
    part: str,
    found: re.Pattern[bytes],
    by: bytes | Callable[[re.Match[bytes]], bytes],
) -> Path:
    """Return a copy of a workbook in which what is found in its parts is replaced."""
    copy = folder / "edited.xlsx"
    with zipfile.ZipFile(file) as book, zipfile.ZipFile(copy, "w") as target:
        for entry in book.infolist():
            content = book.read(entry)
            is_part = entry.filename.startswith(part)
            target.writestr(entry, found.sub(by, content) if is_part else content)
    return copy


def _value(value: str, kind: str | None, what: str, strings: list[str]) -> Any:
    if what == "f":
        return value
    if kind == "s":
        return strings[int(value)]
    return value if kind == "str" or not value else float(value)
