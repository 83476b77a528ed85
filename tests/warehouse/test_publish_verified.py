"""Publishing waits for the copy that was made and verified meanwhile, before readers find it."""

from __future__ import annotations

import duckdb
import pytest

from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import publish as publish_copy
from tests.warehouse.test_publish import build, layout, publish, published

__all__ = ["layout"]


def test_what_cannot_be_verified_is_not_published(layout: Layout) -> None:
    """After an error of what verifies, readers find the batch before; the next is published."""
    build(layout, 1)
    publish(layout, 0o600)
    build(layout, 2)

    def copied() -> None:
        raise duckdb.IOException("a block is damaged")

    with pytest.raises(duckdb.IOException, match="a block is damaged"):
        publish_copy(layout, 0o600, copied)
    assert published(layout) == (1, 1)
    publish(layout, 0o600)
    assert published(layout) == (2, 2)
