"""The versions of an agent: draft, build, verify and publish them."""

from __future__ import annotations

from analytics.levain.answers import Answer
from analytics.levain.paging import Page, one_page
from analytics.levain.paths import api_path, omit_none
from analytics.levain.records import Build, Draft, Version
from analytics.levain.transport import Transport


class Versions:
    """`/agents/{agent}/versions`; an agent by id or slug, a version by its number."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, agent: str) -> Page[Version]:
        """Read all versions of an agent."""
        return await one_page(self._transport, api_path("agents", agent, "versions"), Version)

    async def drafts(self, agent: str) -> Page[Draft]:
        """Read the versions not yet active, newest first, with the issues that caused them."""
        return await one_page(self._transport, api_path("agents", agent, "drafts"), Draft)

    async def create(
        self, agent: str, *, parent_version: int | None = None, description: str | None = None
    ) -> Version:
        """Create a draft from the latest version or from `parent_version`."""
        body = omit_none(parent_version=parent_version, description=description)
        path = api_path("agents", agent, "versions")
        return await self._transport.change("POST", path, Version, body)

    async def build(self, agent: str, version: int, *, prompt: str) -> Build:
        """Start a build of a draft; RefusedError if the version is published."""
        path = api_path("agents", agent, "versions", version, "build")
        return await self._transport.change("POST", path, Build, {"prompt": prompt})

    async def verify(self, agent: str, version: int, *, publish: bool | None = None) -> Answer:
        """Start the verification run, which costs; RefusedError (409) during a build."""
        path = api_path("agents", agent, "versions", version, "verify")
        return await self._transport.send("POST", path, omit_none(publish=publish))

    async def set_status(self, agent: str, version: int, status: str) -> Answer:
        """Publish a version (`"active"`), go back to an older one, or archive it."""
        return await self._transport.send(
            "PATCH",
            api_path("agents", agent, "versions", version),
            {"status": status},
            is_repeatable=True,
        )

    async def source(self, agent: str, version: int) -> Answer:
        """Read the location of the version's recipe: `remote` and `branch`."""
        return await self._transport.get(api_path("agents", agent, "versions", version, "source"))

    async def review_threads(self, agent: str, version: int) -> Answer:
        """Read the reviewers' comments on a version."""
        path = api_path("agents", agent, "versions", version, "review-threads")
        return await self._transport.get(path)
