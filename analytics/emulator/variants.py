"""Variants of the emulated API, for behaviour that its documentation leaves open."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000_000)]


class Variants(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Switches of the emulated API; the defaults are the likeliest behaviour."""

    beyond_cap: Literal["clamp", "reject"] = "clamp"
    """A limit or window beyond its cap is cut to the cap, or answered with 422 or 400."""
    analytics_lag_seconds: Count = 0
    """Metered requests younger than this are not yet in analytics responses."""
    late_corrections: bool = True
    """The cost of ended runs still changes as time passes."""
    new_cost_names: bool = False
    """A run's model costs use `cost_usd`, not `total_cost`, and have `billed_usd`."""
    next_links: bool = False
    """Run lists have a `Link` header to the next page."""
    open_run_events: bool = True
    """Log events can be read before the run ends; otherwise 404."""
    url_ttl_seconds: Count = 300
    """Lifetime of the address of a log or an artifact."""
    every_nth_429: Count = 0
    """Every nth response is 429 with `Retry-After`; 0 for never."""
    every_nth_503: Count = 0
    """Every nth response is 503; 0 for never."""
    retry_after_seconds: Count = 1
    """The value of `Retry-After`."""

    def changed(self, fields: dict[str, Any]) -> Variants:
        """Return a copy with other values; raises `msgspec.ValidationError`."""
        return msgspec.convert(msgspec.to_builtins(self) | fields, Variants)
