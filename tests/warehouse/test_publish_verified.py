"""Publishing waits for the copy that was made and verified meanwhile, before readers find it."""

from __future__ import annotations

import duckdb
import pytest

from analytics.errors import AnalyticsError
from analytics.warehouse.layout import Layout
from analytics.warehouse.publish import copying
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


def test_a_copy_that_is_not_published_is_removed(layout: Layout) -> None:
    """After an error beside it, the copy is gone; one that cannot be made is told when awaited."""
    build(layout, 1)

    def fail() -> None:
        with copying(layout) as copied:
            copied()
            assert layout.next_published.read_text() == "1"
            raise duckdb.IOException("no page")

    with pytest.raises(duckdb.IOException, match="no page"):
        fail()
    assert not layout.next_published.exists()
    layout.marts.unlink()
    with copying(layout) as copied, pytest.raises(AnalyticsError, match="cannot be copied"):
        copied()
