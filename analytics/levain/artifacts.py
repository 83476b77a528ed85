"""The files that runs publish."""

from __future__ import annotations

from pathlib import Path

from analytics.levain.downloads import download
from analytics.levain.paths import api_path
from analytics.levain.records import ArtifactList, FileUrl
from analytics.levain.transport import Transport


class Artifacts:
    """`/runs/{run_id}/artifacts`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def list(self, run_id: str) -> ArtifactList:
        """Read the list of files that a run has published, oldest first.

        The API lists at most 1,000.
        """
        return await self._transport.read(api_path("runs", run_id, "artifacts"), ArtifactList)

    async def url(self, run_id: str, key: str) -> FileUrl:
        """Read a time-limited URL of one file; the URL needs no key."""
        return await self._transport.read(
            api_path("runs", run_id, "artifacts", key, "url"), FileUrl
        )

    async def download(self, run_id: str, key: str, target: Path) -> int:
        """Write one file to `target`, whole or not at all, and return its size in bytes.

        FileExistsError if `target` exists: no file is ever replaced.
        """
        transport = self._transport
        return await download(
            transport.files,
            lambda: self.url(run_id, key),
            target,
            is_new=True,
            hidden=transport.hidden,
        )
