"""Commands and options that are gone: each is refused with what to do instead."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from typer.core import TyperGroup

from analytics.errors import UsageError

_BOOKS = "`analytics books` lists closed months and verifies them"
_AS_OF = "`analytics export pack MONTH` has the figures of a closed month, as the books have them"
_PREVIEW = "`analytics preview FILE` makes the page, and names what is wrong in it"

_NIGHTLY = "`analytics nightly` runs all stages"
_STATUS = "`analytics status` shows what needs a hand, with --online also keys and addresses"

GONE = {
    "alerts": _STATUS,
    "books list": _BOOKS,
    "books show": _BOOKS,
    "books verify": _BOOKS,
    "check": _NIGHTLY,
    "close --log-format": "its words are for people",
    "config": _STATUS,
    "doctor": _STATUS,
    "emulator --variant": "it answers as the API does; tests set `variants` of a world",
    "emulator --speed": "its clock runs as fast as ours",
    "export --as-of": _AS_OF,
    "export --live": "a closed month is exported from the books, an open one from today's figures",
    "export --revision": "the close in force is exported; every other one lies in the books",
    "export focus --dataset": "all three datasets are written, a file each",
    "export focus --draft-1.5": "the files are of FOCUS 1.4, the newest version that is ratified",
    "export focus --format": "the files are CSV",
    "export focus --version": "the files are of FOCUS 1.4",
    "export focus --workspace": "SubAccountId is the workspace of each row",
    "export month": '`analytics export pack MONTH` has its lines, as has `analytics sql "from'
    ' fct_month_lines"`',
    "export pack --workspace": "the pack is of all workspaces, each with a subtotal",
    "export sources": "name the tables that you use in a file of your own, as docs/bi-tools.md"
    " shows",
    "extract --lists": "`analytics collect` lands new runs for the next batch",
    "extract": f"{_NIGHTLY}, and `analytics collect` lands new runs for it",
    "init --yes": "nothing is asked: options say what the defaults do not",
    "init --no-check": "a key that is not set is not tried",
    "page": _PREVIEW,
    "prune": "each batch removes what interrupted work left, and keeps the last damaged file alone",
    "publish": _NIGHTLY,
    "report": _NIGHTLY,
    "reopen": "`analytics close MONTH --reopen REASON` opens it again",
    "runs --interval": "it looks once a second, and less often while nothing changes",
    "sql --as-of": _AS_OF,
    "sql --raw": "--format json and parquet have each character",
    "trace --as-of": _AS_OF,
    "transform --full": "`analytics rebuild --verify` names the first row that differs",
    "transform": _NIGHTLY,
}
"""Advice by what was typed: a command, or an option after the words of a command."""


class Commands(TyperGroup):
    """The command itself, which refuses what is gone before it looks at the rest of the line."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the command line; UsageError for what is gone."""
        if not ctx.resilient_parsing:
            _refuse(args)
        return super().parse_args(ctx, args)


def _refuse(args: Sequence[str]) -> None:
    for gone, advice in GONE.items():
        words = [each for each in gone.split() if not each.startswith("-")]
        options = gone.split()[len(words) :]
        is_given = {each.partition("=")[0] for each in args}.issuperset(options)
        if [*args[: len(words)]] == words and is_given:
            raise UsageError(f"`{gone}` is gone: {advice}.")
