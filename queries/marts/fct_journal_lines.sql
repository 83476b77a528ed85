-- Journal of each month, for the ledger: reversals of accruals, adjustments and own-key cost of the
-- month before, invoices, adjustments of closed months, accruals, and own-key cost where
-- finance/accounts.toml has an account provider_payable. Every entry balances. Expense is what is
-- charged for the month and adjusted in it, to the last digit; booked_usd has the whole cents that
-- files of the journal have. A month that is not closed is a preview; later ones are as if those
-- before were closed as they are.
-- Grain: booked month, entry and line.
-- key: booked_month, entry_id, line_number
-- not_null: is_booked
-- frozen: booked_month
-- ref workspace_id: dim_workspaces
-- values kind: reversal, invoice, settlement, adjustment, accrual, own_key, carried
-- values role: expense, difference, own_key, tax, rounding, accrued, payable, provider_payable
-- column booked_month: First day of the UTC month that books it.
-- column revision: Close of the month that books the entry, from 1; of a preview, the next one.
-- column entry_id: External identifier of the entry, another one in each revision. An export of a
-- preview adds `-preview`.
-- column line_number: Place of the line in its entry, from 1.
-- column entry_date: Day of the entry; of an invoice its day of issue, or the first day of a later
-- month that books it.
-- column kind: reversal, invoice, settlement (what is invoiced moves between cost centers),
-- adjustment, accrual, own_key, or carried (cents that rounding left).
-- column role: Role of the account: expense, difference (expense of an accepted difference),
-- own_key (expense by keys of one's own), tax, rounding, accrued, payable or provider_payable.
-- column account: Account of the line.
-- column cost_center: Cost center of an expense; '(none)' without one, and of other accounts.
-- column debit_usd: Debit in US dollars; 0 for a credit.
-- column credit_usd: Credit in US dollars; 0 for a debit.
-- column booked_usd: Amount in whole cents of US dollars that is booked; negative for a credit.
-- column narration: Text of the entry.
-- column memo: Text of the line.
-- column reverses_entry_id: Entry that it takes back; null for other entries.
-- column is_booked: True if the month is closed; false for a preview.
select
    booked_month,
    revision,
    entry_id,
    line_number,
    entry_date,
    kind,
    role,
    account,
    cost_center,
    workspace_id,
    usage_month,
    greatest(amount_usd, 0)::decimal(38, 10) as debit_usd,
    greatest(-amount_usd, 0)::decimal(38, 10) as credit_usd,
    booked_usd,
    narration,
    memo,
    reverses_entry_id,
    is_booked
from intermediate.int_booked_lines
order by booked_month, entry_id, line_number
