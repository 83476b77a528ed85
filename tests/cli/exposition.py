"""A strict reader of the Prometheus text format, as far as gauges need it."""

from __future__ import annotations

import re
from decimal import Decimal

Samples = dict[tuple[tuple[str, str], ...], Decimal]
"""The value of each sample by its labels, which are sorted."""

_NAME = r"[a-zA-Z_][a-zA-Z0-9_]*"
_VALUE = r'"((?:[^"\\\n]|\\[\\"n])*)"'
_LABEL = re.compile(rf"({_NAME})={_VALUE}(,|$)")
_SAMPLE = re.compile(rf"({_NAME})(?:\{{(.*)\}})? (-?[0-9]+(?:\.[0-9]+)?)")
_ESCAPES = {r"\\": "\\", r"\"": '"', r"\n": "\n"}


def families(text: str) -> dict[str, Samples]:
    """Return the samples of each gauge; AssertionError for what the format does not allow.

    A family is one block: HELP, TYPE, and at least one sample, no two with the same labels.
    """
    assert text.endswith("\n")
    found: dict[str, Samples] = {}
    lines = text.removesuffix("\n").split("\n")
    while lines:
        name = re.fullmatch(rf"# HELP ({_NAME}) [^\\]+", lines.pop(0))[1]  # type: ignore[index]
        assert lines.pop(0) == f"# TYPE {name} gauge"
        assert name not in found
        found[name] = {}
        while lines and not lines[0].startswith("#"):
            sample = _SAMPLE.fullmatch(lines.pop(0))
            assert sample is not None
            assert sample[1] == name
            labels = tuple(sorted(_labels(sample[2] or "")))
            assert labels not in found[name]
            found[name][labels] = Decimal(sample[3])
        assert found[name]
    return found


def _labels(text: str) -> list[tuple[str, str]]:
    labels = []
    while text:
        label = _LABEL.match(text)
        assert label is not None, text
        value = re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], label[2])
        labels.append((label[1], value))
        text = text[label.end() :]
    assert len({name for name, _ in labels}) == len(labels)
    return labels
