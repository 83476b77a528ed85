"""The output of `analytics prune`: what goes, and what stays because something needs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from analytics.batch.leftovers import Leftover, kept
from analytics.cli import printed
from analytics.format import numbers

if TYPE_CHECKING:
    from analytics.warehouse.layout import Layout


def print_json(layout: Layout, found: list[Leftover], *, removed: bool) -> None:
    """Print one JSON object; sizes are in bytes."""
    printed.print_json(
        {
            "is_removed": removed,
            "leftovers": [
                {
                    "path": str(each.path),
                    "byte_count": each.byte_count,
                    "modified_at": each.modified_at.isoformat(),
                    "origin": each.origin,
                }
                for each in found
            ],
            "kept": [*kept(layout)],
        }
    )


def print_text(layout: Layout, found: list[Leftover], *, removed: bool) -> None:
    """Print tables of what goes and of what stays."""
    now = datetime.now(UTC)

    def table(*rows: tuple[str, ...]) -> None:
        printed.print_table([cell.replace(numbers.NO_BREAK, " ") for cell in row] for row in rows)

    total = numbers.size(sum(each.byte_count for each in found)).replace(numbers.NO_BREAK, " ")
    if not found:
        print("There is nothing to remove.")
    elif removed:
        print(f"Removed, {total}:")
    else:
        print(f"`analytics prune --yes` removes, {total}:")
    if found:
        table(
            *(
                (
                    str(each.path.relative_to(layout.root)),
                    numbers.size(each.byte_count),
                    f"{numbers.duration((now - each.modified_at).total_seconds())} old",
                    each.origin,
                )
                for each in found
            )
        )
    if stays := [*kept(layout)]:
        print("\nKept, as each part of it is needed:")
        table(*((each.name, numbers.size(each.byte_count), each.needed_by) for each in stays))
