"""Data files: scripts that register a compressed JSON document, as a page from disk loads no other.

The script is UTF-16, of which each unit holds two bytes of the document: it grows by 3 %, where
base64 would add 33 %. Its byte order mark outranks the encoding that a server declares.
"""

from __future__ import annotations

import re
import zlib

import msgspec

_LEVEL = 6
# A literal may not hold quotes, backslashes, line ends or halves of surrogate pairs. Each is
# written as the mark and the unit with its highest bit turned, which makes it harmless.
_MARK, _TURNED = "\ue000", 0x8000
_UNSAFE = re.compile(f'["\\\\\r\n\u2028\u2029{_MARK}\ud800-\udfff]')


def packed(document: object) -> bytes:
    """Return the script that registers a document; the engine knows it by the file's address."""
    # Digits repeat by chance: to spell them out takes less than to refer back to them.
    pack = zlib.compressobj(_LEVEL, strategy=zlib.Z_FILTERED)
    content = pack.compress(msgspec.json.encode(document)) + pack.flush()
    units = (content + bytes(len(content) % 2)).decode("utf-16-le", "surrogatepass")
    literal = _UNSAFE.sub(lambda unit: _MARK + chr(ord(unit[0]) ^ _TURNED), units)
    script = f'\ufeffanalytics.add({len(content)}, "{literal}");\n'
    return script.encode("utf-16-le")
