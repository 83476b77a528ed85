from __future__ import annotations

import base64
import hashlib
import json
import re

import pytest

from analytics.report.files.rendering import CONTENT_SECURITY_POLICY
from tests.report.pages import Site


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


@pytest.fixture(scope="module")
def library(site: Site) -> str:
    """The plotly.js that the site ships."""
    return (site.folder / "assets" / "plotly.min.js").read_text("utf-8")


def test_the_policy_is_the_first_thing_after_the_encoding(site: Site) -> None:
    """Every page states the policy before anything that it governs."""
    for page in site.pages:
        encoding, policy, *_ = page.root.all("meta")
        assert encoding.attributes == {"charset": "utf-8"}
        assert policy.attributes["content"] == CONTENT_SECURITY_POLICY
        head = page.source.index("<head>")
        assert page.source.index("<meta http-equiv") < page.source.index("<link")
        assert page.source[head:].split(">", 2)[1].strip().startswith("<meta charset")


def test_the_policy_allows_nothing_unsafe() -> None:
    """The policy begins with nothing and holds no unsafe word and no host."""
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none';")
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert not re.search(r"https?:|\*", CONTENT_SECURITY_POLICY)


def test_the_style_hashes_are_those_of_the_shipped_library(library: str) -> None:
    """The two hashes allow the style elements that this plotly.js makes, and no other."""
    literals = re.findall(r"\.textContent='((?:[^'\\]|\\.)*)'", library)
    styles = {
        "",
        *(json.loads(f'"{literal.replace(chr(34), chr(92) + chr(34))}"') for literal in literals),
    }

    assert {_hash(style) for style in styles} == set(
        re.findall("'sha256-[^']+'", CONTENT_SECURITY_POLICY)
    )


def _scripts(site: Site) -> str:
    files = sorted((site.folder / "assets").glob("*.js"))
    return "".join(file.read_text("utf-8") for file in files if file.name != "plotly.min.js")


def test_no_button_hands_a_figure_to_another_site(site: Site) -> None:
    """The script draws every chart without a mode bar and without an address to share it with."""
    script = _scripts(site)

    assert "displayModeBar: false" in script
    assert "showSendToCloud: false" in script
    assert 'plotlyServerURL: ""' in script


def test_the_script_writes_no_markup(site: Site) -> None:
    """The script never turns a text into markup or code."""
    script = _scripts(site)

    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script)
