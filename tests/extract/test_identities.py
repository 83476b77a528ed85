"""Which keys open another workspace than their setting names."""

from __future__ import annotations

from pathlib import Path

import pytest

from analytics.batch.workspaces import identity_errors
from analytics.levain.records import Me
from analytics.settings import Workspace
from analytics.warehouse.database import open_warehouse
from analytics.warehouse.layout import Layout
from analytics.warehouse.store import Store

API = "https://api.test"
SAME, TWICE = "hold keys of the same workspace", "twice: a workspace is read once a batch"


@pytest.mark.parametrize(
    ("stored", "opened", "words"),
    [
        ("A=a B=b", "A=a B=../x", ["", "a workspace id that is no id: '../x'"]),
        ("A=a B=b", "A=a B=a", ["", "but the data under this setting is that of"]),
        ("A=a B=b", "B=a A=a", ["but the data under this setting is that of", ""]),
        ("A=a", "NEW=a A=a", [f"NEW and A {SAME}", ""]),
        ("", "NEW=a A=a=a", [f"NEW and A {SAME}", ""]),
        ("", "A=a B=a C=c", [f"A and B {SAME}", f"A and B {SAME}", ""]),
        ("A=a", "A=a A=a C=c", [TWICE, TWICE, ""]),
        ("", "A=a B=b=c", ["", "but workspace_id in the settings is c"]),
    ],
)
def test_each_wrong_key_has_an_error_and_no_other(
    tmp_path: Path, stored: str, opened: str, words: list[str]
) -> None:
    """Given keys by variable and workspace, and maybe the setting's, in whatever order they are."""
    asked = [
        (
            Workspace(api_key_env=env, api=API, workspace_id=(named or [None])[0]),
            Me(workspace_id=id_),
        )
        for env, id_, *named in (each.split("=") for each in opened.split())
    ]
    with open_warehouse(Layout(tmp_path)) as con:
        for each in stored.split():
            env, id_ = each.split("=")
            Store(con, id_).begin(API, env)
        errors = identity_errors(con, asked)

    for error, wanted in zip(errors, words, strict=True):
        assert wanted in str(error) if wanted else error is None
