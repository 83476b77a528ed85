"""The charges of a billing period as FOCUS tells them: a row for each payee, and corrections.

Charges that the provider bills directly, since the workspace's own key was used, are rows of their
own. A correction of a closed month is in the month that books it, in the specification's ledger
style: the charge as it was booked with the opposite sign, and the charge as it is now.
"""

from __future__ import annotations

_KEY = (
    "workspace_id", "utc_date", "agent_id", "provider", "model", "owner", "cost_center", "account",
)  # fmt: skip
_USAGE = ("metered_cost_usd", "own_key_usd", "tokens_in", "tokens_out", "request_count")
_AMOUNTS = (*_USAGE, "billed_usd")

_KEYS = ", ".join(_KEY)
_SUMS = ", ".join(f"sum({name}) as {name}" for name in _AMOUNTS)
_NEGATED = ", ".join(f"-{name} as {name}" for name in _AMOUNTS)
_NOT_ZERO = " or ".join(f"sum({name}) <> 0" for name in _AMOUNTS)
_SAME_KEY = " and ".join(f"booked.{name} is not distinct from changes.{name}" for name in _KEY)
_SAME_USAGE = " and ".join(f"changes.{name} = 0" for name in _USAGE)
_OF_STEP = ", ".join(
    f"case step when 'reversed' then -booked_{name} when 'corrected' then booked_{name} + {name}"
    f" else {name} end as {name}"
    for name in _AMOUNTS
)
_BOOKED = ", ".join(f"booked.{name} as booked_{name}" for name in _AMOUNTS)

CHARGES = f"""
    with

    corrections as (
        select * replace (nullif(account, '(none)') as account)
        from marts.fct_charge_adjustments
        where booked_month >= $month::date
    ),

    months as (
        select $month::date as month
        union
        select usage_month
        from corrections
        where booked_month = $month::date
    ),

    -- As the books had them before the month corrected anything: today's less what changed since.
    booked as (
        select {_KEYS}, {_SUMS}
        from (
            select {_KEYS}, {", ".join(_AMOUNTS)}
            from marts.fct_charges
            union all by name
            select {_KEYS}, {_NEGATED}
            from corrections
        )
        where date_trunc('month', utc_date) in (select month from months)
        group by all
        having {_NOT_ZERO}
    ),

    changes as (
        select
            usage_month,
            {_KEYS},
            string_agg(distinct cause, ', ' order by cause) as cause,
            max(load_id) as load_id,
            {_SUMS}
        from corrections
        where booked_month = $month::date
        group by all
        having {_NOT_ZERO}
    ),

    -- The bill alone changed: an amount is added, and no usage is charged anew.
    compared as (
        select
            changes.*,
            {_SAME_USAGE} as is_bill_alone,
            booked.workspace_id is not null as is_booked,
            {_BOOKED}
        from changes
        left join booked on {_SAME_KEY}
    ),

    steps as (
        select
            *,
            unnest(
                case
                    when is_bill_alone then ['bill']
                    when not is_booked then ['added']
                    else ['reversed', 'corrected']
                end
            ) as step
        from compared
    ),

    charges as (
        select {_KEYS}, {", ".join(_AMOUNTS)}, 'charged' as step, false as is_bill_alone
        from booked
        where date_trunc('month', utc_date) = $month::date
        union all by name
        select usage_month, {_KEYS}, cause, load_id, step, is_bill_alone, {_OF_STEP}
        from steps
    ),

    -- Tokens and requests of the two are not known apart: they are in the provider's row if all
    -- usage is payable to it, else in Levain's.
    payees as (
        select
            *,
            unnest([false, true]) as is_own_key,
            coalesce(own_key_usd <> 0 and own_key_usd = metered_cost_usd, false) as is_all_own_key,
            if(is_own_key, own_key_usd, metered_cost_usd - own_key_usd) as list_usd,
            if(is_own_key, 0, billed_usd) as payable_usd,
            if(is_own_key, own_key_usd, billed_usd) as effective_usd,
            if(is_own_key = is_all_own_key, tokens_in, 0) as payee_tokens_in,
            if(is_own_key = is_all_own_key, tokens_out, 0) as payee_tokens_out,
            if(is_own_key = is_all_own_key, request_count, 0) as payee_request_count
        from charges
    ),

    -- Whichever month books it; of several, the API does not say which charge is on which.
    invoices as (
        select workspace_id, any_value(invoice_id) as invoice_id
        from marts.fct_invoices
        where usage_month = $month::date and amount_usd > 0
        group by all
        having count(distinct invoice_id) = 1
    ),

    original_invoices as (
        select distinct workspace_id, usage_month, invoice_id
        from marts.fct_invoices
    )

    select
        payees.*,
        workspaces.workspace_name,
        agents.agent_name,
        agents.line_type,
        models.family,
        nullif(payees.provider, '(unknown)') as known_provider,
        nullif(payees.model, '(unknown)') as known_model,
        case
            when not is_own_key and original_invoices.invoice_id is null then invoices.invoice_id
        end as invoice_id,
        list_usd <> 0 or payee_tokens_in <> 0 or payee_tokens_out <> 0
        or payee_request_count <> 0 as has_usage
    from payees
    join marts.dim_workspaces as workspaces using (workspace_id)
    left join marts.dim_agents as agents using (workspace_id, agent_id)
    left join marts.dim_models as models using (workspace_id, model, provider)
    left join invoices using (workspace_id)
    left join original_invoices using (workspace_id, usage_month, invoice_id)
    where has_usage or payable_usd <> 0
"""
"""SQL for the charges of the month `$month`, one row for each payee."""
