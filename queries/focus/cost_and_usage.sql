-- Cost and Usage of FOCUS 1.4: the charges of a month by workspace, UTC day, agent, provider and
-- model, a row for each payee. What the provider bills directly, since the workspace's own key was
-- used, is a row of its own. A correction of a closed month is in the month that books it, in the
-- specification's ledger style: the charge as it was booked with the opposite sign, and the charge
-- as it is now.
with

corrections as (
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

-- Charges as the books had them before the month corrected anything, which are today's less what
-- changed since; and what the month changes of them.
parts as (
    select
        workspace_id,
        utc_date,
        agent_id,
        provider,
        model,
        owner,
        cost_center,
        account,
        is_change,
        string_agg(distinct cause, ', ' order by cause) as cause,
        max(load_id) as load_id,
        sum(columns('_usd$|^tokens_|^request_count$')) as '\0'
    from (
        select
            * replace (coalesce(account, '(none)') as account),
            false as is_change,
            null as cause,
            null as load_id
        from marts.fct_charges
        union all by name
        select
            workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account,
            false as is_change,
            -columns('_usd$|^tokens_|^request_count$') as '\0'
        from corrections
        union all by name
        select *, true as is_change
        from corrections
        where booked_month = $month::date
    )
    where date_trunc('month', utc_date) in (select month from months)
    group by all
    having
        sum(metered_cost_usd) <> 0
        or sum(own_key_usd) <> 0
        or sum(billed_usd) <> 0
        or sum(tokens_in) <> 0
        or sum(tokens_out) <> 0
        or sum(request_count) <> 0
),

-- Of a change of the bill alone, an amount is added, and no usage is charged anew.
steps as (
    select
        workspace_id,
        utc_date,
        agent_id,
        provider,
        model,
        owner,
        cost_center,
        account,
        date_trunc('month', utc_date)::date as usage_month,
        changes.cause,
        changes.load_id,
        coalesce(
            changes.metered_cost_usd = 0
            and changes.own_key_usd = 0
            and changes.tokens_in = 0
            and changes.tokens_out = 0
            and changes.request_count = 0,
            false
        ) as is_bill_alone,
        unnest(
            case
                when is_bill_alone then ['Bill corrected']
                when booked.is_change is null then ['Added']
                else ['Reversed', 'Corrected']
            end
        ) as step
    from (from parts where is_change) as changes
    left join (from parts where not is_change) as booked
        using (workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account)
),

charges as (
    select * exclude (is_change), false as is_bill_alone
    from parts
    where not is_change and date_trunc('month', utc_date) = $month::date
    union all by name
    select
        steps.*,
        sum(if(step = 'Reversed', -1, 1) * columns('_usd$|^tokens_|^request_count$')) as '\0'
    from steps
    join (select * exclude (cause, load_id) from parts)
        using (workspace_id, utc_date, agent_id, provider, model, owner, cost_center, account)
    where case step when 'Reversed' then not is_change else is_change or step = 'Corrected' end
    group by all
),

-- Tokens and requests of the two are not known apart: they are in the provider's row if all usage
-- is payable to it, else in Levain's.
payees as (
    select
        * replace (nullif(account, '(none)') as account),
        nullif(provider, '(unknown)') as known_provider,
        nullif(model, '(unknown)') as known_model,
        unnest([false, true]) as is_own_key,
        coalesce(own_key_usd <> 0 and own_key_usd = metered_cost_usd, false) as is_all_own_key,
        is_own_key = is_all_own_key as has_tokens,
        if(is_own_key, own_key_usd, metered_cost_usd - own_key_usd) as list_usd,
        if(is_own_key, 0, billed_usd) as payable_usd,
        if(is_own_key, own_key_usd, billed_usd) as effective_usd,
        if(has_tokens, tokens_in, 0) as payee_tokens_in,
        if(has_tokens, tokens_out, 0) as payee_tokens_out,
        if(has_tokens, request_count, 0) as payee_request_count,
        -- A correction of the bill alone, of which no model is known, is for the whole day.
        known_model is not null or not is_bill_alone as has_sku,
        concat_ws('/', 'model-usage', known_provider, known_model) as sku
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
),

lines as (
    select
        payees.*,
        workspaces.workspace_name,
        agents.agent_name,
        agents.line_type,
        case
            when not is_own_key and original_invoices.invoice_id is null then invoices.invoice_id
        end as invoice_id,
        list_filter(
            [
                ('owner', nullif(payees.owner, '(none)')),
                ('cost_center', nullif(payees.cost_center, '(none)')),
                ('account', payees.account)
            ],
            lambda tag: tag[2] is not null
        ) as tags,
        list_filter(
            [
                (
                    'x_ModelDeveloper',
                    regexp_extract(known_model, '^([A-Za-z][A-Za-z-]*)[./]', 1)
                ),
                ('x_ModelFamily', models.family),
                ('x_ModelId', known_model),
                ('x_ModelVersion', regexp_extract(known_model, '-v?([0-9][0-9.-]*)$', 1))
            ],
            lambda part: part[2] <> ''
        ) as of_model
    from payees
    join marts.dim_workspaces as workspaces using (workspace_id)
    left join marts.dim_agents as agents using (workspace_id, agent_id)
    left join marts.dim_models as models using (workspace_id, model, provider)
    left join invoices using (workspace_id)
    left join original_invoices using (workspace_id, usage_month, invoice_id)
    where
        list_usd <> 0
        or payee_tokens_in <> 0
        or payee_tokens_out <> 0
        or payee_request_count <> 0
        or payable_usd <> 0
)

select
    -- What Levain bills: billed_usd. 0 for usage with a key of the workspace's own, which the
    -- provider is paid for.
    payable_usd::decimal(38, 10) as BilledCost,
    -- As BilledCost; for usage with an own key, its cost at list price: own_key_usd.
    effective_usd::decimal(38, 10) as EffectiveCost,
    -- metered_cost_usd: the usage at the provider's list price, without surcharge.
    list_usd::decimal(38, 10) as ListCost,
    -- As ListCost: no negotiated price is known.
    list_usd::decimal(38, 10) as ContractedCost,
    -- Identifier of the workspace: the API names no account above it.
    workspace_id as BillingAccountId,
    -- Current name of the workspace.
    workspace_name as BillingAccountName,
    'USD' as BillingCurrency,
    -- Start of the month that books the row, in UTC, and the first instant no longer in it.
    strftime($month::date, '%Y-%m-%dT00:00:00Z') as BillingPeriodStart,
    strftime($month::date + interval 1 month, '%Y-%m-%dT00:00:00Z') as BillingPeriodEnd,
    -- Start and end of the UTC day of the model requests; of a correction, in an earlier month.
    strftime(utc_date, '%Y-%m-%dT00:00:00Z') as ChargePeriodStart,
    strftime(utc_date + 1, '%Y-%m-%dT00:00:00Z') as ChargePeriodEnd,
    'Usage' as ChargeCategory,
    -- Correction if the row corrects a month that was closed before; else empty.
    if(step is null, null, 'Correction') as ChargeClass,
    -- Model usage, or Levain's charge for usage with an own key. Of a correction, before it:
    -- Reversed (a charge as it was booked, with the opposite sign), Corrected (the charge as it is
    -- now), Added (nothing like it was booked), or Bill corrected (the bill alone changed).
    coalesce(step || ': ', '') || case
        when is_own_key then 'Model usage with an own key'
        when is_all_own_key then 'Charge of Levain for model usage with an own key'
        else 'Model usage'
    end as ChargeDescription,
    'Usage-Based' as ChargeFrequency,
    -- Who serves the model, as the API spells it; empty where unknown.
    known_provider as HostProviderName,
    'Levain' as ServiceProviderName,
    -- Levain, or the provider that bills usage with an own key directly.
    if(is_own_key, provider, 'Levain') as InvoiceIssuerName,
    -- Number of Levain's invoice of workspace and month, of finance/invoices.csv; empty without
    -- one, where there are several, and if the month that a correction corrects has the same.
    invoice_id as InvoiceId,
    -- The line of Invoice Detail for the usage on that invoice.
    invoice_id || '/' || workspace_id || '/' || strftime($month::date, '%Y-%m') || '/usage'
        as InvoiceDetailId,
    -- Usage in US dollars at the provider's list price, which is how Levain prices it. The API
    -- reports no price of a token or a request, and an average is none.
    if(is_bill_alone, null, list_usd::decimal(38, 10)) as PricingQuantity,
    -- Empty as PricingQuantity is.
    if(is_bill_alone or list_usd is null, null, 'US Dollars') as PricingUnit,
    -- 1: ListCost is PricingQuantity to the last digit.
    if(has_sku, 1::decimal(38, 10), null) as ListUnitPrice,
    -- Standard: list price and surcharge of Levain. Other: an own key, at the prices that the
    -- workspace has agreed with the provider.
    if(has_sku, if(is_own_key, 'Other', 'Standard'), null) as PricingCategory,
    -- Tokens, input and output together. 0 in Levain's row where all usage was with an own key, in
    -- that of the own key where only a part was, and where the meter has cost alone.
    if(is_bill_alone, null, (payee_tokens_in + payee_tokens_out)::decimal(38, 10))
        as ConsumedQuantity,
    if(is_bill_alone, null, 'Tokens') as ConsumedUnit,
    -- The workspace, which is its own sub account.
    workspace_id as SubAccountId,
    workspace_name as SubAccountName,
    -- The agent, by its current name; empty for usage that names none.
    if(line_type = 'agent', agent_id, null) as ResourceId,
    if(line_type = 'agent', agent_name, null) as ResourceName,
    if(line_type = 'agent', 'Agent', null) as ResourceType,
    'AI and Machine Learning' as ServiceCategory,
    'Generative AI' as ServiceSubcategory,
    'Levain' as ServiceName,
    -- model-usage, with provider and model as far as the hourly meter knows them. Levain publishes
    -- no identifiers; these remain the same over time.
    if(has_sku, sku, null) as SkuId,
    if(has_sku, if(is_own_key, 'Own-key usage', 'Model usage'), null) as SkuMeter,
    -- SkuId, and who is paid: levain or own-key.
    if(has_sku, sku || if(is_own_key, ':own-key', ':levain'), null) as SkuPriceId,
    -- What the name of a model says: ModelId as the API names it, ModelFamily its first word,
    -- ModelDeveloper and ModelVersion where it begins and ends with them, each after x_, as no
    -- ratified version has them.
    if(has_sku and len(of_model) > 0, to_json(map_from_entries(of_model))::varchar, null)
        as SkuPriceDetails,
    -- Owner, cost center and account of finance/owners.csv, as far as there are any.
    if(len(tags) > 0, to_json(map_from_entries(tags))::varchar, null) as Tags,
    -- Whose usage it is: agent, or platform (all usage that names no agent).
    line_type as x_LineType,
    -- Model as the API names it; empty where unknown.
    known_model as x_Model,
    -- Tokens sent to models, cached ones included, tokens that models generated, and requests to
    -- models; 0 where ConsumedQuantity is.
    payee_tokens_in::bigint as x_TokensIn,
    payee_tokens_out::bigint as x_TokensOut,
    payee_request_count::bigint as x_RequestCount,
    -- Of a correction, its causes as in fct_charge_adjustments; else empty.
    cause as x_CorrectionCause,
    -- Of a correction, the last load that changed the charge.
    load_id as x_LoadId
from lines
order by
    workspace_name, workspace_id, utc_date, agent_name, agent_id, provider, model, owner,
    cost_center, account, step desc, is_own_key
