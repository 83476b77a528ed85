"""Values of DuckDB as JSON and as text, with every digit."""

from __future__ import annotations

import json
import math
from datetime import date, datetime
from decimal import Decimal
from typing import Any


def plain(value: Any) -> Any:
    """Return a JSON value: money as a string, digit for digit."""
    match value:
        case Decimal():
            return format(value, "f")
        case float():
            return value if math.isfinite(value) else None
        case None | bool() | int() | str():
            return value
        case datetime() | date():
            return value.isoformat()
        case dict():
            return {str(key): plain(item) for key, item in value.items()}
        case list() | tuple():
            return [plain(item) for item in value]
        case _:
            return str(value)


def as_text(value: Any) -> str:
    """Return a value as text; null is empty, a float that JSON lacks `nan`, `inf` or `-inf`."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    match plain(value):
        case None:
            return ""
        case bool(flag):
            return "true" if flag else "false"
        case str(text):
            return text
        case dict() | list() as nested:
            return json.dumps(nested, ensure_ascii=False)
        case number:
            return str(number)
