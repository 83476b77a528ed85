"""What tables on trust, of bills and of single runs should say, as SQL on the published file."""

from __future__ import annotations

from tests.report.cells import Question

RUN_CELLS = (
    "text run_id | minute created_at | text status & text error_class | text trigger_type"
    " | text version | seconds duration | fine cost_usd | tokens tokens_in | tokens tokens_out"
)
RUN_COLUMNS = """
    select run_id, created_at at time zone 'UTC' as created_at, status, error_class,
        case when parent_run_id is not null then 'another run'
            when session_id is not null then 'a session' end as trigger_type,
        'v' || agent_version as version, duration_seconds as duration, cost_usd, tokens_in,
        tokens_out"""

_OURS = """coalesce(
    list_contains(getvariable('workspaces')::varchar[], workspace_id), true)"""
_NAMED = """left join names on names.workspace_id = t.workspace_id
    and names.agent_id is not distinct from t.agent_id"""

_PARTS = (
    "run_cost_usd", "open_cost_usd", "platform_cost_usd", "gap_cost_usd", "edge_usd",
    "unexplained_usd",
)  # fmt: skip
_EXPLAINED = "exact metered | " + " | ".join(f"exact {each}" for each in _PARTS)


def explained(key: str) -> Question:
    """The table of a month of the reconciliation, `days-2026-10`, or that of all months."""
    month = key.removeprefix("days-") if key.startswith("days-") else None
    label, within = ("date::varchar", f"strftime(date, '%Y-%m') = '{month}'")
    if month is None:
        label, within = "strftime(date, '%Y-%m')", "true"
    cells = f"text label | {_EXPLAINED} | exact billed_usd | exact not_billed_usd | _"
    source = f"""
        from published.audit.reconciliation_days as t left join (
            select date, sum(billed_usd) as billed_usd, sum(not_billed_usd) as not_billed_usd
            from published.marts.fct_billing_days as b where {_OURS} group by date
        ) as bills using (date)
        where {_OURS} and {within}"""
    sums = ", ".join(
        f"sum({each}) as {each.split('.')[-1]}"
        for each in (*_PARTS, "bills.billed_usd", "not_billed_usd")
    )
    sums = f"sum(metered_cost_usd) as metered, {sums}"
    return Question(
        cells,
        f"select {label} as label, {sums} {source} group by label order by label desc",
        cells.replace("text label", "_"),
        f"select {sums} {source}",
    )


def _bill(kind: str, month: str) -> str:
    return " | ".join(f"{kind} {month}_{each}" for each in ("cost", "billed", "not_billed"))


_OF_MONTHS = {
    "this": "date_trunc('month', date) = date_trunc('month', $today::date)",
    "last": "date_trunc('month', date) = date_trunc('month', $today - interval 1 month)",
}
_TWO_MONTHS = f"{_OURS} and date >= date_trunc('month', $today - interval 1 month)"


def _by_month(*sums: str) -> str:
    """Each sum, `cost=cost_usd`, of this month and of the last."""
    named = (each.split("=") for each in sums)
    return ", ".join(
        f"(sum({expression}) filter ({within})) as {month}_{name}"
        for name, expression in named
        for month, within in _OF_MONTHS.items()
    )


_BILLS = _by_month("cost=cost_usd", "billed=billed_usd", "not_billed=cost_usd - billed_usd")
_PLATFORM = _by_month("runs=run_count", "cost=cost_usd", "billed=billed_usd")
_PLATFORM_CELLS = " | ".join(
    f"zcount {month}_runs | zusd {month}_cost | zusd {month}_billed" for month in ("last", "this")
)
_GAP_TOTALS = f"""
    select count(*) as days, sum(missing_run_count)::bigint as missing,
        sum(missing_cost_usd) as usd
    from published.marts.fct_listing_gaps where {_OURS}"""
_LOADED = ("request", "record", "new_version", "superseded", "quarantined", "rounded")
_LOAD_CELLS = " | ".join(f"count {each}" for each in _LOADED)
_ODD = f"""
    select coalesce(name, 'No agent') as name, count(*) as runs,
        count(*) filter (status = 'succeeded') as succeeded,
        count(*) filter (has_no_usage) as no_usage,
        count(*) filter (cost_usd is null) as unknown,
        max(day) filter (has_no_usage) as no_usage_day,
        max(day) filter (cost_usd is null) as unknown_day
    from runs as t {_NAMED} group by all"""

QUESTIONS = {
    "billing-by-provider": Question(
        f"text provider | {_bill('zexact', 'last')} | {_bill('zexact', 'this')}",
        f"""
        select provider, {_BILLS} from published.marts.fct_billing_days where {_TWO_MONTHS}
        group by provider order by provider""",
        f"_ | {_bill('exact', 'last')} | {_bill('exact', 'this')}",
        f"select {_BILLS} from published.marts.fct_billing_days where {_TWO_MONTHS}",
    ),
    "platform": Question(
        f"text name | {_PLATFORM_CELLS}",
        f"""
        select coalesce(any_value(platform_agent_name), any_value(platform_agent_slug)) as name,
            {_PLATFORM}
        from published.marts.fct_platform_agent_days where {_TWO_MONTHS}
        group by platform_agent_id
        order by min(date_trunc('month', date)), platform_agent_id""",
        f"_ | {_PLATFORM_CELLS}",
        f"select {_PLATFORM} from published.marts.fct_platform_agent_days where {_TWO_MONTHS}",
    ),
    "bills-by-provider": Question(
        "month month | text provider | exact cost | exact billed | exact not_billed",
        f"""
        select date_trunc('month', date)::date as month, provider, sum(cost_usd) as cost,
            sum(billed_usd) as billed, sum(cost_usd - billed_usd) as not_billed
        from published.marts.fct_billing_days where {_OURS}
        group by all order by month desc, cost desc nulls last, provider""",
        "_ | | exact cost | exact billed | exact not_billed",
        f"""
        select sum(cost_usd) as cost, sum(billed_usd) as billed,
            sum(cost_usd - billed_usd) as not_billed
        from published.marts.fct_billing_days where {_OURS}""",
    ),
    "bills-by-agent": Question(
        f"text name | {_bill('zexact', 'this')} | {_bill('zexact', 'last')}",
        f"""
        select if(t.agent_id is null, 'Platform, and usage without an agent', name) as name,
            {_BILLS}
        from (from published.marts.fct_agent_billing_days where {_TWO_MONTHS}) as t {_NAMED}
        group by t.agent_id, name
        order by coalesce(this_cost, 0) desc, coalesce(last_cost, 0) desc,
            t.agent_id nulls first""",
        f"_ | {_bill('exact', 'this')} | {_bill('exact', 'last')}",
        f"select {_BILLS} from published.marts.fct_agent_billing_days where {_TWO_MONTHS}",
    ),
    "provider-keys": Question(
        "text provider | moment added_at | _",
        f"""
        select provider, added_at at time zone 'UTC' as added_at
        from published.marts.dim_provider_keys where {_OURS}
        order by is_listed desc, provider, added_at""",
    ),
    "controls": Question(
        "_ | text measure | exact ours | exact explained | exact theirs | exact difference | _",
        f"""
        from published.audit.controls where {_OURS}
        order by list_position(
            ['completeness', 'cut_off', 'accuracy', 'allocation'], control), measure""",
    ),
    "waterfall": Question(
        "_ | _ | exact usd & share usd metered",
        f"""
        select * from (
            select sum(metered_cost_usd) as metered,
                {", ".join(f"sum({each}) as {each}" for each in _PARTS)}
            from published.audit.reconciliation_days where {_OURS}
        ) unpivot (usd for part in ({", ".join(_PARTS)}))""",
        "_ | _ | exact metered",
        f"""
        select sum(metered_cost_usd) as metered
        from published.audit.reconciliation_days where {_OURS}""",
    ),
    "origins": Question(
        "day date | text name | usd cost_usd | exact runs | exact platform_cost_usd"
        " | exact gap_cost_usd | exact unexplained_usd | _",
        f"""
        select date, if(t.agent_id is null, 'Platform, and usage without an agent', name) as name,
            cost_usd, run_cost_usd + open_cost_usd as runs, platform_cost_usd, gap_cost_usd,
            unexplained_usd
        from published.audit.reconciliation_agents as t {_NAMED}
        where t.workspace_id = getvariable('workspaces')[1] and date in (
            select date from published.audit.reconciliation_days
            where {_OURS} and status in ('unreconciled', 'pending'))
        order by date desc, abs(unexplained_usd) desc, t.agent_id""",
    ),
    "hours": Question(
        "moment hour | count requests | usd usd",
        f"""
        select hour at time zone 'UTC' as hour, sum(request_count)::bigint as requests,
            sum(cost_usd) as usd
        from published.marts.fct_usage_hours
        where {_OURS} and agent_id is null and (hour at time zone 'UTC')::date in (
            select date from published.audit.reconciliation_agents
            join published.audit.reconciliation_days as days using (workspace_id, date)
            where {_OURS} and agent_id is null and days.status in ('unreconciled', 'pending'))
        group by all order by hour desc""",
    ),
    "gap-agents": Question(
        "text name | count days | count missing | usd usd & text part | zcount busiest"
        " | zseconds span | zcount batches",
        f"""
        select coalesce(any_value(name), 'No agent') as name, count(*) as days,
            sum(missing_run_count)::bigint as missing, sum(missing_cost_usd) as usd,
            if(count(*) > count(missing_cost_usd), 'part unknown', '') as part,
            any_value(busiest_day_run_count) as busiest, any_value(shortest_span_seconds) as span,
            any_value(required_batches_per_day) as batches
        from (from published.marts.fct_listing_gaps where {_OURS}) as t {_NAMED}
        left join published.audit.list_coverage as paces
            on paces.workspace_id = t.workspace_id and paces.agent_id = t.agent_id
        group by t.agent_id order by usd desc nulls last, missing desc, t.agent_id""",
        "_ | | count missing | usd usd | | |",
        _GAP_TOTALS,
    ),
    "gap-days": Question(
        "day date | text name | count counted_run_count | count held_run_count"
        " | count missing_run_count | usd missing_cost_usd | _",
        f"""
        select t.*, coalesce(name, 'No agent') as name
        from (from published.marts.fct_listing_gaps where {_OURS}) as t {_NAMED}
        order by date desc, missing_run_count desc, t.agent_id""",
        "_ | | | | count missing | usd usd |",
        _GAP_TOTALS,
    ),
    "gap-models": Question(
        "text model | text provider | usd metered | usd held | usd missing & text part",
        f"""
        select model, provider, sum(metered_cost_usd) as metered, sum(held_cost_usd) as held,
            sum(missing_cost_usd) as missing,
            if(count(*) > count(missing_cost_usd), 'part unknown', '') as part
        from published.marts.fct_listing_gap_models where {_OURS}
        group by model, provider order by missing desc nulls last, model, provider""",
        "_ | | usd metered | usd held | usd missing",
        f"""
        select sum(metered_cost_usd) as metered, sum(held_cost_usd) as held,
            sum(missing_cost_usd) as missing
        from published.marts.fct_listing_gap_models where {_OURS}""",
    ),
    "provisional": Question(
        "text run_id | text name | _ | text status | moment? created_at | moment? last_changed_at"
        " | usd cost_usd",
        f"""
        with provisional as (
            select t.*, coalesce(name, 'No agent') as name,
                row_number() over (order by is_terminal, created_at, run_id) as place
            from runs as t {_NAMED} where not is_final
        )
        select place, run_id, name, status, created_at, last_changed_at, cost_usd
        from provisional where place <= 200
        union all by name
        select 201 as place, format('{{:,}} newer run', count(*)) || if(count(*) = 1, '', 's')
            as run_id, coalesce(sum(cost_usd), 0)::decimal(18,10) as cost_usd
        from provisional where place > 200 having count(*) > 0
        order by place""",
        "_ | | | | | | usd usd",
        "select sum(cost_usd) as usd from runs where not is_final",
    ),
    "adjustments": Question(
        "day date | text name | usd previous_cost_usd | usd current_cost_usd | usd change"
        " | text counts | moment seen_at | text load_id",
        f"""
        select t.*, name, current_cost_usd - previous_cost_usd as change,
            format('{{:,}} \u2192 {{:,}}', previous_run_count, current_run_count) as counts
        from (from published.marts.fct_adjustments where {_OURS}) as t {_NAMED}
        order by load_id desc, date desc, t.agent_id""",
        "_ | | | | usd change | | |",
        f"""
        select sum(current_cost_usd - previous_cost_usd) as change
        from published.marts.fct_adjustments where {_OURS}""",
    ),
    "no-usage": Question(
        "text name | count no_usage | count succeeded | percent no_usage succeeded"
        " | day no_usage_day",
        f"from ({_ODD}) where no_usage > 0 order by no_usage desc, name",
        "_ | count no_usage | | |",
        "select count(*) as no_usage from runs where has_no_usage",
    ),
    "unknown-costs": Question(
        "text name | count unknown | count runs | day unknown_day",
        f"from ({_ODD}) where unknown > 0 order by unknown desc, name",
        "_ | count unknown | |",
        "select count(*) as unknown from runs where cost_usd is null",
    ),
    "loads": Question(
        f"text load_id | text step | {_LOAD_CELLS} | moment loaded_at",
        f"""
        select load_id, step, loaded_at, {", ".join(f"{each}_count as {each}" for each in _LOADED)}
        from published.audit.loads where {_OURS} order by load_id desc""",
        f"_ | | {_LOAD_CELLS} |",
        f"""
        select {", ".join(f"sum({each}_count)::bigint as {each}" for each in _LOADED)}
        from published.audit.loads where {_OURS}""",
    ),
    "all-checks": Question(
        "text claim | _ | _ | text finding",
        """
        from published.audit.check_results
        order by is_ok, control nulls last, check_name""",
    ),
    "broken": Question(
        "text claim | text finding | _ | _",
        """
        from published.audit.check_results where not is_ok
        order by control nulls last, check_name""",
    ),
    "checks": Question(
        "text claim | text check_name | count violation_count",
        "from published.audit.check_results where not is_ok order by check_name",
    ),
    "held-checks": Question(
        "text claim | text check_name | count violation_count",
        "from published.audit.check_results where is_ok order by check_name",
    ),
    "standing": Question(
        "text workspace_name | count hidden | usd usd & text part | count open | count provisional"
        " | count adjusted | count left_out | text verdict | _",
        """
        with gaps as (
            select workspace_id, sum(missing_run_count)::bigint as hidden,
                sum(missing_cost_usd) as usd,
                if(count(*) > count(missing_cost_usd), 'part unknown', '') as part
            from published.marts.fct_listing_gaps group by workspace_id
        ), days as (
            select workspace_id, count(*) as days,
                count(*) filter (status = 'unreconciled') as breaches
            from published.audit.reconciliation_days group by workspace_id
        )
        select workspace_name, coalesce(hidden, 0) as hidden,
            if(gaps.workspace_id is null, 0, usd) as usd, coalesce(part, '') as part,
            (select count(*) from runs as t
                where t.workspace_id = w.workspace_id and not is_terminal) as open,
            (select count(*) from runs as t
                where t.workspace_id = w.workspace_id and is_terminal and not is_final)
                as provisional,
            (select count(*) from published.marts.fct_adjustments as t
                where t.workspace_id = w.workspace_id) as adjusted,
            (select count(*) from published.audit.quarantined_records as t
                where t.workspace_id = w.workspace_id) as left_out,
            case when days is null then '\u25d4 no day yet'
                when breaches = 1 then '\u2715 1 unreconciled day'
                when breaches > 0 then format('\u2715 {:,} unreconciled days', breaches)
                else format('\u2713 {:,} day{}, none unreconciled', days, if(days = 1, '', 's'))
            end as verdict
        from published.marts.dim_workspaces as w
        left join gaps using (workspace_id) left join days using (workspace_id)
        order by (select coalesce(sum(usd), 0) from every as t
            where t.workspace_id = w.workspace_id and day between $first and $last) desc,
            lower(workspace_name)""",
    ),
}
