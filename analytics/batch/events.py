"""Events of a batch for machines: one JSON object a line, whose fields keep their names."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TypeAlias

Value: TypeAlias = str | float | None

FIELDS: Mapping[str, str] = {
    "time": "when, in UTC, as `2026-11-26T05:38:57.120Z`",
    "level": "`info`, `warning`, `error`; with `--verbose` also `debug`",
    "stage": "`extract`, `load`, `transform`, `check`, `custom`, `report`, `publish`, `alerts`,"
    " `close` or `reopen`; of a fleet `batches`, `merge`, `tables`, `site` or `publish`",
    "workspace": "the name of the workspace that it is about; of a fleet, the shard",
    "message": "the words of a log",
    "seconds": "how long the stage took, which ends with this event",
    "load_seconds": "`extract`: how many of its seconds it loaded",
    "request_count": "`extract`: requests to the API",
    "load_count": "`load`: landing folders that `rebuild` loaded",
    "record_count": "`extract`, `load`: records read",
    "new_version_count": "`extract`: of them those that were new or changed",
    "quarantined_count": "`extract`: records, and fields of records, that could not be understood",
    "relation_count": "`transform`: tables and views built",
    "row_count": "`transform`: rows of the tables built",
    "table_count": "`custom`: tables of your own",
    "check_count": "`check`, `custom`: checks run",
    "batch_count": "`batches`: batches of shards run",
    "failed_count": "`check`, `custom`, `batches`: of them those that failed; of checks, those that"
    " only warn",
    "shard_count": "`merge`: shards merged",
    "partition_count": "`tables`: partitions replaced",
    "page_count": "`report`: pages of the site",
    "file_count": "`report`, `site`: files of the site",
    "kept_count": "`report`: of them those taken over as they were published",
    "finding_count": "`custom`, `alerts`: findings, those of alerts of your own included",
    "sent_count": "`alerts`: of them those sent now",
    "revision": "`close`, `reopen`: the revision of the month",
    "exit_code": "of the event that ends a command that failed",
    "kind": "of the same: `failed`, `usage`, `control`, `busy`, `interrupted`; `system` for an"
    " error of the operating system, `database` for one of DuckDB, `defect` for one of this"
    " program, whose message is a traceback",
}
"""Each field of an event, in order, and its meaning; those without a value are absent."""

_PLACES = {name: place for place, name in enumerate(FIELDS)}


def json_line(fields: Mapping[str, Value]) -> str:
    """Return an event that happens now as a JSON object of ASCII; KeyError for another field."""
    event: dict[str, Value] = {"time": now("milliseconds")}
    for name in sorted(fields, key=_PLACES.__getitem__):
        if (value := fields[name]) is not None:
            event[name] = round(value, 3) if isinstance(value, float) else value
    return json.dumps(event)


def now(precision: str) -> str:
    """Return the time in UTC, in `seconds` or `milliseconds`."""
    return datetime.now(UTC).isoformat(timespec=precision).replace("+00:00", "Z")
