from tests.transform.given import Warehouse
from analytics.transform.checks import run_checks
from tests.queries.sample import fill
def test_x(warehouse: Warehouse) -> None:
    fill(warehouse)
    warehouse.insert("finance.owner_rules", precedence=1, line=2, workspace="*", agent="BAKER", owner="Bread", cost_center="C", account="6", valid_from="2026-11-15")
    warehouse.insert("finance.owner_rules", precedence=2, line=3, workspace="*", agent="a-*", owner="All", valid_to="2026-11-18")
    warehouse.build_all()
    print(warehouse.con.sql("from intermediate.int_owner_spans"))
    print(warehouse.con.sql("select workspace_id, agent_id, agent_slug, owner, cost_center, account from marts.dim_agents"))
    print(warehouse.con.sql("from marts.fct_owner_months"))
    print(warehouse.con.sql("from marts.fct_agent_owner_months"))
    print([(r.name, r.finding) for r in run_checks(warehouse.con) if not r.ok and not r.control])
    assert 0
