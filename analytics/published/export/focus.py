"""A month's bill in FOCUS 1.4, the FinOps Foundation's format for cost and usage.

A row is a workspace's usage of one provider on one UTC day: as fine as the API reports bills.
https://focus.finops.org
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from analytics.published.export.definitions import Definition, data_of_workspaces
from analytics.published.export.month import Statement, cut_off, month_called, workspaces_called
from analytics.transform.measures import measures

if TYPE_CHECKING:
    import duckdb

# A bill names no agent, but the metered usage of its provider and day does, and so their owners.
_BILL = """
    with

    usage as (
        select workspace_id, utc_date, provider, owner, cost_center, sum(cost_usd) as cost_usd
        from marts.fct_model_days
        where cost_usd <> 0 or request_count > 0
        group by all
    ),

    tags as (
        select
            workspace_id,
            utc_date,
            provider,
            list_filter(
                [
                    ('owner', any_value(owner)),
                    ('cost_center', any_value(cost_center))
                ],
                lambda tag: tag[2] <> '(none)'
            ) as tags
        from usage
        group by all
        having count(*) = 1
    ),

    costs as (
        select
            workspace_id,
            utc_date,
            provider,
            list((cost_center, cost_usd::varchar) order by cost_center) as costs
        from (
            select * exclude (owner) replace (sum(cost_usd) as cost_usd)
            from usage
            group by all
        )
        group by all
        having bool_or(cost_center <> '(none)')
    )

    select {columns}
    from marts.fct_billing_days as days
    join marts.dim_workspaces as workspaces using (workspace_id)
    left join tags using (workspace_id, utc_date, provider)
    left join costs using (workspace_id, utc_date, provider)
    where
        date_trunc('month', utc_date) = $month::date
        and list_contains($workspace_ids, workspace_id)
    order by workspace_name, workspace_id, utc_date, provider
"""


class _Column(NamedTuple):
    name: str
    expression: str
    meaning: str


def _instant(day: str) -> str:
    """Return SQL for the first instant of a UTC day, in the format of FOCUS."""
    return f"strftime({day}, '%Y-%m-%dT00:00:00Z')"


_LIST_PRICE = "Cost of the usage at the provider's list price, whoever pays it"
_COLUMNS = (
    _Column("BilledCost", "billed_usd", "What Levain bills for the usage; empty where unknown."),
    _Column(
        "EffectiveCost",
        "cost_usd",
        f"{_LIST_PRICE}: own-key cost, which a provider bills directly, is in it, and not in "
        "BilledCost; Levain's surcharge is in BilledCost alone. Empty where unknown.",
    ),
    _Column("ListCost", "cost_usd", f"{_LIST_PRICE}; empty where unknown."),
    _Column("ContractedCost", "cost_usd", "As ListCost: no negotiated price is known."),
    _Column("BillingAccountId", "workspace_id", "Identifier of the workspace."),
    _Column("BillingAccountName", "workspace_name", "Current name of the workspace."),
    _Column("BillingCurrency", "'USD'", "US dollars."),
    _Column(
        "BillingPeriodStart",
        _instant("date_trunc('month', utc_date)"),
        "Begin of the calendar month, in UTC.",
    ),
    _Column(
        "BillingPeriodEnd",
        _instant("date_trunc('month', utc_date) + interval 1 month"),
        "End of the calendar month, in UTC: the first instant that is no longer in it.",
    ),
    _Column(
        "ChargePeriodStart", _instant("utc_date"), "Begin of the UTC day of the model requests."
    ),
    _Column("ChargePeriodEnd", _instant("utc_date + 1"), "End of that day, no longer in it."),
    _Column("ChargeCategory", "'Usage'", "All rows are usage."),
    _Column("ChargeClass", "null::varchar", "Empty: a corrected day is exported as it is now."),
    _Column("ChargeDescription", "'Model requests'", "What is charged."),
    _Column("ChargeFrequency", "'Usage-Based'", "How often it is charged."),
    _Column("HostProviderName", "provider", "Who serves the models, as the API spells it."),
    _Column("ServiceProviderName", "'Levain'", "Who offers the service."),
    _Column("InvoiceIssuerName", "'Levain'", "Who bills BilledCost."),
    _Column("PricingQuantity", "null::decimal(38, 10)", "Empty: the API reports no prices."),
    _Column("PricingUnit", "null::varchar", "Empty, as PricingQuantity is."),
    _Column("ServiceCategory", "'AI and Machine Learning'", "As FOCUS classes the service."),
    _Column("ServiceSubcategory", "'Generative AI'", "As FOCUS classes the service."),
    _Column("ServiceName", "'Levain'", "The service."),
    _Column(
        "Tags",
        "if(len(tags) > 0, to_json(map_from_entries(tags))::varchar, null)",
        "Owner and cost center as JSON, where all usage of the row is of one owner; else empty.",
    ),
    _Column(
        "x_ListCostByCostCenter",
        "to_json(map_from_entries(costs))::varchar",
        "ListCost by cost center as JSON, as the usage of the row was metered by agent; (none) is "
        "that of agents without one and of the platform. Empty where no agent has one.",
    ),
    _Column("x_TokensIn", "tokens_in", measures()["tokens_in"].meaning),
    _Column("x_TokensOut", "tokens_out", measures()["tokens_out"].meaning),
    _Column("x_RequestCount", "request_count", "Requests to models."),
)
_READING = (
    Definition(
        "FOCUS",
        "",
        "The dataset Cost and Usage of the FinOps Open Cost and Usage Specification, version 1.4: "
        "its mandatory columns, ChargeFrequency, ServiceSubcategory and Tags. Columns that begin "
        "with x_ are our own.",
    ),
    Definition(
        "How it adds up",
        "",
        "There is no line of totals. The sums of BilledCost and ListCost are those of billed_usd "
        "and cost_usd in fct_billing_days, to the last digit. Nothing is rounded.",
    ),
    Definition("Days", "", "All periods are in UTC, whatever the time zone of reports."),
    Definition("An empty cell", "", "Unknown, or not reported by the API; never 0."),
)


def read_focus(con: duckdb.DuckDBPyConnection, month: str, workspace: str | None) -> Statement:
    """Read the bill of a UTC month (`2026-10`), of all workspaces or of one, in US dollars.

    UsageError for an unknown workspace, and for a month without figures.
    """
    import polars as pl

    workspace_ids = workspaces_called(con, workspace)
    first = month_called(con, month, workspace_ids)
    columns = ", ".join(f"{each.expression} as {each.name}" for each in _COLUMNS)
    parameters = {"month": str(first), "workspace_ids": workspace_ids}
    return Statement(
        first,
        cut_off(con, workspace_ids),
        pl.DataFrame(con.sql(_BILL.format(columns=columns), params=parameters)),
        [
            *_READING,
            *data_of_workspaces(con, first, workspace_ids),
            *(Definition(each.name, "", each.meaning) for each in _COLUMNS),
        ],
        is_for_people=False,
    )
