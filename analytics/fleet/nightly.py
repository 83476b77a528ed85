"""The batches of a fleet: one task a shard, a line for each that ended, and a table of outcomes."""

from __future__ import annotations

from analytics.batch.progress import Progress
from analytics.errors import AnalyticsError, UsageError
from analytics.fleet.settings import Fleet
from analytics.fleet.tasks import Outcome, run_batches
from analytics.format.numbers import plural


def nightly(fleet: Fleet, only: list[str], address: str | None, progress: Progress) -> None:
    """Run the batch of each shard, or of those named; AnalyticsError names those that failed.

    UsageError if a shard is unknown, a key is not set here, or Ray cannot be used.
    """
    for shard in only:
        fleet.require_shard(shard)
    shards = only or [*fleet.shards]
    outcomes: list[Outcome] = []
    with progress.stage("batches") as done:
        progress.begin(f"running {plural(len(shards), 'batch', 'batches')}", len(shards))
        for outcome in run_batches(fleet, shards, address):
            outcomes.append(outcome)
            progress.advance()
            _tell(outcome, progress)
        failed = [each for each in outcomes if each.exit_code]
        done(
            f"{plural(len(outcomes) - len(failed), 'batch', 'batches')} ended well,"
            f" {len(failed):,} failed",
            batch_count=len(outcomes),
            failed_count=len(failed),
        )
    if failed:
        all_of_them = plural(len(outcomes), "batch", "batches")
        lines = "\n".join(f"{each.shard}: {each.message}" for each in failed)
        text = (
            f"{len(failed):,} of {all_of_them} failed; what was published of their"
            f" workspaces before still stands.\n{lines}"
        )
        if all(each.exit_code == UsageError.exit_code for each in outcomes):
            raise UsageError(text)
        raise AnalyticsError(text)


def _tell(outcome: Outcome, progress: Progress) -> None:
    if outcome.exit_code:
        progress.warn(outcome.message, outcome.shard)
    else:
        progress.say(f"published ({outcome.seconds:.1f} s)", outcome.shard)
