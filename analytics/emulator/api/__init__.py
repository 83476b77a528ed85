"""The HTTP routes of a world."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import FastAPI

from analytics.emulator.api import (
    account,
    agents,
    analytics,
    byok,
    dispatch,
    files,
    runs,
    schedules,
    sessions,
    webhooks,
)
from analytics.emulator.api.middleware import Middleware, Request

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from analytics.emulator.api.faults import Faults
    from analytics.emulator.world import World


def build(world: World, faults: Faults, requests: list[Request]) -> ASGIApp:
    """Return the application that serves a world and records its requests."""
    app = FastAPI(openapi_url=None)
    app.state.world = world
    app.state.faults = faults
    nouns = (
        account,
        byok,
        agents,
        dispatch,
        runs,
        sessions,
        schedules,
        webhooks,
        analytics,
    )
    for noun in nouns:
        app.include_router(noun.router, prefix="/api/v1")
    app.include_router(files.router, prefix="/files")
    return Middleware(app, world, faults, requests)
