-- Models that the workspace's usage or runs name, by provider. Grain: model and provider.
-- key: workspace_id, model, provider
-- column family: First word of the model's name without its maker's prefix: claude, gpt, gemini.
select
    workspace_id,
    model,
    provider,
    coalesce(
        nullif(regexp_extract(lower(model), '^(?:[a-z]+\.)?([a-z]+)', 1), ''),
        model
    ) as family,
    min(utc_date) as first_used_on,
    max(utc_date) as last_used_on
from marts.fct_model_days
group by workspace_id, model, provider
order by workspace_id, model, provider
