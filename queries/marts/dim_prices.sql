-- List prices of models, whoever provides them, by the day from which they hold; before a model's
-- first day, its first price stands for those that are not known. A model of the user's own list
-- (finance/list_prices.csv) has no price of the vendor's catalogue, which comes with this release.
-- Grain: model and first day.
-- key: model, valid_from
-- values source: catalogue, own
-- column valid_from: First UTC day of the price; of a model's first price, the day since when it is
-- known.
-- column valid_until: First UTC day on which it holds no more; null while it holds.
-- column source: Whose list it is of: own (finance/list_prices.csv) or catalogue.
-- column is_first: True of a model's first price, which stands for earlier days, too.
select
    model,
    valid_from,
    lead(valid_from) over prices as valid_until,
    row_number() over prices = 1 as is_first,
    input_usd_per_million_tokens,
    output_usd_per_million_tokens,
    source
from finance.list_prices
where source = 'own' or model not in (select model from finance.list_prices where source = 'own')
window prices as (partition by model order by valid_from)
order by model, valid_from
