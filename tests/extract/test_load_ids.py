"""Names of loads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from analytics.extract.batch import WorkspaceBatch
from analytics.settings import Extract
from tests.conftest import NOW


def test_loads_beyond_the_thousandth_stay_in_order(tmp_path: Path) -> None:
    """Loads sort by name in the order of their numbers, beyond three digits too."""
    nothing: Any = None
    batches = [
        WorkspaceBatch(nothing, nothing, Extract(), True, tmp_path, "w1", began_at, nothing)
        for began_at in (NOW, NOW + timedelta(days=1))
    ]
    folder = tmp_path / "w1"
    made = ["20261119T060000Z-999-lists", batches[0]._next_load_id("lists")]
    (folder / made[1].replace("000001", "000998")).mkdir(parents=True)
    for batch in (batches[0], batches[0], batches[0], batches[1]):
        made.append(batch._next_load_id("lists"))
        (folder / made[-1]).mkdir()

    assert made == sorted(made)
    assert made[-2].endswith("-001001-lists")
