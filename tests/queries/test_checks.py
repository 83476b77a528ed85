"""Each check passes on a good warehouse, and fails on the damage that it names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from analytics.resources import folder
from analytics.transform import build
from analytics.transform.build import all_models
from analytics.transform.checks import CheckResult, Thresholds, _all_checks, _run, run_checks
from analytics.transform.header_checks import header_checks
from analytics.transform.models import PUBLISHED, ModelError
from analytics.warehouse.database import attached_marts
from analytics.warehouse.layout import Layout
from tests.queries.closing import close
from tests.queries.damage import DAMAGE
from tests.queries.sample import OTHER_WORKSPACE, fill
from tests.transform.given import WORKSPACE, Warehouse, empty_warehouse

NOVEMBER = date(2026, 11, 1)


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
            "finance.invoices", line=3, invoice_id="LATE", workspace_id=WORKSPACE, month=NOVEMBER,
            issued_on=date(2026, 12, 9), amount_usd=1, credit_usd=0, tax_usd=0,
        )  # fmt: skip
        of = {"workspace_id": OTHER_WORKSPACE, "agent_id": "a-9"}
        warehouse.given(
            "runs", run_id="r-december", created_at="2026-12-01 12:00Z", status="failed",
            error="Timeout", cost_usd="0.5", **of,
        )  # fmt: skip
        warehouse.given(
            "agent_billing_days", date="2026-12-01", cost_usd="0.5", billed_usd="0.5", **of
        )
        warehouse.build_all("Europe/Berlin")
        run_checks(warehouse.con)
        warehouse.con.execute("checkpoint build_file; detach build_file")
        yield warehouse, root / "data" / "build.duckdb"
        warehouse.con.execute("attach ':memory:' as build_file")


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


def test_all_pass(sample: Warehouse) -> None:
    """On figures as they were built every check passes."""
    assert broken(sample) == {}


def test_all_pass_when_empty(warehouse: Warehouse) -> None:
    """An empty warehouse builds, and every check passes."""
    warehouse.build()

    assert broken(warehouse) == {}
    assert warehouse.rows("from marts.fct_runs") == []


def test_no_two_checks_have_a_name(sample: Warehouse) -> None:
    """Each check that a header declares or a file holds has a result."""
    declared = [
        check.name
        for model in all_models(folder("queries"))
        if model.layer in PUBLISHED or model.header.conserves or model.header.sums
        for check in header_checks(sample.con, model)
    ]
    files = [file.stem for file in (folder("queries") / "checks").glob("*.sql")]

    assert sorted(each.name for each in run_checks(sample.con)) == sorted([*declared, *files])


def test_every_check_is_tried(sample: Warehouse) -> None:
    """Each check of our own has its damage, but for those of keys."""
    names = {result.name for result in run_checks(sample.con) if not result.control}

    assert {name for name in names if not name.endswith("_key_is_unique")} == DAMAGE.keys()


def test_checks_find_their_damage(sample: Warehouse) -> None:
    """Each check fails on the damage that its name denies."""
    checks = {check.name: check for check in _all_checks(sample.con, folder("queries"))}
    passed = []
    for name, damage in DAMAGE.items():
        sample.con.begin()
        sample.con.execute(damage)
        if _run(sample.con, checks[name], Thresholds()).ok:
            passed.append(name)
        sample.con.rollback()

    assert passed == []


def test_keys(sample: Warehouse) -> None:
    """With a row twice the check of a key fails."""
    models = [each for each in all_models(folder("queries")) if each.layer in PUBLISHED]
    for model in models:
        sample.con.execute(f"insert into {model.relation} from {model.relation} limit 1")

    assert {f"{model.name}_key_is_unique" for model in models} <= broken(sample).keys()


def test_violation_names_the_numbers(sample: Warehouse) -> None:
    """A violation says where it is, and both numbers that should be equal."""
    sample.con.execute("""
        update marts.fct_workspace_days set cost_usd = cost_usd + 0.0000000001
        where workspace_id = 'w-1' and date = '2026-11-19'
    """)

    name = "fct_workspace_days_sums_fct_agent_days"
    (check,) = (each for each in _all_checks(sample.con, folder("queries")) if each.name == name)
    result = _run(sample.con, check, Thresholds())

    assert result.violation_count == 2
    other, violation = result.violations
    assert violation["workspace_id"] == "w-1"
    assert str(violation["date"]) == "2026-11-19"
    assert violation["holds"] == "marts.fct_workspace_days"
    assert other["holds"] == "marts.fct_agent_days"
    assert violation["cost_usd"] - other["cost_usd"] == Decimal("1e-10")


def test_results_are_a_mart(sample: Warehouse) -> None:
    """Results stand in the marts, one row a check; all violations count, the first are shown."""
    sample.con.execute("update marts.fct_runs set error_class = null")

    results = run_checks(sample.con)

    (found,) = (each for each in results if each.name == "failed_runs_alone_have_an_error_class")
    assert (found.violation_count, len(found.violations)) == (11, 3)
    assert sample.row("select count(*), count(distinct check_name) from audit.check_results") == (
        len(results), len(results),
    )  # fmt: skip
    assert sample.row(
        "select claim, is_ok, violation_count, checked_at <= now()"
        " from audit.check_results where check_name = ?", found.name,
    ) == (found.claim, False, 11, True)  # fmt: skip


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
