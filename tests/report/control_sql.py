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
_NAMES = """(select workspace_id, agent_id, agent_name as name from published.marts.dim_agents)
    as names"""
_NAMED = (
    f"left join {_NAMES} on names.workspace_id = t.workspace_id and names.agent_id = t.agent_id"
)
_RUNS = f"(from published.marts.fct_runs where {_OURS}) as t {_NAMED}"

_PARTS = (
    "run_cost_usd", "open_cost_usd", "platform_cost_usd", "unlisted_cost_usd",
    "timing_difference_usd", "unexplained_usd",
)  # fmt: skip
_EXPLAINED = "exact metered_cost_usd | " + " | ".join(f"exact {each}" for each in _PARTS)


def explained(key: str) -> Question:
    """The table of the days of a month of the reconciliation, `days-2026-10`."""
    month = key.removeprefix("days-")
    within = f"{_OURS} and strftime(utc_date, '%Y-%m') = '{month}'"
    cells = f"day utc_date | {_EXPLAINED} | exact billed_usd | _"
    sums = ", ".join(
        f"sum({each}) as {each}" for each in ("metered_cost_usd", *_PARTS, "billed_usd")
    )
    source = f"from published.audit.reconciliation_days where {within}"
    return Question(
        cells,
        f"{source} order by utc_date desc",
        cells.replace("day utc_date", "_"),
        f"select {sums} {source}",
    )


_AMOUNTS = ("cost", "surcharge", "own_key", "billed")


def _bill(kind: str, month: str) -> str:
    return " | ".join(f"{kind} {month}_{each}" for each in _AMOUNTS)


_OF_MONTHS = {
    "this": "date_trunc('month', utc_date) = date_trunc('month', $today::date)",
    "last": "date_trunc('month', utc_date) = date_trunc('month', $today - interval 1 month)",
}
_TWO_MONTHS = f"{_OURS} and utc_date >= date_trunc('month', $today - interval 1 month)"


def _by_month(*sums: str) -> str:
    """Each sum, `cost=cost_usd`, of this month and of the last."""
    named = (each.split("=") for each in sums)
    return ", ".join(
        f"(sum({expression}) filter ({within})) as {month}_{name}"
        for name, expression in named
        for month, within in _OF_MONTHS.items()
    )


_BILLS = _by_month(*(f"{each}={each}_usd" for each in _AMOUNTS))
_BILL_SUMS = ", ".join(f"sum({each}_usd) as {each}" for each in _AMOUNTS)
_BILL_CELLS = " | ".join(f"exact {each}" for each in _AMOUNTS)
_PLATFORM = _by_month("runs=run_count", "cost=cost_usd", "billed=billed_usd")
_PLATFORM_CELLS = " | ".join(
    f"zcount {month}_runs | zusd {month}_cost | zusd {month}_billed" for month in ("last", "this")
)
_BRIDGE_CELLS = "exact newest | exact middle | exact oldest"  # the batches reach three months
_BRIDGE = f"""
    with steps as (
        select *, dense_rank() over (order by month desc) as place
        from published.audit.month_bridge where {_OURS}
    )
    select upper(step[1]) || step[2:] as step, comment,
        sum(amount_usd) filter (place = 1) as newest, sum(amount_usd) filter (place = 2) as middle,
        sum(amount_usd) filter (place = 3) as oldest
    from steps"""
_UNLISTED = f"from published.marts.fct_agent_days where {_OURS} and unlisted_run_count > 0"
_UNLISTED_SUMS = """sum(unlisted_run_count)::bigint as unlisted,
    sum(unlisted_failed_count)::bigint as failed, sum(unlisted_cost_usd) as usd"""
_LOADED = ("request", "record", "new_version", "superseded", "quarantined", "rounded")
_LOAD_CELLS = " | ".join(f"count {each}" for each in _LOADED)
_ODD = f"""
    select name, count(*) as runs,
        count(*) filter (status = 'succeeded') as succeeded,
        count(*) filter (has_no_usage) as no_usage,
        count(*) filter (cost_usd is null) as unknown,
        max(date) filter (has_no_usage) as no_usage_day,
        max(date) filter (cost_usd is null) as unknown_day
    from {_RUNS} group by all"""

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
        order by min(date_trunc('month', utc_date)), platform_agent_id""",
        f"_ | {_PLATFORM_CELLS}",
        f"select {_PLATFORM} from published.marts.fct_platform_agent_days where {_TWO_MONTHS}",
    ),
    "bills-by-provider": Question(
        f"month month | text provider | {_BILL_CELLS}",
        f"""
        select date_trunc('month', utc_date)::date as month, provider, {_BILL_SUMS}
        from published.marts.fct_billing_days where {_OURS}
        group by all order by month desc, cost desc nulls last, provider""",
        f"_ | | {_BILL_CELLS}",
        f"select {_BILL_SUMS} from published.marts.fct_billing_days where {_OURS}",
    ),
    "bills-by-agent": Question(
        f"text name | {_bill('zexact', 'this')} | {_bill('zexact', 'last')}",
        f"""
        select name, {_BILLS}
        from (from published.marts.fct_agent_billing_days where {_TWO_MONTHS}) as t {_NAMED}
        group by t.agent_id, name
        order by coalesce(this_cost, 0) desc, coalesce(last_cost, 0) desc, t.agent_id""",
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
        "text control | text claim | text first_source | text second_source | text compared"
        " | exact ours | exact theirs | text result",
        f"""
        select upper(control[1]) || control[2:] as control, claim, first_source, second_source,
            format('{{:,}} ', compared_count) || case
                when control = 'run costs' then 'run'
                when control in ('platform', 'bill', 'allocation') then 'day'
                else 'agent day' end || if(compared_count = 1, '', 's') as compared,
            ours, theirs, if(exists (from published.audit.control_findings as f
                where f.workspace_id = c.workspace_id and f.control = c.control),
                '\u2715 failed', '\u2713 passed') as result
        from (from published.audit.controls where {_OURS}) as c
        join published.audit.check_results as checks using (control)
        order by c.control""",
    ),
    "findings": Question(
        "_ | day utc_date | _ | _ | _ | exact ours | exact theirs | _ | _",
        f"""
        from published.audit.control_findings where {_OURS} and finding_number <= 20
        order by control, check_name, finding_number""",
    ),
    "bridge": Question(
        f"text step & text comment | {_BRIDGE_CELLS}",
        f"{_BRIDGE} where step_number < 8 group by step_number, step, comment order by step_number",
        f"text step & text comment | {_BRIDGE_CELLS}",
        f"{_BRIDGE} where step_number = 8 group by step, comment",
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
        f"day utc_date | text name | {_EXPLAINED} | _",
        f"""
        select t.*, name from published.audit.reconciliation_agents as t {_NAMED}
        where t.workspace_id = getvariable('workspaces')[1] and utc_date in (
            select utc_date from published.audit.reconciliation_days
            where {_OURS} and status in ('unreconciled', 'pending'))
        order by utc_date desc, abs(unexplained_usd) desc, t.agent_id""",
    ),
    "hours": Question(
        "moment hour | count requests | usd usd",
        f"""
        select hour at time zone 'UTC' as hour, sum(request_count)::bigint as requests,
            sum(cost_usd) as usd
        from published.marts.fct_usage_hours
        where {_OURS} and agent_id = '(platform)' and (hour at time zone 'UTC')::date in (
            select utc_date from published.audit.reconciliation_agents
            join published.audit.reconciliation_days as days using (workspace_id, utc_date)
            where {_OURS} and agent_id = '(platform)'
                and days.status in ('unreconciled', 'pending'))
        group by all order by hour desc""",
    ),
    "unlisted-agents": Question(
        "text name | count days | count runs | percent listed runs | count unlisted | count failed"
        " | usd usd & text part | zcount busiest | zseconds span | zcount batches",
        f"""
        select any_value(name) as name, count(*) filter (unlisted_run_count > 0) as days,
            sum(run_count)::bigint as runs, sum(listed_run_count)::bigint as listed,
            {_UNLISTED_SUMS},
            if(count(*) filter (unlisted_run_count > 0 and unlisted_cost_usd is null) > 0,
                'part unknown', '') as part,
            any_value(busiest_day_run_count) as busiest, any_value(shortest_span_seconds) as span,
            any_value(required_batches_per_day) as batches
        from (from published.marts.fct_agent_days where {_OURS}) as t {_NAMED}
        left join published.audit.list_coverage as coverage
            on coverage.workspace_id = t.workspace_id and coverage.agent_id = t.agent_id
        group by t.agent_id having unlisted > 0
        order by usd desc nulls last, unlisted desc, t.agent_id""",
        "_ | | | | count unlisted | count failed | usd usd | | |",
        f"select {_UNLISTED_SUMS} {_UNLISTED}",
    ),
    "unlisted-days": Question(
        "day date | text name | count run_count | count listed_run_count"
        " | count unlisted_run_count | count unlisted_failed_count | usd unlisted_cost_usd",
        f"""
        with days as (
            select t.*, name, row_number() over (
                order by date desc, unlisted_run_count desc, t.agent_id) as place
            from ({_UNLISTED}) as t {_NAMED}
        )
        from days where place <= 200 order by place""",
        "_ | | | | count unlisted | count failed | usd usd",
        f"select {_UNLISTED_SUMS} {_UNLISTED}",
    ),
    "provisional": Question(
        "text run_id | text name | text state | text status | moment? created_at"
        " | moment? last_changed_at | usd cost_usd",
        f"""
        with provisional as (
            select t.*, name, row_number() over (order by is_terminal, created_at, run_id) as place
            from {_RUNS} where not is_final
        )
        select place, run_id, name, status, created_at at time zone 'UTC' as created_at,
            last_changed_at at time zone 'UTC' as last_changed_at, cost_usd,
            if(is_terminal, '\u25d4 provisional', '\u25d4 open') as state
        from provisional where place <= 200
        union all by name
        select 201 as place, format('{{:,}} newer run', count(*)) || if(count(*) = 1, '', 's')
            as run_id, coalesce(sum(cost_usd), 0)::decimal(18,10) as cost_usd
        from provisional where place > 200 having count(*) > 0
        order by place""",
        "_ | | | | | | usd usd",
        f"select sum(cost_usd) as usd from {_RUNS} where not is_final",
    ),
    "adjustments": Question(
        "day date | text name | usd previous_cost_usd | usd current_cost_usd | usd change"
        " | text counts | text cause | moment seen_at | text load_id",
        f"""
        select t.* replace (replace(cause, '_', ' ') as cause,
                seen_at at time zone 'UTC' as seen_at),
            name, current_cost_usd - previous_cost_usd as change,
            format('{{:,}} \u2192 {{:,}}', previous_run_count, current_run_count) as counts
        from (from published.marts.fct_adjustments where {_OURS}) as t {_NAMED}
        order by load_id desc, date desc, t.agent_id""",
        "_ | | | | usd change | | | |",
        f"""
        select sum(current_cost_usd - previous_cost_usd) as change
        from published.marts.fct_adjustments where {_OURS}""",
    ),
    "no-usage": Question(
        "text name | count no_usage | count succeeded | percent no_usage succeeded"
        " | day no_usage_day",
        f"""
        with days as ({_ODD}), all_runs as (
            select name, sum(succeeded_count)::bigint as succeeded
            from (from published.marts.fct_agent_days where {_OURS}) as t {_NAMED} group by name
        )
        select days.* exclude (succeeded), all_runs.succeeded
        from days join all_runs using (name) where no_usage > 0 order by no_usage desc, name""",
        "_ | count no_usage | | |",
        f"select count(*) as no_usage from {_RUNS} where has_no_usage",
    ),
    "unknown-costs": Question(
        "text name | count unknown | count runs | day unknown_day",
        f"""
        select name, sum(unknown_cost_count)::bigint as unknown, sum(run_count)::bigint as runs,
            max(date) filter (unknown_cost_count > 0) as unknown_day
        from (from published.marts.fct_agent_days where {_OURS}) as t {_NAMED}
        group by t.agent_id, name having unknown > 0 order by unknown desc, t.agent_id""",
        "_ | count unknown | |",
        f"""
        select sum(unknown_cost_count)::bigint as unknown
        from published.marts.fct_agent_days where {_OURS}""",
    ),
    "loads": Question(
        f"text load_id | text step | {_LOAD_CELLS} | moment loaded_at",
        f"""
        select load_id, step, loaded_at at time zone 'UTC' as loaded_at,
            {", ".join(f"{each}_count as {each}" for each in _LOADED)}
        from published.audit.loads where {_OURS} order by load_id desc""",
        f"_ | | {_LOAD_CELLS} |",
        f"""
        select {", ".join(f"sum({each}_count)::bigint as {each}" for each in _LOADED)}
        from published.audit.loads where {_OURS}""",
    ),
    "all-checks": Question(
        "text claim & text check_name | text result | text compares | text finding",
        """
        select *, if(is_ok, '\u2713 passed', '\u2715 failed') as result,
            coalesce(replace(sources, ' | ', ' with '), 'keys and sums of our own') as compares
        from published.audit.check_results
        order by is_ok, control nulls last, check_name""",
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
        "text workspace_name | percent listed runs | count unlisted | usd usd & text part"
        " | count open | count provisional | count adjusted | count quarantined | text verdict"
        " | _",
        """
        with agent_days as (
            select workspace_id, sum(run_count)::bigint as runs,
                sum(listed_run_count)::bigint as listed,
                sum(unlisted_run_count)::bigint as unlisted,
                if(unlisted = 0, 0, sum(unlisted_cost_usd)) as usd,
                if(count(*) filter (unlisted_run_count > 0 and unlisted_cost_usd is null) > 0,
                    'part unknown', '') as part
            from published.marts.fct_agent_days group by workspace_id
        ), days as (
            select workspace_id, count(*) as days,
                count(*) filter (status = 'unreconciled') as breaches
            from published.audit.reconciliation_days group by workspace_id
        ), findings as (
            select workspace_id,
                sum(finding_count) filter (finding_number = 1)::bigint as findings
            from published.audit.control_findings group by workspace_id
        )
        select agent_days.*, workspace_name,
            (select count(*) from published.marts.fct_runs as t
                where t.workspace_id = w.workspace_id and not is_terminal) as open,
            (select count(*) from published.marts.fct_runs as t
                where t.workspace_id = w.workspace_id and is_terminal and not is_final)
                as provisional,
            (select count(*) from published.marts.fct_adjustments as t
                where t.workspace_id = w.workspace_id) as adjusted,
            (select count(*) from published.audit.quarantined_records as t
                where t.workspace_id = w.workspace_id) as quarantined,
            case when findings = 1 then '\u2715 1 finding of controls'
                when findings > 0 then format('\u2715 {:,} findings of controls', findings)
                when breaches = 1 then '\u2715 1 unreconciled day'
                when breaches > 0 then format('\u2715 {:,} unreconciled days', breaches)
                else format('\u2713 {:,} day{}, none unreconciled', days, if(days = 1, '', 's'))
            end as verdict
        from published.marts.dim_workspaces as w
        join agent_days using (workspace_id) join days using (workspace_id)
        left join findings using (workspace_id)
        order by (select coalesce(sum(cost_usd), 0) from published.marts.fct_workspace_days as t
            where t.workspace_id = w.workspace_id and date between $first and $last) desc,
            lower(workspace_name)""",
    ),
}
