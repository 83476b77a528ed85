"""`make audit`: known vulnerabilities are told, and so is that none could be looked up."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.docs.pages import ROOT

SOUND = {"name": "duckdb", "version": "2.0.1", "vulns": []}
FLAW = {"id": "PYSEC-1", "aliases": ["CVE-2026-1"], "fix_versions": ["1.1"], "description": ""}
UNSOUND = {"name": "left", "version": "1.0", "vulns": [FLAW]}
SKIPPED = {"name": "right", "skip_reason": "Dependency not found"}


def audited(folder: Path, script: str) -> tuple[int, str, str]:
    """Audit two locks with a stand-in for pip-audit; return exit code, output and errors."""
    program = folder / "pip-audit"
    named = '[ "${*##*--disable-pip}" = " --requirement first.lock --requirement second.lock" ]'
    program.write_text(f"#!/bin/sh\n{named} || exit 9\n{script}\n", encoding="utf-8")
    program.chmod(0o700)
    done = subprocess.run(
        [sys.executable, ROOT / ".ci" / "audit.py", program, "first.lock", "second.lock"],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("packages", "code", "words"),
    [
        ([SOUND], 0, "No known vulnerability in 1 locked packages."),
        ([SOUND, UNSOUND], 1, "left 1.0: PYSEC-1, CVE-2026-1; mended in 1.1"),
        ([SOUND, SKIPPED], 2, "1 of 2 packages were not audited: Dependency not found"),
        ([UNSOUND, SKIPPED], 2, "left 1.0: PYSEC-1"),
        ([], 2, "not audited"),
    ],
)
def test_only_packages_that_were_looked_up_are_sound(
    tmp_path: Path, packages: list[dict[str, Any]], code: int, words: str
) -> None:
    """A package that the database was not asked about fails the audit, as no answer does."""
    answer = json.dumps({"dependencies": packages})
    ended, out, err = audited(tmp_path, f"cat <<'END'\n{answer}\nEND")
    unreached = audited(tmp_path, "echo Traceback >&2; echo 'no such host' >&2; exit 1")

    assert ended == code
    assert words in out + err
    assert unreached == (2, "", "error: nothing was audited: no such host\n")
