from __future__ import annotations

import re
import subprocess
from pathlib import Path

import playwright
import pytest

from analytics.fleet import overview
from analytics.report import site

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "reports" / "engine"
NODE = Path(playwright.__file__).parent / "driver" / "node"
MODULES = site.ENGINE[: site.ENGINE.index("load")]  # free of the page


def _node(*arguments: str | Path) -> None:
    done = subprocess.run([NODE, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_engine_does_as_its_own_tests_say() -> None:
    """The tests of the script pass in the Node.js that Playwright brings."""
    _node("--test", *sorted(HERE.glob("*.test.mjs")))


def test_modules_can_be_joined_to_one_script(tmp_path: Path) -> None:
    """Without imports and exports, modules stand one after another: no name is taken twice."""
    texts = [(ENGINE / f"{name}.js").read_text("utf-8") for name in MODULES]
    assert {file.stem for file in ENGINE.glob("*.js")} >= set(MODULES)
    assert not any(
        re.search(r"^import .* as |^export default", each, re.MULTILINE) for each in texts
    )
    whole = re.sub(r"^import [^;]*;\n|^export ", "", "".join(texts), flags=re.MULTILINE)
    (tmp_path / "engine.js").write_text(f"(() => {{\n{whole}\n}})();\n", "utf-8")

    _node("--check", tmp_path / "engine.js")
    _node(tmp_path / "engine.js")


@pytest.mark.parametrize("modules", [site.ENGINE, overview.ENGINE])
def test_no_name_of_a_bundle_is_taken_twice(modules: tuple[str, ...], tmp_path: Path) -> None:
    """The script of a site, and that of a fleet's overview, declare each name but once."""
    (tmp_path / "engine.js").write_text(site.bundle(ENGINE, modules), "utf-8")

    _node("--check", tmp_path / "engine.js")


def test_lines_of_the_engine_are_short() -> None:
    """No line is longer than those of Python and SQL may be, and no module longer than theirs."""
    for file in ENGINE.glob("*.js"):
        lines = file.read_text("utf-8").splitlines()
        assert max(map(len, lines)) <= 100
        assert len(lines) <= 400
