"""`analytics export`: the files for finance of a published month."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import polars
import pytest

from analytics.batch.nightly import nightly
from analytics.batch.progress import Progress
from analytics.emulator.server import running
from analytics.emulator.world import World
from analytics.published.export.files import without_formula
from analytics.settings import load_settings
from analytics.transform.measures import measures
from tests.cli.conftest import Command
from tests.conftest import NOW
from tests.spreadsheets import read_cells, rows_of

HOSTILE = ["=cmd()|'/c calc'!A0", "+1", "-2", "@x", "\t=1", "\r=1", "a;=1", "<b>🍞", '",=1']
MONTH = "2026-11"
PERIODS = ("BillingPeriodStart", "BillingPeriodEnd", "ChargePeriodStart", "ChargePeriodEnd")


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


def test_the_total_adds_up(published: Command) -> None:
    """The last line is the sum of the lines above it to the last digit, and equals the marts."""
    *lines, total = read_csv(published("export", "month", MONTH, "--output", "-").out)
    columns = [name for name in total if name.endswith(("_usd", "_count"))]
    (marts,) = read_csv(
        published(
            "sql",
            "select sum(cost_usd) as cost, sum(unlisted_run_count) as unlisted"
            f" from fct_workspace_days where date >= '{MONTH}-01'",
            "--format",
            "csv",
        ).out
    )

    assert len(columns) == 21
    for column in columns:
        known = [Decimal(line[column]) for line in lines if line[column]]
        assert Decimal(total[column]) == sum(known, Decimal(0)), column
    assert Decimal(total["cost_usd"]) == 2 * sum(range(len(HOSTILE))) + Decimal("1.8e-9")
    assert (total["cost_usd"], total["unlisted_run_count"]) == (marts["cost"], marts["unlisted"])
    for line in [*lines, total]:
        if line["billed_usd"]:
            parts = (line[f"{name}_usd"] for name in ("metered_cost", "surcharge", "own_key"))
            metered, surcharge, own_key = map(Decimal, parts)
            assert metered + surcharge - own_key == Decimal(line["billed_usd"])
    assert (total["agent_name"], total["status"]) == ("Total", "open")


def test_unknown_is_empty(published: Command) -> None:
    """Runs of unknown cost have an empty amount, and are counted."""
    lines = read_csv(published("export", "month", MONTH, "--output", "-").out)
    (line,) = [line for line in lines if line["line_type"] == "no_agent"]

    assert (line["cost_usd"], line["billed_usd"], line["unknown_cost_count"]) == ("", "", "1")


def test_no_name_is_a_formula(published: Command) -> None:
    """In CSV no text begins like a formula, neither at its start nor after a semicolon."""
    for line in read_csv(published("export", "month", MONTH, "--output", "-").out):
        for part in ";".join([line["agent_name"], line["workspace_name"]]).split(";"):
            assert not re.match(r"\s*[=+\-@\t\r]", part)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1", "'=1"),
        ("  @x", "  '@x"),
        ("\uff1d1", "'\uff1d1"),
        ("a;-1", "a;'-1"),
        ("a-b=c", "a-b=c"),
        ("\t=1\r\n", "\\t=1\\r\\n"),
        ("", ""),
    ],
)
def test_inert_text(text: str, shown: str) -> None:
    """Only text that a spreadsheet would run gets a mark."""
    assert without_formula(text) == shown


def test_csv_files_open_in_a_spreadsheet(published: Command) -> None:
    """The file says that it is UTF-8, and its definitions lie beside it: a term a line.

    Measures have the label and the meaning of their one declaration, tokens that of their runs.
    """
    result = published("export", "month", MONTH, "--output", "x.csv")
    lines = Path("x.csv").read_bytes()
    terms = read_csv(Path("x-definitions.csv").read_text(encoding="utf-8"))
    meanings = {each["term"]: each["meaning"] for each in terms}
    labels = {each["term"]: each["label"] for each in terms if each["label"]}

    assert result.err.split() == ["wrote", "x.csv", "wrote", "x-definitions.csv"]
    assert lines.startswith(b"\xef\xbb\xbfmonth,status,")
    assert lines.index(b"billed_usd") < lines.index(b",cost_usd")
    assert "🍞".encode() in lines
    assert all(meanings.values())
    assert {"cost_usd", "surcharge_usd", "failure_rate"} <= set(labels)
    of_runs = {term for term in labels if "of the runs created in the month" in meanings[term]}
    assert of_runs == {"tokens_in", "tokens_out"}
    for term, label in labels.items():
        assert label == measures()[term].label
        assert term in of_runs or meanings[term] == measures()[term].meaning
    assert set(read_csv(lines.decode())[0]) <= set(meanings)
    assert "data cut-off" in meanings["Workspace Blank Slate"]
    assert "last load" in meanings["Workspace =Empty()"]


def test_a_spreadsheet_is_the_workbook_of_the_pack(published: Command) -> None:
    """XLSX has the lines as numbers, every digit as text, and names as text, twice the same."""
    published("export", "month", MONTH, "--format", "xlsx", "--output", "x.xlsx")
    published("export", "pack", MONTH, "--output", "pack")
    sheets = read_cells(Path("x.xlsx"))
    lines, exact = rows_of(sheets["Lines"]), rows_of(sheets["Exact"])

    assert lines[-1]["Metered cost"] == pytest.approx(72)
    assert exact[-1]["metered_cost_usd"] == "72.0000000018"
    assert {line["Agent"] for line in lines} >= {"=cmd()|'/c calc'!A0", "+1", "\\t=1", "<b>🍞"}
    assert Path("x.xlsx").read_bytes() == Path(f"pack/levain-{MONTH}.xlsx").read_bytes()


def test_parquet_keeps_decimals(published: Command) -> None:
    """Parquet has money as exact decimals and names unchanged."""
    published("export", "month", MONTH, "--format", "parquet", "--output", "x.parquet")
    frame = polars.read_parquet("x.parquet")

    assert frame["cost_usd"][-1] == Decimal("72.0000000018")
    assert set(HOSTILE) <= set(frame["agent_name"])


def test_one_workspace(published: Command) -> None:
    """`--workspace` takes a name or an id; an empty workspace has a total of 0 and no line."""
    export = ("export", "month", MONTH, "--output", "-")
    lines = read_csv(published(*export, "--workspace", "Blank Slate").out)
    again = read_csv(published(*export, "--workspace", lines[0]["workspace_id"]).out)
    (total,) = read_csv(published(*export, "--workspace", "=Empty()").out)

    assert lines == again
    assert (total["cost_usd"], total["run_count"], total["failure_rate"]) == (
        "0.0000000000", "0", "",
    )  # fmt: skip


def test_a_journal_of_an_open_month_is_a_preview(published: Command) -> None:
    """The journal of a month that is not closed is written, with a warning."""
    result = published("export", "journal", MONTH)

    lines = read_csv(Path(f"levain-journal-{MONTH}.csv").read_text(encoding="utf-8"))
    assert result.code == 0
    assert result.err == (
        f"warning: {MONTH} is not closed, so that its journal is a preview\n"
        f"wrote levain-journal-{MONTH}.csv\n"
    )
    assert {line["STATE"] for line in lines} == {"preview"}
    (bill,) = read_csv(
        published(
            "sql", "select sum(billed_usd) as usd from fct_billing_days", "--format", "csv"
        ).out
    )
    for side in ("DEBIT", "CREDIT"):
        assert sum(Decimal(line[side] or 0) for line in lines) == Decimal(bill["usd"])


def test_a_journal_of_a_workspace(published: Command) -> None:
    """--workspace chooses the workspace of a journal by its name; an unknown one is refused."""
    one = published("export", "journal", MONTH, "--workspace", "Blank Slate", "--output", "-")
    none = published("export", "journal", MONTH, "--workspace", "none")

    assert {line["WORKSPACE"] for line in read_csv(one.out)} == {"Blank Slate"}
    assert (none.code, "There is no workspace none." in none.err) == (2, True)


@pytest.mark.parametrize("form", ["csv", "hledger", "beancount", "netsuite", "xero"])
def test_a_journal_is_the_same_each_time(published: Command, form: str) -> None:
    """A journal that is exported again has the same bytes, by --format or by the file's ending."""
    first = published("export", "journal", MONTH, "--format", form, "--output", "-")
    published("export", "journal", MONTH, "--format", form, "--output", "again.txt")

    assert first.out.encode() == Path("again.txt").read_bytes()


@pytest.mark.parametrize(
    ("month", "message"),
    [
        ("2026-13", "2026-13 is no month: write it as 2026-10"),
        ("2031-01", "There are no figures of 2031-01."),
        ("2026-10", "There is no journal of 2026-10: the first one is that of 2026-11."),
    ],
)
def test_a_month_without_a_journal(published: Command, month: str, message: str) -> None:
    """A month that has no journal is refused, with the months that there are."""
    result = published("export", "journal", month)

    assert result.code == 2
    assert message in result.err


def test_focus_holds_the_bill(published: Command) -> None:
    """FOCUS has a row per agent, provider and day; their sums equal the bill to the last digit."""
    result = published("export", "focus", MONTH, "--dataset", "cost-and-usage", "--output", "-")
    lines = read_csv(result.out)
    (bill,) = read_csv(
        published(
            "sql",
            "select sum(billed_usd) as billed, sum(cost_usd) as cost, count(*) as line_count,"
            f" sum(request_count) as requests from fct_charges where utc_date >= '{MONTH}-01'",
            "--format",
            "csv",
        ).out
    )

    def total(column: str) -> Decimal:
        return sum((Decimal(line[column]) for line in lines), Decimal(0))

    assert len(lines) == int(bill["line_count"]) == len(HOSTILE)
    assert total("BilledCost") == total("EffectiveCost") == Decimal(bill["billed"]) > 0
    assert total("ListCost") == Decimal(bill["cost"])
    assert total("ListCost") == 2 * sum(range(len(HOSTILE))) + Decimal("1.8e-9")
    assert total("x_RequestCount") == Decimal(bill["requests"])
    assert {line["HostProviderName"] for line in lines} == {"anthropic", "'=cmd()"}
    assert [lines[0][name] for name in PERIODS] == [
        "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
        "2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z",
    ]  # fmt: skip


def test_focus_files_are_for_programs(published: Command) -> None:
    """The CSV begins with a column name, Parquet has decimals, and both have definitions beside."""
    of = ("export", "focus", MONTH, "--dataset", "cost-and-usage")
    published(*of, "--output", "f.csv")
    published(*of, "--format", "parquet", "--output", "f.parquet")
    frame = polars.read_parquet("f.parquet")
    terms = read_csv(Path("f-definitions.csv").read_text(encoding="utf-8"))

    assert Path("f.csv").read_bytes().startswith(b"BilledCost,EffectiveCost,")
    assert frame["ListCost"].sum() == Decimal("72.0000000018")
    assert frame["HostProviderName"].unique().sort().to_list() == ["=cmd()", "anthropic"]
    assert set(frame.columns) <= {each["term"] for each in terms if each["meaning"]}


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ((), ["cost-and-usage", "billing-period", "invoice-detail"]),
        (("--version", "1.2"), ["cost-and-usage-1.2"]),
        (("--draft-1.5", "--dataset", "cost-and-usage"), ["cost-and-usage-draft-1.5"]),
    ],
)
def test_focus_datasets_are_files_of_their_names(
    published: Command, options: tuple[str, ...], names: list[str]
) -> None:
    """Each dataset is a file that says month, dataset and any other version than 1.4."""
    result = published("export", "focus", MONTH, *options)
    written = [f"levain-focus-{MONTH}-{name}" for name in names]

    assert (result.code, result.out) == (0, "")
    assert re.findall(r"wrote (\S+)", result.err) == [
        f"{name}{end}.csv" for name in written for end in ("", "-definitions")
    ]
    assert all(Path(f"{name}.csv").stat().st_size for name in written)
    assert ("is a draft" in result.err) is ("--draft-1.5" in options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--output", "x.csv"), "name it with --dataset"),
        (("--dataset", "x"), "cost-and-usage, billing-period, invoice-detail or all"),
        (("--version", "1.3"), "1.4 or 1.2, or --draft-1.5"),
        (("--version", "1.2", "--dataset", "billing-period"), "1.2 has no dataset"),
        (("--version", "1.2", "--draft-1.5"), "leave one of them out"),
        (("--format", "xlsx"), "There is no format xlsx: csv or parquet"),
    ],
)
def test_focus_options_that_do_not_go_together(
    published: Command, options: tuple[str, ...], message: str
) -> None:
    """A wrong option exits with 2, and the message says what to give instead."""
    result = published("export", "focus", MONTH, *options)

    assert (result.code, result.out) == (2, "")
    assert message in result.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("2026-13",), "2026-13 is no month: write it as 2026-10"),
        (("2026-1",), "is no month"),
        (("\u0662026-10",), "is no month"),
        (("1999-01",), "first month with figures is 2026-10, the last 2026-11"),
        ((MONTH, "--format", "pdf"), "There is no format pdf: csv, xlsx or parquet"),
        ((MONTH, "--workspace", "x"), "There are: =Empty()"),
        ((MONTH, "--format", "xlsx", "--output", "-"), "name a file with --output"),
    ],
)
def test_wrong_usage(published: Command, arguments: tuple[str, ...], message: str) -> None:
    """A wrong argument exits with 2, and the message lists the valid ones."""
    result = published("export", "month", *arguments)

    assert (result.code, result.out) == (2, "")
    assert message in result.err


def test_a_file_that_cannot_be_written(published: Command) -> None:
    """The error names a missing folder; no file remains."""
    result = published("export", "month", MONTH, "--output", "no/where.csv")

    assert result.code == 1
    assert "no/where.csv cannot be written" in result.err


def test_a_pack_is_a_folder_and_an_archive(published: Command) -> None:
    """The pack is both, or what --output names; the archive has the files of the folder."""
    result = published("export", "pack", MONTH)
    published("export", "pack", MONTH, "--output", "one.zip", "--workspace", "Blank Slate")
    folder = Path(f"levain-{MONTH}")
    files = {f"{path}": path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(f"levain-{MONTH}.zip") as archive:
        packed = {name: archive.read(name) for name in archive.namelist()}

    assert result.err == (
        f"warning: {MONTH} is not closed, so that its journal is a preview\n"
        f"wrote {folder.name}\nwrote {folder.name}.zip\n"
    )
    assert packed == files
    assert zipfile.is_zipfile("one.zip")
    assert not list(Path().glob(".levain-*"))


def test_a_pack_never_mixes_with_another(published: Command) -> None:
    """A folder that is there already is refused; so is one that cannot be made."""
    Path("there").mkdir(exist_ok=True)
    refused = published("export", "pack", MONTH, "--output", "there")
    nowhere = published("export", "pack", MONTH, "--output", "no/where")

    assert (refused.code, list(Path("there").iterdir())) == (2, [])
    assert "there is there already, and nothing was written" in refused.err
    assert (nowhere.code, "no/where cannot be written" in nowhere.err) == (1, True)
