"""The storage of a fleet: a folder, or an object store (S3, GCS, Azure), by one interface."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from analytics import disk
from analytics.errors import AnalyticsError, UsageError, extra_needed

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_CHUNK = 8 << 20  # bytes


class StoreError(AnalyticsError):
    """The storage did not do what it was asked to; it may later."""


class Store:
    """Objects below one address. Every method raises StoreError where the storage fails."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._folder = None if "://" in url else Path(url)
        with extra_needed("A fleet", "fleet"):
            self._store = _opened(url, self._folder)

    def read(self, path: str) -> bytes | None:
        """Return an object; None if there is none."""
        import obstore

        with self._errors("read", path):
            try:
                return bytes(obstore.get(self._store, path).bytes())
            except FileNotFoundError:
                return None

    def require(self, path: str) -> bytes:
        """Return an object that was listed; StoreError if it is gone since."""
        if (content := self.read(path)) is None:
            raise StoreError(f"{self.url}/{path} is gone while it was read.\nRun again.")
        return content

    def fetch(self, path: str, file: Path) -> None:
        """Write an object to a new file; StoreError also if there is none."""
        import obstore

        with self._errors("read", path), file.open("xb") as target:
            for chunk in obstore.get(self._store, path).stream(min_chunk_size=_CHUNK):
                target.write(chunk)

    def put(self, path: str, content: bytes | Path) -> None:
        """Write an object, whole or not at all; one of this name is replaced."""
        import obstore

        with self._errors("written", path):
            obstore.put(self._store, path, content)

    def create(self, path: str, content: bytes) -> bool:
        """Write an object unless there is one of this name; return False if there is."""
        import obstore
        from obstore.exceptions import AlreadyExistsError

        with self._errors("written", path):
            try:
                obstore.put(self._store, path, content, mode="create")
            except AlreadyExistsError:
                return False
        return True

    def commit(self, path: str, content: bytes) -> bool:
        """Create an object that names others; return False if there is one of this name.

        Where files lie on a disk of this machine, all that was written before is on it first.
        """
        if self._folder is not None:
            disk.sync_file_system(self._folder)
        is_new = self.create(path, content)
        if is_new and self._folder is not None:
            disk.sync((self._folder / path).parent)
        return is_new

    def names(self, prefix: str, after: str = "") -> dict[str, int]:
        """Return the paths of objects below a prefix, sorted, with their sizes in bytes.

        Those that sort before `after` are left out, and so is that one.
        """
        import obstore

        with self._errors("listed", prefix):
            pages = obstore.list(self._store, prefix, offset=after or None)
            found = [each for page in pages for each in page]
        return {each["path"]: each["size"] for each in sorted(found, key=lambda each: each["path"])}

    def folders(self, prefix: str) -> list[str]:
        """Return the prefixes into which the next slash divides what is below a prefix, sorted."""
        import obstore

        with self._errors("listed", prefix):
            return sorted(obstore.list_with_delimiter(self._store, prefix)["common_prefixes"])

    def delete(self, paths: Sequence[str]) -> None:
        """Delete objects; one that is gone is none to delete."""
        import obstore

        for path in paths:
            with self._errors("deleted", path):
                try:
                    obstore.delete(self._store, path)
                except FileNotFoundError:
                    continue

    @contextmanager
    def _errors(self, done: str, path: str) -> Iterator[None]:
        from obstore.exceptions import BaseError

        try:
            yield
        except (BaseError, FileNotFoundError, PermissionError) as error:
            cause = str(error).partition("\n")[0]
            raise StoreError(
                f"{self.url}/{path} could not be {done}: {cause}\n"
                "Nothing that was there is changed. Let the storage be reached, and run again."
            ) from error


def _opened(url: str, folder: Path | None) -> ObjectStore:
    from obstore.exceptions import BaseError
    from obstore.store import LocalStore, from_url

    try:
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            return LocalStore(folder)
        secure = not os.environ.get("AWS_ENDPOINT_URL", "").startswith("http://")
        return from_url(url, client_options={"allow_http": not secure})
    except (BaseError, OSError, ValueError) as error:
        cause = str(error).partition("\n")[0]
        raise UsageError(
            f"The storage {url} cannot be opened: {cause}\n"
            "Name a folder, or an address such as s3://bucket/path, gs://… or az://…."
        ) from error
