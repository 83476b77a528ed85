"""Damage to figures, each of which one check must find."""

from __future__ import annotations

import re

from analytics.files import folder
from analytics.transform.build import all_models
from analytics.transform.header_checks import header_checks
from analytics.transform.models import Model, SqlModel

# What each check must find: of files, and of controls; then of each column of a header.
_DAMAGE = """\
accruals_are_billed_less_invoiced: marts.fct_accruals set accrual_usd += 1e-10
accruals_are_billed_less_invoiced:
    marts.fct_journal_lines set debit_usd += 1e-10 where kind = 'reversal' and role = 'accrued'
adjustments_lead_to_what_is_published:
    marts.fct_adjustments set current_cost_usd = current_cost_usd + 1
allocations_change_no_total: marts.fct_allocations set metered_cost_usd += 1e-10
allocations_change_no_total: marts.fct_allocations set billed_usd = -1e-10
allocations_change_no_total: marts.fct_allocations set cost_center = 'lost'
bills_and_usage_are_as_loaded: intermediate.int_agent_billing_days set billed_usd = 9
bills_and_usage_are_as_loaded: marts.fct_billing_days set billed_usd = 9
bills_and_usage_are_as_loaded: marts.fct_usage_hours set tokens_in = tokens_in + 1
bills_and_usage_are_as_loaded: marts.fct_charges set surcharge_usd += 1e-10
bills_and_usage_are_as_loaded: marts.fct_model_days set metered_cost_usd += 1e-10
budgets_are_held_against_all_charges: marts.fct_budgets set actual_usd += 1e-10
closed_lines_and_adjustments_are_todays_figures:
    finance.closed_lines set billed_usd += 1e-10 where billed_usd > 0
closed_lines_are_what_their_loads_gave:
    finance.closed_lines set metered_cost_usd -= 1e-10 where metered_cost_usd > 0
cost_to_bill_adds_up: audit.cost_to_bill set amount_usd += 1e-10 where step_number = 1
days_are_listed_and_unlisted_runs: marts.fct_agent_days set open_count = 7
differences_are_expense_or_rounding:
    marts.fct_journal_lines set debit_usd += 1e-10 where role = 'difference'
every_run_leads_to_its_request: audit.landing_files set load_id = 'lost' where load_id <> 'load-1'
final_runs_have_ended: marts.fct_runs set is_terminal = false
invoice_months_are_their_invoices: intermediate.int_invoice_months set invoiced_usd += 1e-10
journals_are_booked_to_the_cent: marts.fct_journal_lines set booked_usd += 0.01 where rowid = 0
journals_are_booked_to_the_cent: marts.fct_journal_lines set booked_usd = 0 where kind = 'reversal'
journals_are_charges_adjustments_and_invoices:
    marts.fct_journal_lines set debit_usd += 1e-10 where role = 'expense'
journals_are_charges_adjustments_and_invoices:
    marts.fct_journal_lines set debit_usd += 1e-10 where kind = 'own_key'
journals_are_charges_adjustments_and_invoices: marts.fct_invoices set tax_usd += 1e-10
listed_parts_are_those_of_runs: marts.fct_agent_days set listed_cost_usd += 1e-10
month_bridges_add_up: marts.fct_month_bridge set price_effect_usd -= 1e-10
no_duration_is_negative: marts.fct_runs set queue_seconds = -1 where run_id = 'r-7'
no_duration_is_negative: marts.fct_runs set duration_seconds = -1 where run_id = 'r-7'
no_duration_is_negative: marts.fct_log_events set elapsed_ms = -1 where rowid = 0
no_duration_is_negative: marts.fct_agent_days set duration_ms = -1 where rowid = 0
no_run_counts_in_two_workspaces:
    marts.fct_runs set run_id = 'r', agent_id = 'a-1', created_at = '2026-11-01',
    last_changed_at = '2026-11-01' where run_id in ('r-7', 'r-8')
the_last_version_of_a_run_is_in_force: audit.run_versions set cost_usd = 1 where is_current
the_last_version_of_a_run_is_in_force: marts.fct_runs set run_id = 'lost' where run_id = 'r-7'
the_last_version_of_a_run_is_in_force: marts.fct_runs set tokens_in = tokens_in + 1
the_last_version_of_a_run_is_in_force: marts.fct_runs set agent_id = 'a-1' where agent_id = 'a-2'

costs_by_agent_agree_with_the_bill: intermediate.int_agent_billing_days set billed_usd += 1
hourly_usage_agrees_with_the_bill: raw.billing_days set request_count = 99
listed_days_agree_with_the_api: intermediate.int_listed_day_comparisons set ours += 1
listed_runs_agree_with_their_model_costs: intermediate.int_run_comparisons set tokens_in = 7
roll_ups_agree_with_the_hourly_meter: intermediate.int_cut_off set leftover = 7
run_counts_agree_with_the_roll_ups: intermediate.int_agent_days_vs_api set api_run_count = 99
unlisted_parts_are_not_negative:
    intermediate.int_listed_day_comparisons set ours += theirs + 1
usage_without_an_agent_agrees_with_the_platform: intermediate.int_cut_off set leftover = 7
"""


def _set(model: Model, column: str, value: str) -> str:
    """Return the statement that damages a column, in the first row of a table or in a view."""
    if isinstance(model, SqlModel) and model.is_view:
        changed = f"select * replace ({value} as {column}) from ({model.sql})"
        return f"create or replace view {model.relation} as {changed}"
    return f"update {model.relation} set {column} = {value} where rowid = 0"


DAMAGE: list[tuple[str, str]] = []
for _line in filter(None, _DAMAGE.replace("\n    ", " ").splitlines()):
    _check, _, _change = _line.partition(": ")
    DAMAGE.append((_check, "update " + re.sub(r"(\w+) ([+-])= ", r"\1 = \1 \2 ", _change)))
for _model in all_models(folder("queries")):
    for (_check, _), _question in header_checks(_model):
        _claim = _question.name.removeprefix(f"{_model.name}_")
        if _claim == "has_no_null":
            DAMAGE += [(_check, _set(_model, each, "null")) for each in _model.header.not_null]
        elif _claim != "key_is_unique":
            DAMAGE.append((_check, _set(_model, _claim.partition("_is_")[0], "'lost'")))
