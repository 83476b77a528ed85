-- What each schedule was set to, from when until when: an agent, a cron expression of five fields,
-- a time zone, and whether it was on. What a batch first read holds from the schedule's creation
-- on. A span has the numbers of each field; one with a field that is no list of numbers, names,
-- ranges and steps, or with an unknown time zone, is left out. Grain: schedule and first moment.
-- key: workspace_id, schedule_id, valid_from
-- materialized: table
with

versions as (
    select
        *,
        lag((agent_id, cron_expr, timezone, enabled)) over schedule
        is distinct from (agent_id, cron_expr, timezone, enabled) as is_new,
        row_number() over schedule = 1 as is_first
    from staging.schedules
    window schedule as (partition by workspace_id, schedule_id order by version_id)
),

spans as (
    select
        workspace_id,
        schedule_id,
        agent_id,
        cron_expr,
        timezone,
        enabled,
        if(is_first, coalesce(created_at, seen_at), seen_at) as valid_from,
        lead(seen_at) over schedule as valid_until,
        string_split_regex(trim(lower(cron_expr)), '\s+') as texts
    from versions
    where is_new
    window schedule as (partition by workspace_id, schedule_id order by version_id)
),

-- The parts of a field between commas: `*`, `5`, `mon`, `1-5`, each with `/2` or not.
parts as (
    select
        workspace_id,
        schedule_id,
        valid_from,
        place,
        unnest(string_split(texts[place], ',')) as part,
        regexp_extract(
            part, '^(\*|\w+)(?:-(\w+))?(?:/(\d+))?$', ['first', 'last', 'step']
        ) as words,
        [0, 0, 1, 1, 0][place] as lowest,
        [59, 23, 31, 12, 7][place] as highest,
        [
            [],
            [],
            [],
            ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'],
            ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']
        ][place] as names
    from spans, range(1, 6) as places(place)
    where len(texts) = 5
),

bounds as (
    select
        *,
        coalesce(try_cast(words.step as integer), 1) as step,
        if(
            words.first = '*',
            lowest,
            coalesce(try_cast(words.first as integer), list_position(names, words.first))
        ) as first,
        case
            when words.last <> ''
                then coalesce(try_cast(words.last as integer), list_position(names, words.last))
            when words.first = '*' or words.step <> '' then highest
            else first
        end as last
    from parts
),

fields as (
    select
        workspace_id,
        schedule_id,
        valid_from,
        place,
        list_sort(list_distinct(flatten(list(
            list_transform(range(first, last + 1, step), lambda n: if(place = 5, n % 7, n))
        )))) as numbers
    from bounds
    group by all
    having bool_and(first between lowest and last and last <= highest and step > 0)
),

sets as (
    select
        workspace_id,
        schedule_id,
        valid_from,
        max(numbers) filter (place = 1) as minutes,
        max(numbers) filter (place = 2) as hours,
        max(numbers) filter (place = 3) as days,
        max(numbers) filter (place = 4) as months,
        max(numbers) filter (place = 5) as weekdays
    from fields
    group by all
    having count(*) = 5
)

select
    workspace_id,
    schedule_id,
    spans.agent_id,
    cron_expr,
    timezone,
    enabled is distinct from false as is_on,
    valid_from,
    valid_until,
    minutes,
    hours,
    days,
    months,
    weekdays,
    -- With both restricted, one of them is enough: so cron has it.
    texts[3][1] <> '*' and texts[5][1] <> '*' as is_either_day
from spans
join sets using (workspace_id, schedule_id, valid_from)
where timezone in (select name from pg_timezone_names())
