"""The dataset Cost and Usage: a row for each workspace, UTC day, agent, provider and model."""

from __future__ import annotations

from analytics.export.focus.charges import CHARGES
from analytics.export.focus.columns import (
    CURRENCY,
    ISSUER,
    Column,
    day,
    month_after,
)
from analytics.transform.measures import measures

_MONTH = "$month::date"
_STEPS = """case step
    when 'reversed' then 'Reversed: ' when 'corrected' then 'Corrected: '
    when 'added' then 'Added: ' when 'bill' then 'Bill corrected: ' else ''
end"""
_USAGE = """case
    when is_own_key then 'Model usage with an own key'
    when is_all_own_key then 'Charge of Levain for model usage with an own key'
    else 'Model usage'
end"""
# A correction of the bill alone, of which no model is known, is of no SKU: it is for the whole day.
_HAS_SKU = "(known_model is not null or not is_bill_alone)"
_SKU = "concat_ws('/', 'model-usage', known_provider, known_model)"
_TAGS = """list_filter(
    [('owner', nullif(owner, '(none)')), ('cost_center', nullif(cost_center, '(none)')),
        ('account', account)],
    lambda tag: tag[2] is not null
)"""
# What a model's name says: its maker before it as `maker/` or `maker.`, a version at its end.
_MODEL = r"""list_filter(
    [
        ('x_ModelDeveloper', regexp_extract(known_model, '^([A-Za-z][A-Za-z-]*)[./]', 1)),
        ('x_ModelFamily', family),
        ('x_ModelId', known_model),
        ('x_ModelVersion', regexp_extract(known_model, '-v?([0-9][0-9.-]*)$', 1))
    ],
    lambda part: part[2] <> ''
)"""


def _if_any(pairs: str) -> str:
    """Return SQL for pairs as a JSON object, null where there are none."""
    return f"if(len({pairs}) > 0, to_json(map_from_entries({pairs}))::varchar, null)"


def _unless(condition: str, value: str) -> str:
    return f"if({condition}, null, {value})"


def _decimal(amount: str) -> str:
    return f"({amount})::decimal(38, 10)"


COLUMNS = (
    Column(
        "BilledCost",
        _decimal("payable_usd"),
        "What Levain bills: billed_usd. 0 for usage with a key of the workspace's own, which the "
        "provider is paid for.",
    ),
    Column(
        "EffectiveCost",
        _decimal("effective_usd"),
        "As BilledCost; for usage with an own key, its cost at list price: own_key_usd.",
    ),
    Column(
        "ListCost",
        _decimal("list_usd"),
        "metered_cost_usd: the usage at the provider's list price, without surcharge.",
    ),
    Column("ContractedCost", _decimal("list_usd"), "As ListCost: no negotiated price is known."),
    Column(
        "BillingAccountId",
        "workspace_id",
        "Identifier of the workspace: the API names no account above it.",
    ),
    Column("BillingAccountName", "workspace_name", "Current name of the workspace."),
    Column("BillingCurrency", CURRENCY, "US dollars."),
    Column("BillingPeriodStart", day(_MONTH), "Start of the month that books the row, in UTC."),
    Column(
        "BillingPeriodEnd",
        day(month_after(_MONTH)),
        "End of that month: the first instant that is no longer in it.",
    ),
    Column(
        "ChargePeriodStart",
        day("utc_date"),
        "Start of the UTC day of the model requests; of a correction, in an earlier month.",
    ),
    Column("ChargePeriodEnd", day("utc_date + 1"), "End of that day, no longer in it."),
    Column("ChargeCategory", "'Usage'", "Usage, in all rows."),
    Column(
        "ChargeClass",
        "if(step = 'charged', null, 'Correction')",
        "Correction if the row corrects a month that was closed before; else empty.",
    ),
    Column(
        "ChargeDescription",
        f"{_STEPS} || {_USAGE}",
        "Model usage, or Levain's charge for usage with an own key. Of a correction, before it: "
        "Reversed (a charge as it was booked, with the opposite sign), Corrected (the charge as it "
        "is now), Added (nothing like it was booked), or Bill corrected (the bill alone changed).",
    ),
    Column("ChargeFrequency", "'Usage-Based'", "Usage-Based, in all rows."),
    Column(
        "HostProviderName",
        "known_provider",
        "Who serves the model, as the API spells it; empty where unknown.",
    ),
    Column("ServiceProviderName", ISSUER, "Levain."),
    Column(
        "InvoiceIssuerName",
        f"if(is_own_key, provider, {ISSUER})",
        "Levain, or the provider that bills usage with an own key directly.",
    ),
    Column(
        "InvoiceId",
        "invoice_id",
        "Number of Levain's invoice of workspace and month, of finance/invoices.csv; empty without "
        "one, where there are several, and if the month that a correction corrects has the same.",
    ),
    Column(
        "InvoiceDetailId",
        f"invoice_id || '/' || workspace_id || '/' || strftime({_MONTH}, '%Y-%m') || '/usage'",
        "The line of Invoice Detail for the usage on that invoice.",
    ),
    Column(
        "PricingQuantity",
        _unless("is_bill_alone", _decimal("list_usd")),
        "Usage in US dollars at the provider's list price, which is how Levain prices it. The API "
        "reports no price of a token or a request, and an average is none.",
    ),
    Column(
        "PricingUnit",
        _unless("is_bill_alone or list_usd is null", "'US Dollars'"),
        "US Dollars, at list price; empty as PricingQuantity is.",
    ),
    Column(
        "ListUnitPrice",
        _unless(f"not {_HAS_SKU}", _decimal("1")),
        "1: ListCost is PricingQuantity to the last digit.",
    ),
    Column(
        "PricingCategory",
        _unless(f"not {_HAS_SKU}", "if(is_own_key, 'Other', 'Standard')"),
        "Standard: list price and surcharge of Levain. Other: an own key, at the prices that the "
        "workspace has agreed with the provider.",
    ),
    Column(
        "ConsumedQuantity",
        _unless("is_bill_alone", _decimal("payee_tokens_in + payee_tokens_out")),
        "Tokens, input and output together. 0 in Levain's row where all usage was with an own "
        "key, in that of the own key where only a part was, and where the meter has cost alone.",
    ),
    Column("ConsumedUnit", _unless("is_bill_alone", "'Tokens'"), "Tokens."),
    Column(
        "SubAccountId", "workspace_id", "Identifier of the workspace, which is its own sub account."
    ),
    Column("SubAccountName", "workspace_name", "Current name of the workspace."),
    Column(
        "ResourceId",
        "if(line_type = 'agent', agent_id, null)",
        "Identifier of the agent; empty for usage that names none.",
    ),
    Column(
        "ResourceName",
        "if(line_type = 'agent', agent_name, null)",
        "Current name of the agent; empty for usage that names none.",
    ),
    Column("ResourceType", "if(line_type = 'agent', 'Agent', null)", "Agent; empty likewise."),
    Column("ServiceCategory", "'AI and Machine Learning'", "AI and Machine Learning."),
    Column("ServiceSubcategory", "'Generative AI'", "Generative AI."),
    Column("ServiceName", "'Levain'", "Levain."),
    Column(
        "SkuId",
        _unless(f"not {_HAS_SKU}", _SKU),
        "model-usage, with provider and model as far as the hourly meter knows them. Levain "
        "publishes no identifiers; these remain the same over time.",
    ),
    Column(
        "SkuMeter",
        _unless(f"not {_HAS_SKU}", "if(is_own_key, 'Own-key usage', 'Model usage')"),
        "Model usage, or Own-key usage.",
    ),
    Column(
        "SkuPriceId",
        _unless(f"not {_HAS_SKU}", f"{_SKU} || if(is_own_key, ':own-key', ':levain')"),
        "SkuId, and who is paid: levain or own-key.",
    ),
    Column(
        "SkuPriceDetails",
        _unless(f"not {_HAS_SKU}", _if_any(_MODEL)),
        "Model as JSON: ModelId as the API names it, ModelFamily its first word, ModelDeveloper "
        "and ModelVersion where the name begins and ends with them, each after x_, as no ratified "
        "version has them.",
    ),
    Column(
        "Tags",
        _if_any(_TAGS),
        "Owner, cost center and account of finance/owners.csv as JSON, as far as there are any.",
    ),
    Column(
        "x_LineType",
        "line_type",
        "Whose usage it is: agent, or platform (all usage that names no agent).",
    ),
    Column("x_Model", "known_model", "Model as the API names it; empty where unknown."),
    Column(
        "x_TokensIn",
        "payee_tokens_in::bigint",
        f"{measures()['tokens_in'].meaning} 0 where ConsumedQuantity is.",
    ),
    Column(
        "x_TokensOut",
        "payee_tokens_out::bigint",
        f"{measures()['tokens_out'].meaning} 0 where ConsumedQuantity is.",
    ),
    Column(
        "x_RequestCount", "payee_request_count::bigint", "Requests to models; in the same rows."
    ),
    Column(
        "x_CorrectionCause",
        "cause",
        "Of a correction, its causes as in fct_charge_adjustments; else empty.",
    ),
    Column("x_LoadId", "load_id", "Of a correction, the last load that changed the charge."),
)

QUERY = f"""
    select {{columns}}
    from ({CHARGES})
    order by
        workspace_name, workspace_id, utc_date, agent_name, agent_id, provider, model, owner,
        cost_center, account, list_position(['charged', 'reversed'], step) nulls last, is_own_key
"""
