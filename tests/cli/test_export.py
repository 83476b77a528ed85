"""`analytics export`: the files for finance of a published month."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.published.export.files import without_formula
from analytics.settings import load_settings
from tests.cli.conftest import Command
from tests.conftest import NOW

HOSTILE = ["=cmd()|'/c calc'!A0", "+1", "-2", "@x", "\t=1", "\r=1", "a;=1", "<b>🍞", '",=1']
MONTH = "2026-11"
OPEN = f"warning: {MONTH} is not closed: these are today's figures, and its journal is a preview\n"


@pytest.fixture(scope="module")
def published_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a published batch of two workspaces, one of them empty; tests only read it."""
    folder = tmp_path_factory.mktemp("exported")
    world = World.empty(1, NOW)
    workspace, empty = world.workspaces[0], world.add_workspace("=Empty()")
    for number, name in enumerate(HOSTILE):
        agent = world.add_agent(workspace, name, f"agent-{number}")
        for hours_ago in (30, 3):
            run = world.start_run(agent, at=NOW - timedelta(hours=hours_ago))
            world.meter(
                run,
                model="claude-sonnet-5",
                provider="anthropic" if number else "=cmd()",
                tokens_in=10,
                tokens_out=1,
                cost_usd=Decimal("0.0000000001") + number,
            )
            world.finish_run(run, "failed" if number % 2 else "succeeded")
    unknown = world.start_run(agent, at=NOW - timedelta(hours=2))
    world.finish_run(unknown, "succeeded")
    world.override_record(unknown.id, {"cost_usd": None, "agent_id": None})
    with running(world) as api, pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        tables = ""
        for variable, each in (("FULL", workspace), ("EMPTY", empty)):
            patch.setenv(variable, each.api_key)
            tables += f'[[workspaces]]\napi_key_env = "{variable}"\napi = "{api.url}"\n'
        text = f"{tables}[extract]\nhistory_days = 25\n"
        Path("analytics.toml").write_text(text, encoding="utf-8")
        nightly(load_settings(), Progress())
    return folder


@pytest.fixture
def published(
    published_folder: Path, analytics: Command, monkeypatch: pytest.MonkeyPatch
) -> Command:
    """The command, in a folder with a published batch."""
    monkeypatch.chdir(published_folder)
    return analytics


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def test_the_lines_add_up_to_the_bill(published: Command) -> None:
    """Amounts of each line add up to its bill to the last digit, and all lines to the marts."""
    published("export", "pack", MONTH, "--output", "pack-of-lines")
    lines = read_csv(Path("pack-of-lines/lines.csv").read_text(encoding="utf-8"))
    (marts,) = read_csv(
        published(
            "sql", f"select sum(billed_usd) as usd from fct_charges where utc_date >= '{MONTH}-01'",
            "--format", "csv",
        ).out
    )  # fmt: skip

    for line in lines:
        if line["billed_usd"]:
            parts = (line[f"{name}_usd"] for name in ("metered_cost", "surcharge", "own_key"))
            metered, surcharge, own_key = map(Decimal, parts)
            assert metered + surcharge - own_key == Decimal(line["billed_usd"])
    billed = sum(Decimal(line["billed_usd"] or 0) for line in lines)
    assert billed == Decimal(marts["usd"]) > 0
    assert {line["agent_name"] for line in lines} >= {"'=cmd()|'/c calc'!A0", "'+1", "<b>🍞"}


def test_only_text_that_a_spreadsheet_would_run_gets_a_mark() -> None:
    """It stands before a sign at the begin of the text, or of a part of it; breaks are visible."""
    inert = {"=1": "'=1", "  @x": "  '@x", "\uff1d1": "'\uff1d1", "a;-1": "a;'-1"}
    inert |= {"a-b=c": "a-b=c", "\t=1\r\n": "\\t=1\\r\\n", "": ""}

    assert {text: without_formula(text) for text in inert} == inert


def test_a_pack_is_one_folder(published: Command) -> None:
    """The pack of an open month says what it is of, and its manifest has the hash of each file."""
    result = published("export", "pack", MONTH)
    folder = Path(f"levain-{MONTH}")
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    del files["manifest.json"]

    assert result.err == f"{OPEN}wrote {folder.name}\n"
    assert len(files) == 9
    assert manifest["state"] == "not closed: provisional"
    assert manifest["files"] == {
        name: {"byte_count": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        for name, content in files.items()
    }
    assert files["lines.csv"].startswith(b"\xef\xbb\xbfusage_month,workspace_name,agent_name,")
    assert "🍞".encode() in files["lines.csv"]
    assert not list(Path().glob(".levain-*"))


def test_a_pack_never_mixes_with_another(published: Command) -> None:
    """A folder that is there already is refused; so is one that cannot be made."""
    Path("there").mkdir(exist_ok=True)
    Path("file").touch()
    refused = published("export", "pack", MONTH, "--output", "there")
    nowhere = published("export", "pack", MONTH, "--output", "file/where")
    journal = published("export", "journal", MONTH, "--output", "no/where.csv")

    assert (refused.code, list(Path("there").iterdir())) == (2, [])
    assert "there is there already, and nothing was written" in refused.err
    assert (nowhere.code, "file cannot be written" in nowhere.err) == (1, True)
    assert (journal.code, "no/where.csv cannot be written" in journal.err) == (1, True)


def test_a_journal_of_an_open_month_is_a_preview(published: Command) -> None:
    """The journal of a month that is not closed is written, with a warning."""
    result = published("export", "journal", MONTH)

    lines = read_csv(Path(f"levain-journal-{MONTH}.csv").read_text(encoding="utf-8"))
    assert result.code == 0
    assert result.err == f"{OPEN}wrote levain-journal-{MONTH}.csv\n"
    assert {line["STATE"] for line in lines} == {"preview"}
    (bill,) = read_csv(
        published(
            "sql", "select sum(billed_usd) as usd from fct_billing_days", "--format", "csv"
        ).out
    )
    sides = [sum(Decimal(line[side] or 0) for line in lines) for side in ("DEBIT", "CREDIT")]
    assert sides[0] == sides[1]
    assert abs(sides[0] - Decimal(bill["usd"])) < Decimal("0.01")


@pytest.mark.parametrize(
    ("kind", "month", "message"),
    [
        ("pack", "2026-13", "2026-13 is no month: write it as 2026-10"),
        ("focus", "\u0662026-10", "is no month"),
        ("pack", "1999-01", "first month with figures is 2026-10, the last 2026-11"),
        ("focus", "2031-01", "There are no figures of 2031-01."),
        ("journal", "2031-01", "There are no figures of 2031-01."),
        ("journal", "2026-10", "There is no journal of 2026-10: the first one is that of 2026-11."),
    ],
)
def test_a_month_without_figures(published: Command, kind: str, month: str, message: str) -> None:
    """A wrong month exits with 2, and the message names those that there are."""
    result = published("export", kind, month)

    assert (result.code, result.out) == (2, "")
    assert message in result.err
