"""The files of a site: written, or taken over from the site before where their inputs are equal.

Data files are scripts that register a compressed JSON document, as a page from disk loads no other.
The script is UTF-16, of which each unit holds two bytes of the document: it grows by 3 %, where
base64 would add 33 %. Its byte order mark outranks the encoding that a server declares.
"""

from __future__ import annotations

import os
import re
import zlib
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from analytics.files import link_or_copy, named_if_full, read_bytes

if TYPE_CHECKING:
    from datetime import datetime

_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_LEVEL = 6
# A literal may not hold quotes, backslashes, line ends or halves of surrogate pairs. Each is
# written as the mark and the unit with its highest bit turned, which makes it harmless.
_MARK, _TURNED = "\ue000", 0x8000
_UNSAFE = re.compile(f'["\\\\\r\n\u2028\u2029{_MARK}\ud800-\udfff]')
MANIFEST = "manifest.json"


class Manifest(msgspec.Struct):
    """The SHA-256 of each file, and a digest of the inputs of those that can be taken over.

    `as_of` is the cut-off of the figures.
    """

    as_of: str = ""
    files: dict[str, str] = {}
    inputs: dict[str, str] = {}


def read_manifest(site: Path) -> Manifest:
    """Return the manifest of a site; an empty one if it cannot be read, whatever stands there."""
    try:
        return msgspec.json.decode(read_bytes(site / MANIFEST, site), type=Manifest)
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return Manifest()


class Files:
    """Writes the files of a site into `target`, and keeps those of the site in `published`.

    A published file that differs from what was written is not taken over.
    """

    def __init__(self, target: Path, published: Path | None) -> None:
        self._target, self._published = str(target), published and str(published)
        self._before = read_manifest(published) if published else Manifest()
        self._now = Manifest()
        self._folders: set[str] = set()
        self.count = 0
        self.kept_count = 0

    def keep(self, path: str, inputs: str) -> bool:
        """Take over a published file that was made of the same inputs; False if there is none.

        Without inputs, none is taken over.
        """
        if not inputs or self._before.inputs.get(path) != _digest(inputs):
            return False
        source, digest = f"{self._published}/{path}", self._before.files.get(path, "")
        try:
            content = _read(source)
        except OSError:
            return False
        if sha256(content).hexdigest() != digest:
            return False
        link_or_copy(source, self._made(path))
        self._note(path, digest, inputs)
        self.kept_count += 1
        return True

    def write(self, path: str, content: bytes, inputs: str = "") -> None:
        """Write a file that was not taken over; one with `inputs` may be by the next site."""
        if path in self._now.files:
            return
        _write(Path(self._made(path)), content)
        self._note(path, sha256(content).hexdigest(), inputs)

    def finish(self, as_of: datetime) -> None:
        """Write the manifest: the digest of every other file."""
        self._now.as_of = as_of.isoformat()
        content = msgspec.json.encode(self._now, order="sorted")
        _write(Path(self._target, MANIFEST), content)

    def _made(self, path: str) -> str:
        """Return the file, whose folder is there."""
        folder, _, _ = path.rpartition("/")
        if folder not in self._folders:
            Path(self._target, folder).mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        return f"{self._target}/{path}"

    def _note(self, path: str, digest: str, inputs: str) -> None:
        self._now.files[path] = digest
        if inputs:
            self._now.inputs[path] = _digest(inputs)
        self.count += 1


def _digest(inputs: str) -> str:
    return sha256(inputs.encode()).hexdigest()[:16]


def _write(file: Path, content: bytes) -> None:
    with named_if_full(file):
        file.write_bytes(content)


def _read(file: str) -> bytes:
    """Return the bytes of a file; OSError for a link, and empty for what holds none."""
    descriptor = os.open(file, _READ)
    with os.fdopen(descriptor, "rb", buffering=0) as opened:
        return opened.read() or b""


def packed(document: object) -> bytes:
    """Return the script that registers a document; the engine knows it by the file's address."""
    # Digits repeat by chance: to spell them out takes less than to refer back to them.
    pack = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
    content = pack.compress(msgspec.json.encode(document)) + pack.flush()
    units = (content + bytes(len(content) % 2)).decode("utf-16-le", "surrogatepass")
    literal = _UNSAFE.sub(lambda unit: _MARK + chr(ord(unit[0]) ^ _TURNED), units)
    script = f'\ufeffanalytics.add({len(content)}, "{literal}");\n'
    return script.encode("utf-16-le")
