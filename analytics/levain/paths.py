"""Where things are below the base URL, whatever their ids are made of."""

from __future__ import annotations

from urllib.parse import quote


def api_path(*parts: str | int) -> str:
    """The path of nouns and ids; a slash within an id is no separator."""
    return "/api/v1/" + "/".join(quote(str(part), safe="") for part in parts)


def given(**fields: object) -> dict[str, object]:
    """The body of a request: the fields that are not None, for null may mean to take away."""
    return {name: value for name, value in fields.items() if value is not None}
