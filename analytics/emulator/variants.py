"""The ways in which the emulator can answer where the API's documentation is silent."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Variants(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The switchable habits of the emulated API; the defaults are the likeliest ones."""

    beyond_cap: Literal["clamp", "reject"] = "clamp"
    """A limit or window beyond its cap is cut to the cap, or answered with 422 or 400."""
    analytics_lag_seconds: int = 0
    """Metered requests younger than this are not yet in the analytics answers."""
    late_corrections: bool = True
    """The cost of ended runs still changes as time passes."""
    new_cost_names: bool = False
    """A run's model costs use `cost_usd`, not `total_cost`, and carry `billed_usd`."""
    next_links: bool = False
    """Run lists carry a `Link` header to the next page."""
    open_run_events: bool = True
    """Log events can be read before the run ends; otherwise 404."""
    url_ttl_seconds: int = 300
    """The address of a log or an artifact works for so long."""
    every_nth_429: int = 0
    """Every nth answer is 429 with `Retry-After`; 0 for never."""
    every_nth_503: int = 0
    """Every nth answer is 503; 0 for never."""
    retry_after_seconds: int = 1
    """The value of `Retry-After`."""

    def changed(self, fields: dict[str, Any]) -> Variants:
        """Return a copy with other values; raises `msgspec.ValidationError`."""
        return msgspec.convert(msgspec.to_builtins(self) | fields, Variants)
