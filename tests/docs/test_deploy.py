"""The files that deploy a fleet: they name what is there, and agree with one another."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs import generate
from tests.docs.pages import ROOT
from tests.docs.test_complete import options
from tests.docs.test_locks import locked

DEPLOY = generate.DOCS / "deploy"
FOLDER, SECRET = "/etc/levain-analytics", "levain-fleet"
FILES = ("fleet-cronjob.yaml", "fleet-rayjob.yaml")


def text_of(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


def pods(value: Any) -> Iterator[dict[str, Any]]:
    """Yield each specification of a pod within a document."""
    if isinstance(value, dict) and "containers" in value:
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from pods(each)


def test_the_script_runs_commands_that_exist() -> None:
    """Each command of `fleet.sh` has the options that it is given."""
    lines = [line for line in text_of("fleet.sh").splitlines() if line.startswith("analytics")]

    assert [line.split()[1:3] for line in lines] == [["fleet", "nightly"], ["fleet", "merge"]]
    for line in lines:
        assert set(re.findall(r"--[a-z-]+", line)) <= options(tuple(line.split()[1:3]))


@pytest.mark.parametrize("name", FILES)
def test_each_pod_has_keys_and_settings(name: str) -> None:
    """Every container reads the keys from the secret, sees the settings, and is not root."""
    found = list(pods(yaml.safe_load(text_of(name))))

    assert found
    for pod in found:
        assert pod["securityContext"]["runAsNonRoot"]
        settings = [each["name"] for each in pod["volumes"] if "configMap" in each]
        for container in pod["containers"]:
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert container["envFrom"] == [{"secretRef": {"name": SECRET}}]
            assert [mounts[each] for each in settings] == [FOLDER]
            assert mounts.keys() == {each["name"] for each in pod["volumes"]}


def test_both_run_the_script() -> None:
    """The job runs `fleet.sh`, on a cluster with the address that the command takes."""
    (pod,) = pods(yaml.safe_load(text_of("fleet-cronjob.yaml")))
    entrypoint = shlex.split(yaml.safe_load(text_of("fleet-rayjob.yaml"))["spec"]["entrypoint"])

    assert pod["containers"][0]["command"] == ["sh", f"{FOLDER}/fleet.sh"]
    assert entrypoint == ["sh", f"{FOLDER}/fleet.sh", "--address", "auto"]
    assert "--address" in options(("fleet", "nightly"))


@pytest.fixture(scope="module")
def cloned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel of the clone."""
    return wheel_of(ROOT, tmp_path_factory.mktemp("cloned"))


def test_an_image_gets_all_that_the_package_is_made_of(cloned: Path, tmp_path: Path) -> None:
    """A wheel of what is copied has the files of one of the clone."""
    for line in re.findall(r"^COPY (.+)$", text_of("Dockerfile"), re.MULTILINE):
        *sources, target = line.split()
        place = tmp_path / target.strip("/")
        for source in sources:
            if (ROOT / source).is_dir():
                shutil.copytree(ROOT / source, place)
            else:
                place.mkdir(exist_ok=True)
                shutil.copy(ROOT / source, place)

    copied = wheel_of(tmp_path / "src", tmp_path / "dist")

    assert files_in(copied) == files_in(cloned)


def wheel_of(folder: Path, to: Path) -> Path:
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", to]
    subprocess.run(build, cwd=folder, check=True, capture_output=True)
    (wheel,) = to.iterdir()
    return wheel


def files_in(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as file:
        return sorted(file.namelist())


def test_the_release_of_ray_is_one() -> None:
    """The cluster is of the release of Ray that the image has."""
    cluster = yaml.safe_load(text_of("fleet-rayjob.yaml"))["spec"]["rayClusterSpec"]

    assert cluster["rayVersion"] == locked("cluster")["ray"][0]
