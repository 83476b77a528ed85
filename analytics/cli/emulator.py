"""`analytics emulator`: the optional local Levain API, and commands at the time of its clock."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

from analytics.errors import AnalyticsError, extra_needed

_OF_PORTS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)
_AT = """
import sys
from datetime import datetime
from analytics.cli import main
from analytics.machine_clock import machine_clock
sys.argv[0], now = "analytics", datetime.fromisoformat(sys.argv.pop(1))
with machine_clock(lambda: now):
    main()
"""


def serve(port: int, seed: int, now: datetime | None, arguments: Sequence[str]) -> int:
    """Serve the demo world on loopback until ended, or until a command of `analytics` has.

    Return the exit code of the command, whose API and clock are those of the emulator.
    """
    with extra_needed("The emulator", "emulator"):
        from analytics.emulator import World, running, server
    world = World.demo(seed, now.replace(tzinfo=UTC) if now else datetime.now(UTC))
    if arguments:
        with running(world, speed=1.0) as emulator:
            api = {"LEVAIN_API": emulator.url, "LEVAIN_API_KEY": world.workspaces[0].api_key}
            command = command_at(world.now, *arguments)
            return subprocess.run(command, env=os.environ | api, check=False).returncode
    try:
        server.serve(world, port)
    except OSError as error:
        if error.errno not in _OF_PORTS:
            raise
        raise AnalyticsError(f"Port {port} cannot be used: {error.strerror}.") from error
    return 0


def command_at(moment: datetime, *arguments: str) -> list[str]:
    """Return the command line of an `analytics` on a machine whose clock stands at a moment.

    No module is taken from the working folder, which may be another user's.
    """
    return [sys.executable, "-P", "-c", _AT, moment.isoformat(), *arguments]
