-- Rules of finance/owners.csv: whose the agents are that a rule matches, on which days. Of the
-- rules that match an agent on a day, the one of the lowest precedence counts. Patterns are globs
-- as ILIKE takes them, with a backslash before its wildcards that are none of the user's.
-- Grain: rule.
-- key: precedence
select
    precedence,
    workspace,
    lower(agent) as agent,
    regexp_matches(agent, '[*?]') as is_glob,
    translate(regexp_replace(agent, '([\\%_])', '\\\1', 'g'), '*?', '%_') as agent_pattern,
    translate(regexp_replace(workspace, '([\\%_])', '\\\1', 'g'), '*?', '%_') as workspace_pattern,
    owner,
    cost_center,
    account,
    coalesce(valid_from, date '0001-01-01') as first_date,
    coalesce(valid_to, date '9999-12-31') as last_date
from finance.owner_rules
