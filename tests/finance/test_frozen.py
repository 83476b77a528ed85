"""What a close freezes: lines that their charges add up to."""

from __future__ import annotations

from pathlib import Path

import duckdb

from analytics.finance.books.frozen import adds_up

KEY = "'w-1' as workspace_id, 'a-1' as agent_id, 'Ann' as owner, 'C-1' as cost_center"
AMOUNTS = "0.3 as billed_usd, 0 as surcharge_usd, 0 as own_key_usd, 7 as tokens_in, 1 as tokens_out"


def test_lines_are_sums_of_charges(tmp_path: Path) -> None:
    """Charges of a line add up to it, each amount to the last digit; a line that lacks some not."""

    def write(name: str, *costs: str) -> None:
        rows = " union all ".join(
            f"select {KEY}, {cost}::decimal(38, 10) as metered_cost_usd, {AMOUNTS}"
            for cost in costs
        )
        duckdb.sql(rows).write_parquet(str(tmp_path / f"{name}.parquet"))

    write("charges", "0.1", "0.2")
    write("lines", "0.3", "0")
    assert adds_up(tmp_path)
    write("lines", "0.3", "0.0000000001")
    assert not adds_up(tmp_path)
