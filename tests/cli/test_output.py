"""Places that `--output` may name."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.errors import UsageError
from analytics.published.output import replacing


@pytest.mark.parametrize(
    "output", ["books/2026-10/r1/lines.csv", "landing/x.csv", "site/x.csv", "last-batch.json"]
)
def test_no_export_replaces_what_the_batch_keeps(output: str, tmp_path: Path) -> None:
    """A path of the batch, its books or its pages is refused, and nothing is written."""
    data = tmp_path / "kept"
    (data / "landing").mkdir(parents=True)
    (data / ".lock").touch()
    with (
        pytest.raises(UsageError, match="belongs to the data of the batch"),
        replacing(data / output),
    ):
        pass

    assert sorted(path.name for path in data.iterdir()) == [".lock", "landing"]
