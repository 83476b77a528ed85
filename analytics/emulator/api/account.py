"""The workspace of a key."""

from __future__ import annotations

from fastapi import Response

from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace

router = common.router()


@router.get("/auth/me")
async def get_me(workspace: TheWorkspace) -> Response:
    """Return the key's workspace."""
    return common.json(
        {
            "workspace_id": workspace.id,
            "workspace_name": workspace.name,
            "auth_method": "api_key",
            "user": None,
        }
    )
