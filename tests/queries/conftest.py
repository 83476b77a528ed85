from __future__ import annotations

import pytest

from tests.queries.invoiced import OCTOBER, billed, owned
from tests.transform.given import Warehouse, warehouse

__all__ = ["warehouse"]


@pytest.fixture
def october(warehouse: Warehouse) -> Warehouse:
    """A month that is billed at 134.3333333336 US dollars."""
    owned(warehouse)
    for agent_id, usd in (
        ("a-1", "100.0000000001"),
        ("a-2", "33.3333333333"),
        (None, "1.0000000002"),
    ):
        billed(warehouse, OCTOBER, agent_id, usd, load_id="20261101T050000Z-004-meters")
    return warehouse
