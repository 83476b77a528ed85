"""Paths below the base URL, and request bodies."""

from __future__ import annotations

from urllib.parse import quote


def api_path(*parts: str | int) -> str:
    """Return the path of names and ids, quoted; a slash within an id is no separator."""
    return "/api/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def omit_none(**fields: object) -> dict[str, object]:
    """Return the fields that are not None, because the API reads null as "remove"."""
    return {name: value for name, value in fields.items() if value is not None}
