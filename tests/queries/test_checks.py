"""Each check passes on a good warehouse, and fails on the damage that it names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.files import folder
from analytics.machine_clock import machine_clock
from analytics.transform import build
from analytics.transform.build import all_models
from analytics.transform.checks import (
    Check,
    CheckResult,
    _ask,
    _run,
    all_checks,
    run_checks,
)
from analytics.transform.models import PUBLISHED, ModelError
from analytics.warehouse.database import attached_marts
from analytics.warehouse.layout import Layout
from tests.queries.closing import close
from tests.queries.damage import DAMAGE
from tests.queries.sample import OTHER_WORKSPACE, fill
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

NOVEMBER = date(2026, 11, 1)
CHECKS = {each.name: each for each in all_checks(folder("queries"))}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Path]]:
    """A warehouse with a row in every mart, and a copy of its marts to damage."""
    root = tmp_path_factory.mktemp("built")
    with empty_warehouse(root / "data", Layout) as warehouse:
        fill(warehouse)
        close(warehouse, NOVEMBER)
        (bill,) = warehouse.row(
            "select version_id from raw.agent_billing_days where date = '2026-11-19'"
        )
        warehouse.replaced(bill, "agent_billing_days", cost_usd="0.6", billed_usd="0.2")
        warehouse.insert(
            "finance.invoices", line=3, invoice_id="LATE", workspace=WORKSPACE, month=NOVEMBER,
            issued_on=date(2026, 12, 9), amount_usd=1, credit_usd=0, tax_usd=0,
        )  # fmt: skip
        warehouse.insert(
            "finance.invoices", line=4, invoice_id="ACCEPTED", workspace=OTHER_WORKSPACE,
            month=NOVEMBER, issued_on=date(2026, 12, 9), amount_usd=1, credit_usd=0, tax_usd=0,
            is_accepted=True,
        )  # fmt: skip
        of = {"workspace_id": OTHER_WORKSPACE, "agent_id": "a-9"}
        warehouse.given(
            "runs", run_id="r-december", created_at="2026-12-01 12:00Z", status="failed",
            error="Timeout", cost_usd="0.5", **of,
        )  # fmt: skip
        warehouse.given(
            "agent_billing_days", date="2026-12-01", cost_usd="0.5", billed_usd="0.5", **of
        )
        _agree(warehouse)
        warehouse.build_all("Europe/Berlin")
        run_checks(warehouse.con)
        of_outage = {"workspace_id": WORKSPACE, "hour": datetime(2026, 11, 17, 9, tzinfo=UTC)}
        warehouse.insert("marts.fct_outage_hours", **of_outage)
        warehouse.con.execute("checkpoint build_file; detach build_file")
        yield warehouse, root / "data" / "build.duckdb"
        warehouse.con.execute("attach ':memory:' as build_file")


def _agree(warehouse: Warehouse) -> None:
    """Add a run that agrees with its model costs, and a provider's hour with its bill."""
    usage = {"tokens_in": 1002, "tokens_out": 2}
    warehouse.given("run_costs", run_id="r-2", cost_usd="0.0000000001", **usage)
    warehouse.insert(
        "ledger.requests", workspace_id=WORKSPACE, load_id="load-1", request=8, run_id="r-2",
        source="run_costs", status=200,
    )  # fmt: skip
    usage |= {"provider": "exact", "date": "2026-11-17", "cost_usd": 1, "request_count": 1}
    warehouse.given("usage_hours", hour="2026-11-17 09:00Z", agent_id="a-1", model="m", **usage)
    warehouse.given("billing_days", billed_usd=1, **usage)


@pytest.fixture
def sample(built: tuple[Warehouse, Path], tmp_path: Path) -> Iterator[Warehouse]:
    warehouse, marts = built
    shutil.copy(marts, tmp_path / "copy.duckdb")
    with attached_marts(warehouse.con, tmp_path / "copy.duckdb"):
        yield warehouse


def broken(warehouse: Warehouse) -> dict[str, CheckResult]:
    """The checks of keys and sums of our own that fail."""
    results = run_checks(warehouse.con)
    return {result.name: result for result in results if not result.ok and not result.control}


def fails(warehouse: Warehouse, check: Check) -> bool:
    """Ask all questions of a check."""
    rows = _ask(warehouse.con, check)
    return any(differs for *_, differs in rows or ())


def names_without_key(warehouse: Warehouse) -> list[str]:
    """The tables that the check of keys names; it fails if there are any."""
    check = CHECKS["keys_are_unique_and_known"]
    found = {name for (name,) in warehouse.rows(f"select question from ({check.violations})")}

    assert fails(warehouse, check) == bool(found)
    end = "_key_is_unique"
    return sorted(name.removesuffix(end) for name in found if name.endswith(end))


def test_all_pass(sample: Warehouse) -> None:
    """On figures as they were built every check passes."""
    assert broken(sample) == {}


def test_all_pass_when_empty(warehouse: Warehouse) -> None:
    """An empty warehouse builds, and every check passes."""
    warehouse.build()

    assert broken(warehouse) == {}
    assert warehouse.rows("from marts.fct_runs") == []


def test_each_check_is_tried() -> None:
    """Each check has damage that it must find."""
    assert {name for name, _ in DAMAGE} == CHECKS.keys()


def test_a_check_finds_its_damage(sample: Warehouse) -> None:
    """Each check fails on the damage that its name denies, and finds more than before."""
    con, most = sample.con, Decimal(10)
    before = {name: _run(con, CHECKS[name], most).violation_count for name, _ in DAMAGE}
    for name, damage in DAMAGE:
        con.begin()
        con.execute(damage)
        found = _run(con, CHECKS[name], most).violation_count

        assert fails(sample, CHECKS[name]), damage
        assert found > before[name], damage
        con.rollback()


def test_a_key_that_comes_twice(sample: Warehouse) -> None:
    """With a row twice the check of keys names the table, of each published one."""
    models = [each for each in all_models(folder("queries")) if each.layer in PUBLISHED]
    for model in models:
        sample.con.execute(f"insert into {model.relation} from {model.relation} limit 1")

    assert names_without_key(sample) == sorted(model.name for model in models)


@pytest.mark.parametrize("place", range(10))
def test_a_key_that_is_null(sample: Warehouse, place: int) -> None:
    """With a null in any of its columns the check of keys names the table."""
    models = [
        each
        for each in all_models(folder("queries"))
        if each.layer in PUBLISHED and len(each.header.key) > place
    ]
    for model in models:
        sample.con.execute(
            f'update {model.relation} set "{model.header.key[place]}" = null'
            f" where rowid = (select min(rowid) from {model.relation})"
        )

    assert names_without_key(sample) == sorted(model.name for model in models)


def test_violation_names_the_numbers(sample: Warehouse) -> None:
    """A violation says where it is, and both numbers that should be equal."""
    sample.con.execute("""
        update marts.fct_charges set surcharge_usd = surcharge_usd + 0.0000000001
        where workspace_id = 'w-1' and utc_date = '2026-11-19' and agent_id = 'a-1'
            and provider = 'bedrock'
    """)

    result = broken(sample)["bills_and_usage_are_as_loaded"]

    assert result.violation_count == 2
    other, violation = result.violations
    assert violation["figure"] == "charges"
    assert violation["workspace_id"] == "w-1"
    assert str(violation["utc_date"]) == "2026-11-19"
    assert violation["hold"] == "marts.fct_charges"
    assert other["hold"] == "intermediate.int_agent_billing_days"
    assert violation["surcharge_usd"] - other["surcharge_usd"] == Decimal("1e-10")


def test_results_are_a_mart(sample: Warehouse) -> None:
    """Results stand in the marts, a row a check, at the time that a close has, too; all violations
    count, the first are shown.
    """
    now = datetime(2026, 11, 20, 6, tzinfo=UTC)
    sample.con.execute("update marts.fct_runs set is_final = true, is_terminal = false")

    with machine_clock(lambda: now):
        results = run_checks(sample.con)

    (found,) = (each for each in results if each.name == "final_runs_have_ended")
    assert (found.violation_count, len(found.violations)) == (95, 3)
    assert sample.row("select count(*), count(distinct check_name) from audit.check_results") == (
        len(results), len(results),
    )  # fmt: skip
    assert sample.row(
        "select claim, is_ok, violation_count, checked_at"
        " from audit.check_results where check_name = ?", found.name,
    ) == (found.claim, False, 95, now)  # fmt: skip


@pytest.mark.parametrize(
    ("sql", "cause"),
    [
        ("drop table marts.fct_runs", "Only SELECT"),
        ("select nothing from marts.fct_runs", '"nothing" not found'),
    ],
)
def test_error_names_the_file(sample: Warehouse, tmp_path: Path, sql: str, cause: str) -> None:
    """A check that cannot be run is an error with its file, not a check that holds."""
    queries = Path(shutil.copytree(folder("queries"), tmp_path / "queries"))
    (queries / "checks" / "odd.sql").write_text(sql)

    with pytest.raises(ModelError) as caught:
        run_checks(sample.con, queries=queries)

    assert caught.value.file == "queries/checks/odd.sql"
    assert cause in caught.value.cause


def test_checks_that_are_stopped_change_nothing(
    sample: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results, and each relation that reads them, are replaced together or not at all."""
    relations = ("audit.check_results", "marts.fct_findings")
    before = [sample.rows(f"from {each} order by all") for each in relations]

    def stop(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "_make", stop)
    with pytest.raises(KeyboardInterrupt):
        run_checks(sample.con)

    assert before == [sample.rows(f"from {each} order by all") for each in relations]
