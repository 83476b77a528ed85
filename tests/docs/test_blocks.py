"""Every code block of the README and of docs/ runs, or is what its language says."""

from __future__ import annotations

import configparser
import json
import os
import re
import shlex
import shutil
import stat
import subprocess
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import duckdb
import pytest
import yaml

from analytics.cli.emulator import command_at
from analytics.emulator.server import Emulator
from analytics.finance.load import read_finance
from analytics.fleet.settings import load_fleet
from analytics.settings import load_settings
from docs import generate
from tests.docs.pages import ROOT, SHOWN_ADDRESS, SHOWN_KEY, Block, blocks, blocks_in, blocks_under

LANGUAGES = {
    *("sh", "sql", "python", "toml", "yaml", "json", "csv", "crontab"),
    "text",  # shows what is printed, and is not run
}
WALKED = "month-end.md"
"""A walk through the demo's data, which tests/cli/test_demo.py takes."""

DEPLOY = generate.DOCS / "deploy"


RESTORED = blocks_under("operations.md", "Restore")
"""Commands that tests/docs/test_backup.py runs."""


def is_run(block: Block) -> bool:
    """True for files, and for commands that the data of a small batch answer."""
    is_elsewhere = block.page.name == WALKED or block in RESTORED
    return (block.language == "sh" or bool(block.file)) and not is_elsewhere


STRANGERS = {"quickstart.md", "extending.md"}
"""Pages whose sections tests/docs/test_stranger.py runs too, which are long."""

SHELLS = [
    pytest.param(
        list(each),
        id=page.name,
        marks=[pytest.mark.long] if page.name in STRANGERS else [],
    )
    for page, each in groupby(filter(is_run, blocks()), lambda block: block.page)
]
INSTRUCTION = re.compile(r"(FROM|ARG|RUN|USER|ENV|VOLUME|ENTRYPOINT|CMD|WORKDIR|COPY) \S")

# Programs that a test must not run for real: each checks its arguments instead.
STANDINS = {
    "analytics": """case "$1" in demo | fleet) set -- "$@" --help ;; esac
exec {} "$@\"""",
    "make": f'exec {shutil.which("make")} --dry-run --directory {shlex.quote(str(ROOT))} "$@"',
    "git": """case "$*" in pull) ;; "clone address "*) mkdir "$3" ;; *) exit 1 ;; esac""",
    "pip": """[ $1 = install ] && shift
case "$*" in duckdb-cli | harlequin | "--no-deps --no-build-isolation .") ;;
"--require-hashes --no-deps -r $4") [ -e "docs/../$4" ] ;; *) exit 1 ;; esac""",
    "docker": """for last; do :; done
[ $1 = run ] || { [ "$1 $2 $last" = "build --file ." ] && [ -e "$3" ]; }""",
    "systemctl": 'for last; do :; done; [ -e "docs/deploy/$last" ]',
    "duckdb": '[ -e "$2" ]',
    "flock": '[ "$1" = --shared ] && [ -e "$2" ] && shift 2 && exec "$@"',
    "ray": '[ "$1" = start ]',
    "kubectl": """case "$1 $2" in "create configmap" | "create secret") exit ;; esac
[ "$2" = --filename ] && [ -e "$3" ]""",
    "harlequin": '[ -e "$2" ]',
}


@pytest.fixture
def shell(
    folder: Path, published: tuple[Path, Emulator], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """The folder, with the stand-ins first on the path, on a machine at the API's time."""
    now = published[1].world.now
    programs = tmp_path / "programs"
    programs.mkdir()
    for name, script in STANDINS.items():
        program = programs / name
        script = script.replace("{}", shlex.join(command_at(now)))
        program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    (folder / "docs").symlink_to(generate.DOCS)
    (folder / ".venv" / "bin").mkdir(parents=True)
    (folder / ".venv" / "bin" / "activate").touch()
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("BROWSER", "true")  # a program that opens nothing
    return folder


def test_each_block_has_a_known_language() -> None:
    """No block is of a language that no test here reads."""
    assert {each.language for each in blocks()} == LANGUAGES


@pytest.mark.parametrize("of_page", SHELLS)
def test_shell_blocks_run(of_page: list[Block], shell: Path) -> None:
    """The files and shell blocks of a page follow one another, and no command fails."""
    for block in of_page:
        if block.file:
            (shell / block.file).parent.mkdir(parents=True, exist_ok=True)
            (shell / block.file).write_text(block.code, encoding="utf-8")
            continue
        done = subprocess.run(
            ["/bin/sh", "-eu"],
            input=block.code.replace(SHOWN_KEY, os.environ["LEVAIN_API_KEY"]).replace(
                SHOWN_ADDRESS, "address"
            ),
            cwd=shell,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    with duckdb.connect("data/analytics.duckdb", read_only=True) as con:
        wrong = con.execute("select file, error from audit.project_files where error is not null")
        assert wrong.fetchall() == []


@pytest.fixture(scope="module")
def client(published: tuple[Path, object]) -> Iterator[duckdb.DuckDBPyConnection]:
    """Any client of the published file."""
    file = published[0] / "data" / "analytics.duckdb"
    with duckdb.connect(file, read_only=True) as con:
        yield con


@pytest.mark.parametrize("block", blocks_in("sql"), ids=str)
def test_sql_blocks_run_in_any_client(block: Block, client: duckdb.DuckDBPyConnection) -> None:
    """A query names the schema of each table, so that it needs no search path."""
    assert client.execute(block.code).description


@pytest.mark.parametrize("block", blocks_in("python"), ids=str)
@pytest.mark.usefixtures("folder")
def test_python_blocks_run(block: Block) -> None:
    """A block runs; one that needs other packages is compiled here, and run by a long test."""
    code = compile(block.code, str(block), "exec")
    if not block.needs:
        exec(code, {"__name__": "__main__"})


@pytest.mark.parametrize("block", blocks_in("toml"), ids=str)
def test_toml_blocks_are_settings(block: Block, tmp_path: Path) -> None:
    """The settings of a block are accepted; a file of finance/ is read without a problem."""
    file = tmp_path / (block.file or "analytics.toml")
    file.parent.mkdir(exist_ok=True)
    file.write_text(block.code, encoding="utf-8")

    assert read_finance(tmp_path).problems == []
    if file.name == "fleet.toml":
        assert load_fleet(file).shards
    else:
        assert block.file or load_settings(config=file).workspaces


@pytest.mark.parametrize(
    "text",
    [*(block.code for block in blocks_in("yaml")), *map(Path.read_text, DEPLOY.glob("*.y*ml"))],
)
def test_yaml_is_yaml(text: str) -> None:
    """A block, and a file of docs/deploy/, is one or several YAML mappings."""
    assert all(isinstance(each, dict) for each in yaml.safe_load_all(text))


@pytest.mark.parametrize("block", blocks_in("json"), ids=str)
def test_json_blocks_are_json(block: Block) -> None:
    """A block is a JSON object."""
    assert isinstance(json.loads(block.code), dict)


@pytest.mark.parametrize(
    ("name", "sections"),
    [
        ("analytics.service", {"Unit", "Service"}),  # the timer starts it, no target
        ("analytics.timer", {"Unit", "Timer", "Install"}),
    ],
)
def test_units_are_units(name: str, sections: set[str]) -> None:
    """A unit of systemd has its sections, and starts a command that exists."""
    unit = configparser.ConfigParser(interpolation=None, delimiters="=", strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]  # names have capitals
    unit.read_string((DEPLOY / name).read_text(encoding="utf-8"))

    assert {*unit.sections()} == sections
    for _, command in unit.items("Service") if unit.has_section("Service") else ():
        if command.startswith("/usr/local/bin/analytics"):
            assert tuple(command.split()[1:2]) in set(generate.commands())


@pytest.mark.parametrize(
    "text",
    [*(block.code for block in blocks_in("crontab")), (DEPLOY / "crontab").read_text()],
    ids=["README", "file"],
)
def test_crontabs_are_crontabs(text: str) -> None:
    """Each line has five fields in cron's ranges, and a command that exists, found by the PATH."""
    path, *lines = [each for each in text.splitlines() if not each.startswith("#")]
    tops = (59, 23, 31, 12, 7)

    for line in lines:
        *times, command = line.split(maxsplit=5)
        for field, top in zip(times, tops, strict=True):
            numbers = field.removeprefix("*/").split(",")
            assert field == "*" or all(0 <= int(each) <= top for each in numbers)
        name = command.partition("&& analytics ")[2].split()[0]
        assert (name,) in set(generate.commands())
    assert lines
    assert path.startswith("PATH=/usr/local/bin:")  # Debian's cron has only /usr/bin:/bin


def test_the_dockerfile_is_one() -> None:
    """Each line is an instruction; the base is pinned, and the last user is not root."""
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()

    assert [line for line in lines if not INSTRUCTION.match(line)] == []
    assert re.fullmatch(r"FROM \S+:\d[\w.-]*", lines[0])
    assert re.findall(r"^USER (\S+)$", text, re.MULTILINE)[-1] not in ("root", "0")
