"""What a page tells of a single run is what SQL says of it: facts, models, events."""

from __future__ import annotations

from playwright.sync_api import Browser

from analytics.format import numbers
from tests.report import cells
from tests.report.asking import of_page
from tests.report.browser import Reader
from tests.report.cells import Cell
from tests.report.pages import Page, Site
from tests.report.published import Asked

# The newest run of an agent of which the page knows both, the models and the log events.
_RUN = """
    select run_id, status, cost_usd, tokens_in, tokens_out, queue_seconds, duration_seconds
    from runs semi join published.marts.fct_log_events using (workspace_id, run_id)
    semi join published.marts.fct_run_models using (workspace_id, run_id)
    order by created_at desc limit 1"""
_MODELS = (
    "text model | text provider | fine cost_usd | count tokens_in | count tokens_out"
    " | count request_count"
)
_EVENTS = "seconds after | text what | text node | text took | text error"


def _with_events(batches: Site, sql: Asked) -> tuple[Page, dict[str, object]]:
    return next((page, row) for page in batches.agents for row in of_page(sql, page).rows(_RUN))


def test_a_run_is_what_sql_says(batches: Site, sql: Asked, browser: Browser) -> None:
    """A run's cost to the last digit, its times, each model's share and each event, in order."""
    page, run = _with_events(batches, sql)
    of_run = f"from published.marts.fct_run_models where run_id = '{run['run_id']}'"
    models = sql.rows(f"select * {of_run} order by cost_usd desc nulls last, model, provider")
    events = sql.rows(f"""
        select date_diff('ms', created_at, occurred_at) / 1000 as after, e.node,
            round(e.duration_ms) as took_ms, coalesce(is_error, false) or level = 'ERROR' as failed,
            if(event_kind is null, level, concat_ws(': ', event_kind, tool_name)) as what
        from published.marts.fct_log_events as e join runs using (workspace_id, run_id)
        where run_id = '{run["run_id"]}' order by seq""")
    for each in events:
        took = each["took_ms"]
        each["took"] = "" if took is None else numbers.duration(took / 1000)
        each["error"] = "error" if each["failed"] else ""
    reader = Reader(browser)
    shown = reader.open(page.path, f"#run={run['run_id']}")
    dialog = shown.locator("#run-detail")
    facts = dialog.locator("dd").all_inner_texts()
    tables = [
        [[Cell(text) for text in row.locator("th, td").all_inner_texts()] for row in table.all()]
        for table in (
            dialog.locator("table").nth(0).locator("tbody tr"),
            dialog.locator("table").nth(1).locator("tbody tr"),
        )
    ]
    reader.close()

    assert reader.complaints == []
    assert models
    assert events
    assert cells.differences(_MODELS, models, tables[0]) == []
    assert cells.differences(_EVENTS, events, tables[1]) == []
    assert {
        run["status"],
        f"${run['cost_usd']:f}",
        numbers.count(run["tokens_in"]),  # type: ignore[arg-type]
        numbers.count(run["tokens_out"]),  # type: ignore[arg-type]
        numbers.duration(run["queue_seconds"]),  # type: ignore[arg-type]
        numbers.duration(run["duration_seconds"]),  # type: ignore[arg-type]
    } <= set(facts)
