"""The code blocks of the documentation, and the words of its tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from docs import generate

ROOT = generate.ROOT
SHOWN_KEY = "levain_…"
"""Stands for a key, in place of which a test puts a real one."""

SHOWN_ADDRESS = "<repository address>"
"""Stands for the address of the repository, as `git clone` takes it."""

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>needs|file): (?P<value>[^>]+) -->\n\n)?"
    r"^```(?P<language>\w*)\n(?P<code>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)
_BAR = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Block:
    """A code block, after a comment `needs: packages` or `file: path`, if there is one."""

    page: Path
    line: int
    language: str
    code: str
    needs: tuple[str, ...] = ()
    file: str | None = None

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def text_of(name: str) -> str:
    """Return the text of a page of docs/."""
    return (generate.DOCS / name).read_text(encoding="utf-8")


def blocks() -> list[Block]:
    """Return every block of every page."""
    found = []
    for page in generate.pages():
        text = page.read_text(encoding="utf-8")
        for match in _BLOCK.finditer(text):
            line = text.count("\n", 0, match.start("language")) + 1
            marks = {match["mark"]: match["value"]}
            needs = tuple(marks.get("needs", "").split())
            found.append(
                Block(page, line, match["language"], match["code"], needs, marks.get("file"))
            )
    return found


def blocks_in(language: str) -> list[Block]:
    """Return the blocks of a language; those that are files are used by the commands after them."""
    return [each for each in blocks() if each.language == language and not each.file]


def blocks_under(page: str, heading: str) -> list[Block]:
    """Return the blocks of a section of a page of docs/, or those before its first section."""
    text = f"\n{text_of(page)}".replace("\n# ", "\n## ", 1)
    before, _, after = text.partition(f"\n## {heading}\n")
    first = before.count("\n")
    last = first + after.partition("\n## ")[0].count("\n") + 1
    return [
        each for each in blocks() if each.page == generate.DOCS / page and first < each.line <= last
    ]


def rows(text: str, head: str) -> list[list[str]]:
    """Return the rows of all tables with this head, `first | second`."""
    found = []
    for part in text.split(f"\n| {head} |\n")[1:]:
        _, *lines = part.partition("\n\n")[0].splitlines()
        found += [[each.strip() for each in _BAR.split(line)[1:-1]] for line in lines]
    return found
