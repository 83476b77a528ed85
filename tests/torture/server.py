"""Runs commands in children that it forks: Python and its modules are loaded only once.

Run as a program, with one request a line on standard input: arguments, working directory,
environment, and files for standard output and standard error. It answers with the exit code, which
is negative for a signal. Each command has a process group of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import select
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, NamedTuple

import analytics
from tests.torture.shim import Shim

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """A command that ended: its exit code, negative for a signal, and what it printed."""

    code: int
    out: str
    err: str


class Server:
    """Commands under the shim."""

    def __init__(self, shim: Shim, folder: Path, disabled_optimizers: str = "") -> None:
        """With any of DuckDB's optimizers disabled, no relation gets comments either: quicker."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        self._shim = shim
        self._out, self._err = folder / "out", folder / "err"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.torture.server", disabled_optimizers],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
            env=kept | shim.environment | {"PYTHONPATH": str(ROOT)},
        )

    def run(
        self,
        folder: Path,
        *arguments: str,
        api: dict[str, str],
        at_pause: Callable[[], object] | None = None,
    ) -> Ended:
        """Run `analytics` in a folder until it ends; call `at_pause` whenever the shim pauses."""
        stdin, stdout = self._pipes
        request = [arguments, str(folder), api, str(self._out), str(self._err)]
        stdin.write(json.dumps(request) + "\n")
        stdin.flush()
        while at_pause and not _readable(stdout):
            if self._shim.is_paused:
                at_pause()
                self._shim.go_on()
        answer = stdout.readline()
        assert answer, "the server has died"
        code = int(answer)
        return Ended(code, self._out.read_text(), self._err.read_text())

    @property
    def said(self) -> str:
        """What the command has written to standard error so far."""
        return self._err.read_text()

    def close(self) -> None:
        stdin, stdout = self._pipes
        stdin.close()
        self._process.wait()
        stdout.close()

    @property
    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout


def _readable(stream: IO[str]) -> bool:
    return bool(select.select([stream], [], [], 0.001)[0])


def _serve() -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            _run(*json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _run(arguments: list[str], folder: str, api: dict[str, str], out: str, err: str) -> None:
    """Run a command in this process, and end it as Python would."""
    from analytics.cli import main

    os.setpgid(0, 0)
    os.chdir(folder)
    os.environ |= api
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
    sys.argv = ["analytics", *arguments]
    code: Any = 1
    try:
        main()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001  # as Python would
        sys.excepthook(*sys.exc_info())
    finally:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(code)


def _load() -> None:
    """Load what a batch needs; none of it starts a thread."""
    for module in pkgutil.walk_packages(analytics.__path__, "analytics."):
        if not module.name.startswith(
            ("analytics.emulator", "analytics.fleet", "analytics.__main__")
        ):
            importlib.import_module(module.name)


if __name__ == "__main__":
    from contextlib import ExitStack
    from unittest import mock

    from analytics.batch import transforming
    from analytics.warehouse import database

    _load()
    transforming.SMALL = 0  # what a later batch brings up to date is what a kill may break
    with ExitStack() as quicker:
        if disabled := sys.argv[1]:
            database.OFFLINE["disabled_optimizers"] = disabled
            quicker.enter_context(mock.patch("analytics.transform.build.comment_on"))
        _serve()
