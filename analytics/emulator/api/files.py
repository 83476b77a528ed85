"""Downloads, authorized by a signed address instead of a key, whole or in part."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import HTTPException, Request, Response

from analytics.emulator.api import common
from analytics.emulator.api.common import TheWorld
from analytics.emulator.runs import artifacts, logs

if TYPE_CHECKING:
    from analytics.emulator.records import Run
    from analytics.emulator.world import World

RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")

router = common.router()


@router.get("/runs/{run_id}/log")
async def download_log(
    request: Request, world: TheWorld, run_id: UUID, expires: int = 0, signature: str = ""
) -> Response:
    """Return the log of a run that has ended."""
    _require_signature(request, world, expires, signature)
    return _part(request, logs.raw_log(_find(world, run_id)), "text/plain")


@router.get("/runs/{run_id}/artifacts/{key:path}")
async def download_artifact(
    request: Request,
    world: TheWorld,
    run_id: UUID,
    key: str,
    expires: int = 0,
    signature: str = "",
) -> Response:
    """Return a file that a run published."""
    _require_signature(request, world, expires, signature)
    file = artifacts.find(_find(world, run_id), key)
    if file is None:
        raise HTTPException(404, "Artifact not found")
    return _part(request, file.content, file.content_type)


def _require_signature(request: Request, world: World, expires: int, signature: str) -> None:
    if reason := world.signer.refusal(request.scope["path"], expires, signature, world.now):
        raise HTTPException(403, reason)


def _find(world: World, run_id: UUID) -> Run:
    found = (workspace.runs.get(str(run_id)) for workspace in world.workspaces)
    run = next(filter(None, found), None)
    if run is None:
        raise HTTPException(404, "Run not found")
    return run


def _part(request: Request, body: bytes, media_type: str) -> Response:
    """Return the body, or the requested range of it if the file is unchanged."""
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    headers = {"Accept-Ranges": "bytes", "ETag": etag}
    asked = RANGE.fullmatch(request.headers.get("Range", ""))
    if not asked or asked[0] == "bytes=-" or request.headers.get("If-Range", etag) != etag:
        return Response(body, 200, headers, media_type)
    first, last = _bounds(asked[1], asked[2], len(body))
    if first > last:
        headers["Content-Range"] = f"bytes */{len(body)}"
        return Response(b"", 416, headers)
    headers["Content-Range"] = f"bytes {first}-{last}/{len(body)}"
    return Response(body[first : last + 1], 206, headers, media_type)


def _bounds(first: str, last: str, size: int) -> tuple[int, int]:
    """Return the first and the last byte of a range; without a first one, it is the tail."""
    if not first:
        return max(0, size - int(last)), size - 1
    return int(first), min(int(last) if last else size - 1, size - 1)
