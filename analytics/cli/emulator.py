"""`analytics emulator`: the optional local Levain API."""

from __future__ import annotations

import errno
from datetime import UTC, datetime

import msgspec

from analytics.errors import AnalyticsError, UsageError, extra_needed

_OF_PORTS = (errno.EADDRINUSE, errno.EADDRNOTAVAIL, errno.EACCES)


def serve(port: int, seed: int, now: datetime | None, variants: list[str]) -> None:
    """Serve the demo world on loopback until ended; UsageError for an unknown variant."""
    with extra_needed("The emulator", "emulator"):
        from analytics.emulator import Variants, World, server
    fields = dict(variant.partition("=")[::2] for variant in variants)
    try:
        chosen = msgspec.convert(fields, Variants, strict=False)
    except msgspec.ValidationError as error:
        names = ", ".join(Variants.__struct_fields__)
        raise UsageError(
            f"--variant {' --variant '.join(variants)} is not understood: {error}.\n"
            f"There are {names}."
        ) from error
    start = now.replace(tzinfo=UTC) if now else datetime.now(UTC)
    world = World.demo(seed, start)
    world.variants = chosen
    try:
        server.serve(world, port)
    except OSError as error:
        if error.errno not in _OF_PORTS:
            raise
        raise AnalyticsError(f"Port {port} cannot be used: {error.strerror}.") from error
