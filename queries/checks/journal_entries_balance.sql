-- Every entry of the journal balances, to the last digit.
select booked_month, entry_id, sum(debit_usd) as debit_usd, sum(credit_usd) as credit_usd
from marts.fct_journal_lines
group by all
having sum(debit_usd) <> sum(credit_usd)
order by all
