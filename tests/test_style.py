"""Style: how docstrings begin, words that no file uses any more, and imports without circles."""

from __future__ import annotations

import ast
import re
from collections.abc import Container, Iterator
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
OPENINGS = re.compile(r"(What|How|Whether)\b")
BANNED = re.compile(
    r"insist_on|told_to|\b(dearest|dearer|unmetered|settling|burned|tonight)\b|\bhidden[ _]runs?\b"
    r"|restat(e|ement)|was_cost_usd|is_cost_usd|not_billed",
    re.IGNORECASE,
)
ENDINGS = {".py", ".sql", ".js", ".html", ".toml"}


def test_docstrings_name_their_subject() -> None:
    """No docstring of the package begins with What, How or Whether."""
    found = [
        f"{path.relative_to(ROOT)}:{line}: {text.splitlines()[0]}"
        for path in sorted((ROOT / "analytics").rglob("*.py"))
        for line, text in _docstrings(path)
        if OPENINGS.match(text)
    ]
    assert not found, "\n".join(found)


def test_no_file_uses_a_banned_word() -> None:
    """No source file or page has a word that was replaced."""
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in _sources()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in BANNED.finditer(line)
    ]
    assert not found, "\n".join(found)


def test_no_modules_import_each_other() -> None:
    """There is no circle of imports within the package, imports for types included."""
    modules = {_module(path): path for path in (ROOT / "analytics").rglob("*.py")}
    imports = {name: set(_imports(path, modules)) - {name} for name, path in modules.items()}

    TopologicalSorter(imports).prepare()  # raises CycleError, with the circle


def _module(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _imports(path: Path, modules: Container[str]) -> Iterator[str]:
    """Yield the modules that a file imports, also within functions and for types only."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Import(names):
                yield from (alias.name for alias in names if alias.name in modules)
            case ast.ImportFrom(module=str(package), names=names):
                for alias in names:
                    member = f"{package}.{alias.name}"
                    if found := next((n for n in (member, package) if n in modules), None):
                        yield found


def _sources() -> Iterator[Path]:
    yield from ROOT.glob("*.md")
    yield from (ROOT / "docs").glob("*.md")
    for folder in ("analytics", "queries", "reports", "tests"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in ENDINGS and path != Path(__file__):
                yield path


def _docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """Yield every string that is a statement: docstrings, also those of attributes."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        match node:
            case ast.Expr(value=ast.Constant(value=str(text))):
                yield node.lineno, text.strip()
