"""The customer's own provider keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import Body, HTTPException, Path, Response

from analytics.emulator import serialize
from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorkspace, TheWorld

if TYPE_CHECKING:
    from analytics.emulator.keys import ProviderKey

SHORTEST_KEY = 8  # of a shorter one, four characters would give too much away

router = common.router()

Provider = Annotated[str, Path(pattern="^[a-z0-9][a-z0-9_-]{0,62}$")]
Secret = Annotated[str, Body(embed=True, min_length=SHORTEST_KEY)]


@router.get("/byok")
async def list_keys(workspace: TheWorkspace) -> Response:
    """Return the stored fields of each key, without its secret."""
    return common.json([_record(key) for key in workspace.keys])


@router.post("/byok/{provider}")
async def add_key(
    world: TheWorld, workspace: TheWorkspace, provider: Provider, api_key: Secret
) -> Response:
    """Use this key for its provider in runs that start from now on."""
    return common.json(_record(world.add_provider_key(workspace, provider, api_key)), 201)


@router.delete("/byok/{key_id}")
async def revoke_key(workspace: TheWorkspace, key_id: UUID) -> Response:
    """Delete a key at once; runs that start from now on use Levain's account."""
    key = workspace.keys.revoke(str(key_id))
    if key is None:
        raise HTTPException(404, "Provider key not found")
    return common.json({"key_id": key.id, "provider": key.provider, "status": "revoked"})


def _record(key: ProviderKey) -> dict[str, Any]:
    return {
        "key_id": key.id,
        "provider": key.provider,
        "created_at": serialize.timestamp(key.created_at),
        "last_four": key.last_four,
    }
