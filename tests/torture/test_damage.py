"""A damaged page of any file: the next batch heals it, or names the file and what helps."""

from __future__ import annotations

import pytest

from tests.torture.damage import damage, pages
from tests.torture.lab import Lab, Tally

SHARDS = 8


@pytest.mark.torture
@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("base", ["closed", "killed"])
def test_damage_at_each_page(lab: Lab, tally: Tally, base: str, shard: int, stride: int) -> None:
    """Each page of each file, books and logs of a killed batch included."""
    folder = lab.base(base)
    damage(lab, tally, folder, [*pages(folder / "data", stride)][shard::SHARDS])
    assert not tally.problems, tally.report
