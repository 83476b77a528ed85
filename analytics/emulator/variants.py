"""Variants of the emulated API, for behaviour that its documentation leaves open."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class Variants(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Switches of the emulated API; the defaults are the likeliest behaviour."""

    new_cost_names: bool = False
    """A run's model costs use `cost_usd`, not `total_cost`, and have `billed_usd`."""
    next_links: bool = False
    """Run lists have a `Link` header to the next page."""
    open_run_events: bool = True
    """Log events can be read before the run ends; otherwise 404."""
    url_ttl_seconds: Count = 300
    """Lifetime of the address of a log or an artifact."""

    def changed(self, fields: dict[str, Any]) -> Variants:
        """Return a copy with other values; raises `msgspec.ValidationError`."""
        return msgspec.convert(msgspec.to_builtins(self) | fields, Variants)
