"""Bounds of an answer, a list of pages and a transfer, whatever a server sends.

The largest honest answers: a month of hourly usage, of 225 bytes for each agent, model and hour,
which is read by shorter windows where it is larger than these; and 200 runs, with the prompt and
the error of each.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

LARGEST_ANSWER = 64_000_000
"""Bytes of an answer, as they come and as they are unpacked: 300,000 for each of 200 runs."""

LARGEST_ERROR = 1_000_000
"""Bytes of the body of an error; of a longer one the status alone is read."""

MOST_RECORDS = 200_000
"""Records of an answer."""

MOST_MARKS = 2_500_000
"""Commas and brackets of an answer, outside of its texts: a row of hourly usage has 11."""

DEEPEST = 100
"""Levels of an answer that are read; what lies deeper is read as null."""

MOST_REPAIRS = 200_000
"""Values of an answer that no decoder takes, such as `NaN`: one for each record."""

MOST_PAGES = 20_000
"""Pages of a list: a million runs by 50, which is what the API lists unless it is asked for more.

The runs of a list are held until it ends: MOST_LISTED of them take 660 MB.
"""
MOST_LISTED = 2_000_000

LARGEST_FILE = 1_000_000_000
"""Bytes of a log or an artifact: a host that sends on and on does not fill the disk."""

MOST_ADDRESSES = 5
"""Addresses of a file: the first one, and those that redirects name."""

PATIENCE = 60.0
"""Seconds without progress after which a transfer is given up.

Progress is so many bytes a second, as they come. The API may take 30 of these seconds to begin.
"""
SLOWEST_ANSWER = 250_000
SLOWEST_FILE = 25_000


@asynccontextmanager
async def in_time(slowest: int) -> AsyncIterator[Callable[[int], None]]:
    """Yield a function to tell how many bytes have come; TimeoutError for less than `slowest`.

    Each byte lets the transfer go on for its part of a second, and never for more than PATIENCE
    from now: neither a drip nor one after a fast start is waited for.
    """
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(PATIENCE) as limit:

            def came(count: int) -> None:
                until = (limit.when() or 0) + count / slowest
                limit.reschedule(min(until, loop.time() + PATIENCE))

            yield came
    except TimeoutError as error:
        slow = f"it brought less than {slowest:,} bytes a second for {PATIENCE:g} s"
        raise TimeoutError(slow) from error
