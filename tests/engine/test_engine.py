from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import playwright

from analytics.report.looks import looks
from analytics.report.site import bundle

HERE = Path(__file__).parent
ENGINE = HERE.parents[1] / "reports" / "engine"
NODE = Path(playwright.__file__).parent / "driver" / "node"


def _node(*arguments: str | Path) -> None:
    given = {**os.environ, "LOOKS": json.dumps(looks())}
    done = subprocess.run(
        [NODE, *arguments], capture_output=True, text=True, check=False, env=given
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_engine_does_as_its_own_tests_say() -> None:
    """The tests of the script pass in the Node.js that Playwright brings."""
    _node("--test", *sorted(HERE.glob("*.test.mjs")))


def test_no_name_of_the_bundle_is_taken_twice(tmp_path: Path) -> None:
    """The script of a site declares each name but once."""
    (tmp_path / "engine.js").write_text(bundle(), "utf-8")

    _node("--check", tmp_path / "engine.js")


def test_lines_of_the_engine_are_short() -> None:
    """No line is longer than those of Python and SQL may be, and no module longer than theirs."""
    for file in ENGINE.glob("*.js"):
        lines = file.read_text("utf-8").splitlines()
        assert max(map(len, lines)) <= 100
        assert len(lines) <= 400
