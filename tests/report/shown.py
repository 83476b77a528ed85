"""What a site shows: its data files unpacked, and views of them made by the engine in Node.js."""

from __future__ import annotations

import json
import re
import subprocess
import zlib
from itertools import accumulate
from pathlib import Path
from typing import Any

import playwright

from analytics.report.entities import Entity

_NODE = Path(playwright.__file__).parent / "driver" / "node"
_SCRIPT = re.compile(r'analytics\.add\((\d+), "(.*)"\);\n', re.DOTALL)
_MARKED = re.compile("\ue000(.)", re.DOTALL)


def unpacked(file: Path) -> Any:
    """The document in a data file."""
    found = _SCRIPT.fullmatch(file.read_bytes().decode("utf-16"))
    assert found, file
    units = _MARKED.sub(lambda unit: chr(ord(unit[1]) ^ 0x8000), found[2])
    content = units.encode("utf-16-le", "surrogatepass")[: int(found[1])]
    return json.loads(zlib.decompress(content))


def months_of(site: Path, entity: Entity) -> dict[str, Any]:
    """The data of an entity by month."""
    files = sorted((site / "data").glob(f"20*/{entity.stem}.js"))
    return {file.parent.name: unpacked(file) for file in files}


def rows_of(columns: list[Any], names: list[str]) -> list[dict[str, Any]]:
    """The rows of a relation in a data file."""
    steps, *others = columns
    values = [[*accumulate(steps)]]
    for of in others:
        if isinstance(of, list):
            values.append(of)
        elif "but" in of:
            values.append([of["but"].get(str(row), value) for row, value in enumerate(values[-1])])
        else:
            values.append([of["keys"][code] for code in of.get("codes", range(len(of["keys"])))])
    return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]


def asked(
    site: Path, page: str, entity: Entity, choices: list[dict[str, Any]], **changes: Any
) -> dict[str, Any]:
    """What the engine is asked for the parts of a page: of the site's files, but for `changes`."""
    specification = unpacked(site / "data" / "pages" / f"{page}.js")
    return {
        "site": unpacked(site / "data" / "site.js"),
        "workspace": entity.workspace_id if entity.scope != "site" else None,
        "agent": entity.agent_id if entity.scope == "agent" else None,
        "documents": months_of(site, entity),
        "parts": specification["parts"],
        "columns": specification["columns"],
        "choices": choices,
    } | changes


def views(asked: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The views of all parts and the summary, for each page asked for and each of its choices."""
    lines = "\n".join(map(json.dumps, asked))
    done = subprocess.run(
        [_NODE, Path(__file__).with_name("views.mjs")],
        input=lines, capture_output=True, text=True, check=False, encoding="utf-8",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]
