"""Damage to figures, each of which one check must find."""

from __future__ import annotations

import re

from analytics.resources import folder
from analytics.transform.build import all_models
from analytics.transform.models import PUBLISHED

# Of each check of queries/checks, and of sums of a header.
_DAMAGE = """\
accrual_entries_are_the_journals: marts.fct_accruals set entry_usd += 1e-10
accruals_are_billed_less_invoiced: marts.fct_accruals set accrual_usd += 1e-10
accruals_are_reversed: marts.fct_journal_lines set account = '7' where kind = 'reversal'
adjustments_lead_to_what_is_published:
    marts.fct_adjustments set current_cost_usd = current_cost_usd + 1
allocations_are_negative_only_where_charges_are: marts.fct_allocations set billed_usd = -1e-10
allocations_change_no_total: marts.fct_allocations set metered_cost_usd += 1e-10
bills_are_cost_and_surcharge_less_own_key_cost: marts.fct_billing_days set own_key_usd += 1e-10
cost_to_bill_adds_up: audit.cost_to_bill set amount_usd += 1e-10 where step_number = 1
budgets_are_held_against_all_charges: marts.fct_budgets set actual_usd += 1e-10
closed_lines_and_adjustments_are_todays_figures:
    finance.closed_lines set billed_usd += 1e-10 where billed_usd > 0
closed_lines_are_what_their_loads_gave:
    finance.closed_lines set metered_cost_usd -= 1e-10 where metered_cost_usd > 0
days_are_listed_and_unlisted_runs: marts.fct_agent_days set open_count = 7
direct_allocations_are_charges_of_their_cost_center: marts.fct_allocations set cost_center = 'lost'
every_run_leads_to_its_request: audit.landing_files set load_id = 'lost' where load_id <> 'load-1'
failed_runs_alone_have_an_error_class: marts.fct_runs set error_class = 'other'
failure_rates_lie_within_their_intervals:
    marts.fct_agent_days set failure_rate_low = failure_rate_high + 0.1
int_agent_billing_days_conserves_raw_agent_billing_days:
    intermediate.int_agent_billing_days set billed_usd = 9
fct_agent_months_sums_fct_agent_days: marts.fct_agent_months set run_count = 1
int_agent_owner_months_sums_fct_agent_months:
    intermediate.int_agent_owner_months set billed_usd += 1e-10
fct_billing_days_conserves_raw_billing_days: marts.fct_billing_days set billed_usd = 9
fct_charges_sums_int_agent_billing_days: marts.fct_charges set surcharge_usd += 1e-10
fct_model_days_sums_fct_usage_hours: marts.fct_model_days set metered_cost_usd += 1e-10
fct_run_models_conserves_raw_run_costs: marts.fct_run_models set cost_usd = '0.0000000002'
fct_run_models_run_id_is_in_fct_runs: marts.fct_run_models set workspace_id = 'w-2'
fct_runs_conserves_raw_runs: marts.fct_runs set tokens_in = tokens_in + 1
fct_usage_hours_conserves_raw_usage_hours: marts.fct_usage_hours set error_count = null
fct_workspace_days_sums_fct_agent_days: marts.fct_workspace_days set tokens_out = 1
fct_workspace_months_sums_fct_agent_months: marts.fct_workspace_months set billed_usd += 1e-10
final_runs_have_ended: marts.fct_runs set is_terminal = false
journal_entries_balance: marts.fct_journal_lines set debit_usd += 1e-10 where line_number = 1
journal_expense_is_charges_and_adjustments:
    marts.fct_journal_lines set debit_usd += 1e-10 where role = 'expense'
listed_parts_are_those_of_runs: marts.fct_agent_days set listed_cost_usd += 1e-10
month_bridges_add_up: marts.fct_month_bridge set price_effect_usd -= 1e-10
own_key_expense_is_own_key_cost:
    marts.fct_journal_lines set debit_usd += 1e-10 where kind = 'own_key'
invoice_months_are_their_invoices: intermediate.int_invoice_months set invoiced_usd += 1e-10
payables_are_invoices: marts.fct_invoices set tax_usd += 1e-10
platform_costs_add_up: marts.fct_workspace_days set platform_cost_usd += 1e-10
the_last_version_of_a_run_is_in_force: audit.run_versions set cost_usd = 1 where is_current
"""

DAMAGE = {
    "adjustments_follow_one_another": (
        "update marts.fct_period_adjustments"
        " set previous_metered_cost_usd = previous_metered_cost_usd + 1e-10,"
        " current_metered_cost_usd = current_metered_cost_usd + 1e-10"
    ),
    "no_run_is_lost_between_raw_and_marts": "delete from marts.fct_runs where run_id = 'r-7'",
}
for _line in _DAMAGE.replace(":\n    ", ": ").splitlines():
    _check, _, _change = _line.partition(": ")
    DAMAGE[_check] = "update " + re.sub(r"(\w+) ([+-])= ", r"\1 = \1 \2 ", _change)
for _model in all_models(folder("queries")):
    if _model.layer in PUBLISHED:
        _of_columns = {f"{column}_is_in_{to}": column for column, to in _model.header.refs.items()}
        _of_columns |= {f"{column}_is_known": column for column in _model.header.values}
        for _claim, _column in _of_columns.items():
            DAMAGE.setdefault(
                f"{_model.name}_{_claim}", f"update {_model.relation} set {_column} = 'lost'"
            )
