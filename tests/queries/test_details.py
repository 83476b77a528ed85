"""fct_run_models and fct_log_events: given a run's details, its rows."""

from __future__ import annotations

from decimal import Decimal

from tests.transform.given import Warehouse


def test_model(warehouse: Warehouse) -> None:
    """A model loses one leading `provider/`; the raw table keeps it as the API spells it."""
    models = {
        "claude-sonnet-5": "claude-sonnet-5",
        "anthropic/claude-haiku-5-5": "claude-haiku-5-5",
        "openrouter/meta/llama": "meta/llama",
        "openai.gpt-5.5": "openai.gpt-5.5",
        "/odd": "/odd",
        "odd/": "odd/",
        None: None,
        "<script>/🍞": "🍞",
    }
    warehouse.given("runs")
    for raw in models:
        warehouse.given("run_costs", model=raw)
        warehouse.given("usage_hours", model=raw)

    warehouse.build()

    assert dict(
        warehouse.rows(
            "select raw.model, staged.model"
            " from raw.run_costs as raw join staging.stg_run_costs as staged using (version_id)"
        )
    ) == {raw: model or "(unknown)" for raw, model in models.items()}
    for table in ("fct_run_models", "fct_usage_hours", "fct_model_days"):
        shown = warehouse.rows(f"select model from marts.{table}")
        assert {model for (model,) in shown} == {each or "(unknown)" for each in models.values()}


def test_a_missing_provider_is_one_unknown_one(warehouse: Warehouse) -> None:
    """Usage of a listed run without a provider stands in one line with what was metered of it."""
    warehouse.given("runs", cost_usd=50)
    for provider in (None, "(unknown)"):
        warehouse.given("run_costs", provider=provider, cost_usd=25)
        warehouse.given("usage_hours", agent_id="a-1", provider=provider, model=None, cost_usd=1)

    warehouse.build()

    assert warehouse.rows("select provider, cost_usd from marts.fct_run_models") == [
        ("(unknown)", 50)
    ]
    assert warehouse.rows(
        "select provider, metered_cost_usd from marts.fct_usage_hours order by all"
    ) == [("(unknown)", 2)]
    assert warehouse.rows(
        "select model, provider, metered_cost_usd, listed_cost_usd from marts.fct_model_days"
        " order by all"
    ) == [("(unknown)", "(unknown)", 2, 0), ("claude-sonnet-5", "(unknown)", 0, 50)]


def test_usage_by_model_that_is_unknown(warehouse: Warehouse) -> None:
    """What the meter, or a run whose costs by model were not read, leaves open is not zero."""
    warehouse.given("runs", cost_usd=2)
    warehouse.given("usage_hours", agent_id="a-1", model="m", provider="p", tokens_in=7)

    warehouse.build()

    columns = "metered_cost_usd, tokens_in, tokens_out, request_count, listed_cost_usd"
    assert warehouse.rows(f"select {columns} from marts.fct_model_days") == [
        (None, 7, None, None, None)
    ]
    assert warehouse.rows("select tokens_in from reports.rpt_models") == [(7,)]


def test_a_result_is_that_of_its_use(warehouse: Warehouse) -> None:
    """A result answers the use with its identifier, in whatever order; without one, in order."""
    warehouse.given("runs")
    for seq, kind, use, tool, duration in (
        (1, "tool_use", "ask", "ask_human", None),
        (2, "tool_use", "first", "search", None),
        (3, "tool_use", "second", "search", None),
        (4, "tool_use", None, "read", None),
        (5, "tool_use", None, "write", None),
        (6, "tool_result", "second", None, 2000),
        (7, "tool_result", "first", None, 9000),
        (8, "tool_result", None, None, 10),
        (9, "tool_result", None, None, 20),
    ):
        warehouse.given(
            "run_log_events", seq=seq, event_kind=kind, tool_use_id=use, tool_name=tool,
            duration_ms=duration, record_hash=seq,
        )  # fmt: skip

    warehouse.build()

    assert warehouse.rows(
        "select call_number, tool_name, duration_ms from marts.fct_tool_calls order by 1"
    ) == [
        (1, "ask_human", None),
        (2, "search", 9000),
        (3, "search", 2000),
        (4, "read", 10),
        (5, "write", 20),
    ]


def test_two_spellings_are_one_model(warehouse: Warehouse) -> None:
    """Spellings of one model at one provider add up; another provider stands apart."""
    warehouse.given("runs")
    row = {"tokens_in": 10, "tokens_out": 1, "request_count": 2}
    warehouse.given("run_costs", model="m", cost_usd="0.1", **row)
    warehouse.given("run_costs", model="anthropic/m", cost_usd="0.2", **row)
    warehouse.given("run_costs", model="m", provider="bedrock", cost_usd="0.4", **row)

    warehouse.build()

    assert warehouse.rows(
        "select model, provider, cost_usd, tokens_in, tokens_out, request_count"
        " from marts.fct_run_models order by provider"
    ) == [
        ("m", "anthropic", Decimal("0.3"), 20, 2, 4),
        ("m", "bedrock", Decimal("0.4"), 10, 1, 2),
    ]


def test_details_read_again(warehouse: Warehouse) -> None:
    """Details that were read again replace those from before, also by fewer rows."""
    warehouse.given("runs")
    first = warehouse.given("run_costs", model="old", cost_usd=1)
    warehouse.replaced(first, "run_costs", model="new", cost_usd=2)
    warehouse.insert("raw.superseded", version_id=warehouse.given("run_log_events", seq=1))

    warehouse.build()

    assert warehouse.rows("select model, cost_usd from marts.fct_run_models") == [
        ("new", Decimal(2))
    ]
    assert warehouse.rows("from marts.fct_log_events") == []


def test_log_events(warehouse: Warehouse) -> None:
    """Events keep the API's numbers, per run and workspace."""
    for run_id, seq, kind in (("r-1", 7, "tool_use"), ("r-1", 3, "thinking"), ("r-2", 3, "x")):
        warehouse.given("run_log_events", run_id=run_id, seq=seq, event_kind=kind)

    warehouse.build()

    assert warehouse.rows(
        "select run_id, seq, event_kind from marts.fct_log_events order by run_id, seq"
    ) == [("r-1", 3, "thinking"), ("r-1", 7, "tool_use"), ("r-2", 3, "x")]


def test_log_events_without_numbers_of_their_own(warehouse: Warehouse) -> None:
    """Different events hide one another neither by a repeated number nor by a missing one."""
    for seq, kind, record_hash in (
        (2, "tool_use", 1),
        (2, "tool_use", 1),  # the same event once more
        (2, "tool_result", 2),
        (None, "thinking", 3),
        (None, "thinking", 3),
    ):
        warehouse.given("run_log_events", seq=seq, event_kind=kind, record_hash=record_hash)

    warehouse.build()

    assert warehouse.rows("select seq, event_kind from marts.fct_log_events order by seq") == [
        (1, "tool_use"),
        (2, "tool_result"),
        (3, "thinking"),
        (4, "thinking"),
    ]
