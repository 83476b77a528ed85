-- Account of each role where no cost center has one of its own: '(none)' where the user names none;
-- of provider_payable null, where journals book no own-key cost.
-- Grain: one row.
-- key: expense
select
    coalesce(max(account) filter (role = 'expense'), '(none)') as expense,
    coalesce(max(account) filter (role = 'accrued'), '(none)') as accrued,
    coalesce(max(account) filter (role = 'payable'), '(none)') as payable,
    coalesce(max(account) filter (role = 'tax'), '(none)') as tax,
    coalesce(max(account) filter (role = 'rounding'), '(none)') as rounding,
    max(account) filter (role = 'provider_payable') as provider_payable
from finance.accounts
where cost_center is null
