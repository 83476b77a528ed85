"""The locks of requirements/: all that is installed is of one, by its hash, and in a wheel."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from importlib.metadata import requires
from typing import Any

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.docs.pages import ROOT, blocks_in

FOLDER = ROOT / "requirements"
LOCKS = sorted(path.stem for path in FOLDER.iterdir())
WITHOUT_WHEELS = {"fleet-tests": ["pyspark-client"]}
DOCKERFILE = ROOT / "docs" / "deploy" / "Dockerfile"
INSTALLING = (DOCKERFILE, ROOT / "Makefile", ROOT / "setup.sh")
OTHERS = {"duckdb-cli", "harlequin"}
"""Programs of others that the docs install beside ours."""

_LINE = re.compile(
    r"-r (?P<begins>[\w-]+)\.lock|--(?P<option>only|no)-binary (?P<of>\S+)"
    r"|(?P<name>[a-z0-9.-]+)==(?P<version>\S+)(?: ; (?P<marker>.+?))? \\"
    r"|    --hash=sha256:(?P<hash>[0-9a-f]{64})( \\)?"
)
_INSTALL = re.compile(r"\bpip install ([^|&;\n]+)")
with (ROOT / "pyproject.toml").open("rb") as _file:
    PROJECT: dict[str, Any] = tomllib.load(_file)


Releases = dict[str, list[str]]
"""By the name of a package, its releases: of several, each is of other environments."""


def lines_of(lock: str) -> list[re.Match[str]]:
    text = (FOLDER / f"{lock}.lock").read_text(encoding="utf-8")
    found = [(line, _LINE.fullmatch(line)) for line in text.splitlines() if line]

    assert [line for line, match in found if not match] == []
    return [match for _, match in found if match]


def own(lock: str, *, here: bool = False) -> Releases:
    """Return the releases that a lock adds to those that it begins with; or those for `here`."""
    releases: Releases = {}
    for line in lines_of(lock):
        is_of = not here or not line["marker"] or Marker(line["marker"]).evaluate()
        if line["name"] and is_of:
            releases.setdefault(line["name"], []).append(line["version"])
    return releases


def locked(lock: str) -> Releases:
    """Return all releases that a lock installs here."""
    begins = [line["begins"] for line in lines_of(lock) if line["begins"]]
    return {name: each for of in (*begins, lock) for name, each in own(of, here=True).items()}


def needed(requirements: list[str]) -> Iterator[Requirement]:
    """Yield what requirements need here, and what that needs, each once."""
    waiting, seen = [Requirement(each) for each in requirements], set[str]()
    while waiting:
        each = waiting.pop()
        if str(each) in seen:
            continue
        seen.add(str(each))
        yield each
        for text in requires(each.name) or ():
            more = Requirement(text)
            extras = [{"extra": extra} for extra in ("", *each.extras)]
            if not more.marker or any(map(more.marker.evaluate, extras)):
                waiting.append(more)


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_hashes_and_wheels_alone(lock: str) -> None:
    """A lock names releases and their hashes, no index and no host, and takes no source."""
    lines = lines_of(lock)
    places = [place for place, line in enumerate(lines) if line["name"]]
    options = [(line["option"], line["of"]) for line in lines if line["option"]]

    assert places
    assert all(lines[place + 1]["hash"] for place in places)
    assert options == [("only", ":all:"), *(("no", name) for name in WITHOUT_WHEELS.get(lock, ()))]


def test_locks_have_one_release_of_a_package() -> None:
    """What several locks add is the same release in all of them."""
    releases: dict[str, set[tuple[str, ...]]] = {}
    for lock in LOCKS:
        for name, found in own(lock).items():
            releases.setdefault(name, set()).add(tuple(found))

    assert {name: found for name, found in releases.items() if len(found) > 1} == {}


@pytest.mark.parametrize("lock", ["runtime", "alerts", "emulator", "dev"])
def test_a_lock_has_all_that_is_needed(lock: str) -> None:
    """No requirement of the package, an extra or a group is left to resolve."""
    project, groups = PROJECT["project"], PROJECT["dependency-groups"]
    of_lock = {**project["optional-dependencies"], **groups}.get(lock, [])
    releases = {canonicalize_name(name): found for name, found in locked(lock).items()}
    for each in needed([*project["dependencies"], *groups["build"], *of_lock]):
        (version,) = releases.get(canonicalize_name(each.name), [""])
        assert version, each
        assert each.specifier.contains(version), each


def test_each_extra_and_group_has_a_lock() -> None:
    """A lock is named for what it adds; the package builds with what `runtime` has."""
    names = {*PROJECT["project"]["optional-dependencies"], *PROJECT["dependency-groups"]}

    assert {*LOCKS} == names - {"build"} | {"runtime"}
    assert "hatchling" in own("runtime")


def installs() -> Iterator[tuple[str, list[str]]]:
    """Yield the arguments of each command that installs something, with the name of its file."""
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in INSTALLING]
    texts += [(block.page.name, block.code) for block in blocks_in("sh")]
    for name, text in texts:
        for found in _INSTALL.findall(text.replace("\\\n", "")):
            yield name, shlex.split(found)


def test_nothing_is_installed_that_is_not_locked() -> None:
    """An install is of a lock, by hash, or of the clone, which looks for nothing it would need."""
    ways = dict[str, set[str]]()
    for name, arguments in installs():
        of = arguments[-1]
        if "--require-hashes" in arguments:
            assert {"--no-deps", "-r"} <= {*arguments}, name
            ways.setdefault(name, set()).add("lock")
        elif of not in OTHERS:
            assert {"--no-deps", "--no-build-isolation"} <= {*arguments}, (name, arguments)
            assert of in (".", "/src"), name
            ways.setdefault(name, set()).add("clone")

    both = {"lock", "clone"}
    assert ways == {
        "Dockerfile": both, "Makefile": {"lock"}, "setup.sh": both, "operations.md": both,
        "fleet.md": both, "assistant.md": {"lock"},
    }  # fmt: skip


def test_an_image_runs_no_other_installer() -> None:
    """Commands of the Dockerfile are pip, a package of Debian's, and what makes user and folder."""
    text = re.sub(r"\\\n\s*", "", DOCKERFILE.read_text(encoding="utf-8"))
    commands = [
        shlex.split(each)
        for line in re.findall(r"^RUN (.+)$", text, re.MULTILINE)
        for each in re.split(r"&&|;|\bthen\b", line)
        if each.strip()
    ]
    programs = {words[0] for words in commands}
    debian = [words[-1] for words in commands if words[:2] == ["apt-get", "install"]]

    assert programs == {"pip", "if", "apt-get", "rm", "fi", "useradd", "install"}
    assert debian == ["wget"]


def test_each_lock_is_audited() -> None:
    """`make audit` names every lock, and `make lock` makes every one."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    script = (ROOT / ".ci" / "lock").read_text(encoding="utf-8")

    assert "LOCKS := $(wildcard requirements/*.lock)" in makefile
    assert re.search(r"^\t@\S+ \.ci/audit\.py \S+ \$\(LOCKS\)$", makefile, re.MULTILINE)
    assert sorted(re.findall(r"^lock ([\w-]+) ", script, re.MULTILINE)) == LOCKS
