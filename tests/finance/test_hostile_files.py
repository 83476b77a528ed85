"""Hostile files of `finance/`: whatever they hold, they are read, or are problems."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.finance import accounts, allocation, budgets, invoices, owners
from analytics.finance.load import read_finance
from analytics.format.names import visible

FORMS = (owners.FORM, invoices.FORM, budgets.FORM)
_NASTY = ("", "*", "?", "a", "(none)", "-1", "1e999", "nan", "9" * 40, "\u202e", "\r", '"', "'x")
_VALUES = ("2026-10", "2026-10-01", "0.1", "all", "agent")

_fields = st.one_of(st.sampled_from(_NASTY + _VALUES), st.text(max_size=6))
_lines = st.lists(st.lists(_fields, max_size=9).map(",".join), max_size=6)


def _csv(columns: tuple[str, ...]) -> st.SearchStrategy[bytes]:
    of_form = _lines.map(lambda lines: "\n".join([",".join(columns), *lines]))
    return st.one_of(of_form.map(lambda text: text.encode("utf-8", "replace")), st.binary())


_keys = st.sampled_from((*allocation.KEYS, *accounts.ROLES, "rules", "accounts", "x\\n"))
_toml_values = st.one_of(
    st.sampled_from(
        (
            '"platform"', '"fixed"', '"proportional"', '"cost"', '"x"', '""', "{ A = 100 }", "nan",
            "{ A = -1, B = inf }", "2026-10-01", "2026-10-01T00:00:00Z", "0x1f", "true", "[[1]]",
            "1e99999", "1e-99999", "9" * 5_000, '"\\u202e"', "{}", "[", "'''",
        )
    ),
    st.integers().map(str),
)  # fmt: skip
_headings = st.sampled_from(("[[rules]]", "[rules]", "[accounts]", "[cost_centers]", "rules = 1"))
_toml_lines = st.one_of(_headings, st.builds('"{}" = {}'.format, _keys, _toml_values))
_toml = st.one_of(st.lists(_toml_lines, max_size=9).map("\n".join).map(str.encode), st.binary())


@settings(max_examples=60, derandomize=True)
@given(st.tuples(*(_csv(form.columns) for form in FORMS)), st.tuples(_toml, _toml))
def test_nothing_raises(of_csv: tuple[bytes, ...], of_toml: tuple[bytes, ...]) -> None:
    """Any bytes are rows, rules and keys, or problems: each a line that begins with its file."""
    names = [form.file for form in FORMS] + [allocation.FILE, accounts.FILE]
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "finance").mkdir()
        for name, content in zip(names, (*of_csv, *of_toml), strict=True):
            (Path(folder) / name).write_bytes(content)
        found = read_finance(Path(folder))

    assert len(found.files) == len(names)
    for problem in found.problems:
        assert re.match(rf"({'|'.join(map(re.escape, names))})(:\d+)?: .", problem)
        assert visible(problem) == problem
