"""Names of loads, and the times that they are made of."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analytics.disk import UNFINISHED
from analytics.extract.loads import new_loads
from tests.conftest import NOW


def test_loads_beyond_the_thousandth_stay_in_order(tmp_path: Path) -> None:
    """Loads sort by name in the order of their numbers, beyond three digits too."""
    (tmp_path / "20261119T060000Z-999-lists").mkdir()
    (tmp_path / "20261120T060000Z-000998-lists").mkdir()
    loads = new_loads(tmp_path, NOW)
    made = [next(loads) for _ in range(3)]
    made += [next(new_loads(tmp_path, NOW + timedelta(days=1)))]

    assert made == sorted(made)
    assert made[2:] == ["20261120T060000Z-001001", "20261121T060000Z-000001"]


def test_a_clock_that_runs_behind_keeps_the_order(tmp_path: Path) -> None:
    """Loads continue those that the API dated later, unless no load came of these."""
    (tmp_path / "20261120T060000Z-000004-workspace").mkdir()
    (tmp_path / f"20991231T060000Z-000001-lists{UNFINISHED}").mkdir()

    assert next(new_loads(tmp_path, NOW - timedelta(seconds=2))) == "20261120T060000Z-000005"


def test_a_folder_that_is_named_like_a_load_has_no_time(tmp_path: Path) -> None:
    """Somebody made it, and loads sort after it all the same."""
    (tmp_path / "20269999T999999Z-000001-lists").mkdir()

    assert next(new_loads(tmp_path, NOW)) == "20269999T999999Z-000002"
