"""Names of loads, and the times that they are made of."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from analytics.files import UNFINISHED
from analytics.warehouse.landed import SUFFIX, new_loads
from tests.worlds import NOW


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


def test_a_name_of_the_future_moves_no_load(tmp_path: Path) -> None:
    """A folder that somebody named so counts for nothing."""
    (tmp_path / "20269999T999999Z-000001-lists").mkdir()
    assert next(new_loads(tmp_path, NOW)) == "20261120T060000Z-000001"


def test_a_day_ahead_is_no_future(tmp_path: Path) -> None:
    """The API's clock may have been ahead of the machine's by hours: loads continue its names."""
    folder = tmp_path / "20261121T055959Z-000001-lists"
    folder.mkdir()
    (folder / f"requests{SUFFIX}").touch()

    assert next(new_loads(tmp_path, NOW)) == "20261121T055959Z-000002"
