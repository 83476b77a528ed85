"""A faithful local Levain API: for the demo, the tests and the benchmarks.

    world = World.demo(seed=1, now=datetime.now(UTC))
    with running(world) as emulator:
        ...  # read emulator.url with world.workspaces[0].api_key
        world.pass_time(timedelta(hours=24))

Runs go on as time passes; with `running(world, speed=20)` it passes by itself, and then triggered
and open runs go on; the history begins no others but those that open runs call, or that follow a
build.
`World.demo(…, at_start=True)` begins ninety days earlier, so that batches can read the history as
it passes. `world.lie(…)` makes one endpoint return one wrong number: `analytics.emulator.lies`.
"""

from analytics.emulator.server import Emulator, running, serve
from analytics.emulator.world import World

__all__ = ["Emulator", "World", "running", "serve"]
