"""dim_agent_versions: the state of each version, since when it is active, and when it ran."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.transform.given import SEEN, WORKSPACE, Warehouse

CREATED = datetime(2026, 11, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def test_a_version_is_as_it_was_last_read(warehouse: Warehouse) -> None:
    """A version has the state of its last record, and is published since it was first active."""
    version = warehouse.given("agent_versions", status="draft", created_at=CREATED)
    for number, status in enumerate(("draft", "active", "active", "archived", "active"), 1):
        version = warehouse.replaced(
            version,
            "agent_versions",
            status=status,
            parent_version=None if number == 1 else 7,
            created_at=CREATED,
            updated_at=CREATED + number * DAY,
            seen_at=SEEN + number * DAY,
        )

    warehouse.build()

    assert warehouse.rows("from marts.dim_agent_versions") == [
        (WORKSPACE, "a-1", 1, "active", 7, CREATED, CREATED + 2 * DAY, None, None, True)
    ]


def test_a_version_that_was_never_active_is_not_published(warehouse: Warehouse) -> None:
    """A draft, or a version that was archived before a batch saw it, has no time of publishing."""
    for number, status in enumerate(("draft", "archived", None), 1):
        warehouse.given("agent_versions", agent_version=number, status=status, updated_at=CREATED)

    warehouse.build()

    assert warehouse.rows("select status, published_at from marts.dim_agent_versions") == [
        ("draft", None),
        ("archived", None),
        (None, None),
    ]


def test_versions_have_their_runs(warehouse: Warehouse) -> None:
    """First and last run are those of the agent and version; of a run without them nothing is told.

    A version that only runs tell of is a row, too.
    """
    warehouse.given("agent_versions", agent_version=1, created_at=CREATED)
    for number, (agent, version) in enumerate(
        [("a-1", 1), ("a-1", 1), ("a-1", 2), ("a-2", 1), (None, 1), ("a-1", None)]
    ):
        warehouse.given(
            "runs",
            run_id=f"r-{number}",
            agent_id=agent,
            agent_version=version,
            created_at=CREATED + number * DAY,
        )

    warehouse.build()

    assert warehouse.rows(
        "select agent_id, agent_version, status, created_at, first_run_at, last_run_at, is_listed"
        " from marts.dim_agent_versions"
    ) == [
        ("a-1", 1, "active", CREATED, CREATED, CREATED + DAY, True),
        ("a-1", 2, None, None, CREATED + 2 * DAY, CREATED + 2 * DAY, False),
        ("a-2", 1, None, None, CREATED + 3 * DAY, CREATED + 3 * DAY, False),
    ]


def test_a_version_that_left_the_list(warehouse: Warehouse) -> None:
    """A version that is no longer listed keeps its last state, and is not listed."""
    gone = warehouse.given("agent_versions", status="archived")
    warehouse.insert("raw.superseded", version_id=gone)

    warehouse.build()

    assert warehouse.rows("select status, is_listed from marts.dim_agent_versions") == [
        ("archived", False)
    ]


def test_the_listed_record_of_a_number_is_preferred(warehouse: Warehouse) -> None:
    """Where a number was given out again, the version in the list tells, in its workspace."""
    warehouse.given("agent_versions", agent_version_id="v-new", status="draft")
    gone = warehouse.given("agent_versions", agent_version_id="v-old", status="active")
    warehouse.insert("raw.superseded", version_id=gone)
    warehouse.given("agent_versions", workspace_id="w-2", status="archived")

    warehouse.build()

    assert warehouse.rows("select workspace_id, status from marts.dim_agent_versions") == [
        (WORKSPACE, "draft"),
        ("w-2", "archived"),
    ]


def test_every_record_is_staged(warehouse: Warehouse) -> None:
    """Staging has each record of a version, and tells which one is in force."""
    first = warehouse.given("agent_versions", status="draft", updated_at=CREATED)
    warehouse.replaced(first, "agent_versions", status="active", seen_at=SEEN + DAY)

    warehouse.build()

    assert warehouse.rows(
        "select status, updated_at, is_current from staging.stg_agent_versions order by version_id"
    ) == [("draft", CREATED, False), ("active", None, True)]
