"""`analytics status` where several workspaces are published."""

from __future__ import annotations

import re

import duckdb

from tests.cli.conftest import Command


def test_status_tells_workspaces_of_one_name_apart(published: Command) -> None:
    """Of workspaces that have the same name, `status` shows the beginning of the id as well."""
    with duckdb.connect("data/analytics.duckdb") as con:
        ((known,),) = con.execute("select workspace_id from marts.dim_workspaces").fetchall()
        con.execute(
            "insert into reports.rpt_workspace_health"
            " select * replace ('0123456789' as workspace_id) from reports.rpt_workspace_health"
            " where workspace_id <> '(all)'"
        )
    told = published("status").out

    for each in (known[:8], "01234567"):
        assert len(re.findall(rf"^Blank Slate \({each}\)", told, re.MULTILINE)) == 4
