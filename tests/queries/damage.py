"""Damage to figures, each of which one check must find."""

from __future__ import annotations

# Each check of queries/checks or of a header, keys apart, and the damage that it must find.
DAMAGE = {
    "accrual_entries_are_the_journals": (
        "update marts.fct_accruals set entry_usd = entry_usd + 1e-10"
    ),
    "accruals_are_billed_less_invoiced": (
        "update marts.fct_accruals set accrual_usd = accrual_usd + 1e-10"
    ),
    "accruals_are_reversed": (
        "update marts.fct_journal_lines set account = '7' where kind = 'reversal'"
    ),
    "adjustments_lead_to_what_is_published": (
        "update marts.fct_adjustments set current_cost_usd = current_cost_usd + 1"
    ),
    "allocations_are_negative_only_where_charges_are": (
        "update marts.fct_allocations set billed_usd = -1e-10"
    ),
    "adjustments_follow_one_another": (
        "update marts.fct_period_adjustments"
        " set previous_metered_cost_usd = previous_metered_cost_usd + 1e-10,"
        " current_metered_cost_usd = current_metered_cost_usd + 1e-10"
    ),
    "allocations_change_no_total": (
        "update marts.fct_allocations set metered_cost_usd = metered_cost_usd + 1e-10"
    ),
    "bills_are_cost_and_surcharge_less_own_key_cost": (
        "update marts.fct_billing_days set own_key_usd = own_key_usd + 1e-10"
    ),
    "cost_to_bill_adds_up": (
        "update audit.cost_to_bill set amount_usd = amount_usd + 1e-10 where step_number = 1"
    ),
    "budgets_are_held_against_all_charges": (
        "update marts.fct_budgets set actual_usd = actual_usd + 1e-10"
    ),
    "closed_lines_and_adjustments_are_todays_figures": (
        "update finance.closed_lines set billed_usd = billed_usd + 1e-10 where billed_usd > 0"
    ),
    "closed_lines_are_what_their_loads_gave": (
        "update finance.closed_lines set metered_cost_usd = metered_cost_usd - 1e-10"
        " where metered_cost_usd > 0"
    ),
    "closings_status_is_known": ("update audit.closings set status = 'done'"),
    "days_are_listed_and_unlisted_runs": ("update marts.fct_agent_days set open_count = 7"),
    "dim_agents_line_type_is_known": ("update marts.dim_agents set line_type = null"),
    "dim_months_status_is_known": ("update marts.dim_months set status = 'done'"),
    "direct_allocations_are_charges_of_their_cost_center": (
        "update marts.fct_allocations set cost_center = 'lost'"
    ),
    "every_run_leads_to_its_request": (
        "update audit.landing_files set load_id = 'lost' where load_id <> 'load-1'"
    ),
    "failed_runs_alone_have_an_error_class": ("update marts.fct_runs set error_class = 'other'"),
    "failure_rates_lie_within_their_intervals": (
        "update marts.fct_agent_days set failure_rate_low = failure_rate_high + 0.1"
    ),
    "fct_accruals_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_accruals set workspace_id = 'lost'"
    ),
    "fct_adjustments_agent_id_is_in_dim_agents": (
        "update marts.fct_adjustments set agent_id = 'lost'"
    ),
    "int_agent_billing_days_conserves_raw_agent_billing_days": (
        "update intermediate.int_agent_billing_days set billed_usd = 9"
    ),
    "fct_agent_days_agent_id_is_in_dim_agents": (
        "update marts.fct_agent_days set agent_id = 'lost'"
    ),
    "fct_agent_months_status_is_known": ("update marts.fct_agent_months set status = 'done'"),
    "fct_agent_months_sums_fct_agent_days": ("update marts.fct_agent_months set run_count = 1"),
    "int_agent_owner_months_sums_fct_agent_months": (
        "update intermediate.int_agent_owner_months set billed_usd = billed_usd + 1e-10"
    ),
    "fct_allocations_agent_id_is_in_dim_agents": (
        "update marts.fct_allocations set agent_id = 'lost'"
    ),
    "fct_allocations_source_is_known": ("update marts.fct_allocations set source = 'other'"),
    "fct_billing_days_conserves_raw_billing_days": (
        "update marts.fct_billing_days set billed_usd = 9"
    ),
    "fct_billing_days_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_billing_days set workspace_id = 'lost'"
    ),
    "fct_charge_adjustments_agent_id_is_in_dim_agents": (
        "update marts.fct_charge_adjustments set agent_id = 'lost'"
    ),
    "fct_budgets_scope_is_known": ("update marts.fct_budgets set scope = 'team'"),
    "fct_budgets_status_is_known": ("update marts.fct_budgets set status = 'good'"),
    "fct_charge_adjustments_cause_is_known": (
        "update marts.fct_charge_adjustments set cause = 'other'"
    ),
    "fct_charges_agent_id_is_in_dim_agents": ("update marts.fct_charges set agent_id = 'lost'"),
    "fct_charges_sums_int_agent_billing_days": (
        "update marts.fct_charges set surcharge_usd = surcharge_usd + 1e-10"
    ),
    "fct_invoices_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_invoices set workspace_id = 'lost'"
    ),
    "fct_invoices_status_is_known": ("update marts.fct_invoices set status = 'done'"),
    "fct_journal_lines_kind_is_known": ("update marts.fct_journal_lines set kind = 'done'"),
    "fct_journal_lines_role_is_known": ("update marts.fct_journal_lines set role = 'done'"),
    "fct_journal_lines_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_journal_lines set workspace_id = 'lost'"
    ),
    "fct_log_events_run_id_is_in_fct_runs": ("update marts.fct_log_events set run_id = 'lost'"),
    "fct_model_days_sums_fct_usage_hours": (
        "update marts.fct_model_days set metered_cost_usd = metered_cost_usd + 1e-10"
    ),
    "fct_month_lines_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_month_lines set workspace_id = 'lost'"
    ),
    "fct_period_adjustments_agent_id_is_in_dim_agents": (
        "update marts.fct_period_adjustments set agent_id = 'lost'"
    ),
    "fct_period_adjustments_cause_is_known": (
        "update marts.fct_period_adjustments set cause = 'other'"
    ),
    "fct_run_models_conserves_raw_run_costs": (
        "update marts.fct_run_models set cost_usd = '0.0000000002'"
    ),
    "fct_run_models_run_id_is_in_fct_runs": (
        "update marts.fct_run_models set workspace_id = 'w-2'"
    ),
    "fct_runs_agent_id_is_in_dim_agents": ("update marts.fct_runs set agent_id = 'lost'"),
    "fct_runs_conserves_raw_runs": ("update marts.fct_runs set tokens_in = tokens_in + 1"),
    "fct_runs_trigger_type_is_known": ("update marts.fct_runs set trigger_type = 'cron'"),
    "fct_runs_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_runs set workspace_id = 'lost'"
    ),
    "fct_usage_hours_agent_id_is_in_dim_agents": (
        "update marts.fct_usage_hours set agent_id = 'lost'"
    ),
    "fct_usage_hours_conserves_raw_usage_hours": (
        "update marts.fct_usage_hours set error_count = null"
    ),
    "fct_usage_hours_workspace_id_is_in_dim_workspaces": (
        "update marts.fct_usage_hours set workspace_id = 'lost'"
    ),
    "fct_workspace_days_sums_fct_agent_days": (
        "update marts.fct_workspace_days set tokens_out = 1"
    ),
    "fct_workspace_months_status_is_known": (
        "update marts.fct_workspace_months set status = 'done'"
    ),
    "fct_workspace_months_sums_fct_agent_months": (
        "update marts.fct_workspace_months set billed_usd = billed_usd + 1e-10"
    ),
    "final_runs_have_ended": ("update marts.fct_runs set is_terminal = false"),
    "journal_entries_balance": (
        "update marts.fct_journal_lines set debit_usd = debit_usd + 1e-10 where line_number = 1"
    ),
    "journal_expense_is_charges_and_adjustments": (
        "update marts.fct_journal_lines set debit_usd = debit_usd + 1e-10 where role = 'expense'"
    ),
    "listed_parts_are_those_of_runs": (
        "update marts.fct_agent_days set listed_cost_usd = listed_cost_usd + 1e-10"
    ),
    "fct_month_bridge_agent_id_is_in_dim_agents": (
        "update marts.fct_month_bridge set agent_id = 'lost'"
    ),
    "month_bridges_add_up": (
        "update marts.fct_month_bridge set price_effect_usd = price_effect_usd - 1e-10"
    ),
    "no_run_is_lost_between_raw_and_marts": ("delete from marts.fct_runs where run_id = 'r-7'"),
    "own_key_expense_is_own_key_cost": (
        "update marts.fct_journal_lines set debit_usd = debit_usd + 1e-10 where kind = 'own_key'"
    ),
    "invoice_months_are_their_invoices": (
        "update intermediate.int_invoice_months set invoiced_usd = invoiced_usd + 1e-10"
    ),
    "payables_are_invoices": ("update marts.fct_invoices set tax_usd = tax_usd + 1e-10"),
    "platform_costs_add_up": (
        "update marts.fct_workspace_days set platform_cost_usd = platform_cost_usd + 1e-10"
    ),
    "reconciliation_days_status_is_known": ("update audit.reconciliation_days set status = 'done'"),
    "rpt_month_bridge_recency_is_known": ("update reports.rpt_month_bridge set recency = 'old'"),
    "the_last_version_of_a_run_is_in_force": (
        "update audit.run_versions set cost_usd = 1 where is_current"
    ),
}
