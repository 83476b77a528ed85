"""`analytics emulator`: the optional local Levain API."""

from __future__ import annotations

import errno
from datetime import UTC, datetime

from analytics.errors import AnalyticsError, extra_needed

_OF_PORTS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)


def serve(port: int, seed: int, now: datetime | None) -> None:
    """Serve the demo world on loopback until ended."""
    with extra_needed("The emulator", "emulator"):
        from analytics.emulator import World, server
    start = now.replace(tzinfo=UTC) if now else datetime.now(UTC)
    try:
        server.serve(World.demo(seed, start), port)
    except OSError as error:
        if error.errno not in _OF_PORTS:
            raise
        raise AnalyticsError(f"Port {port} cannot be used: {error.strerror}.") from error
