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
CRON_JOBS = ("cronjob.yaml", "fleet-cronjob.yaml")
VOLUMES = {
    "configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim",
    "projected", "secret",
}  # fmt: skip
"""Sorts of volumes that Pod Security "restricted" admits."""


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
    """Every container reads the keys from the secret, and sees the settings."""
    found = list(pods(yaml.safe_load(text_of(name))))

    assert found
    for pod in found:
        settings = [each["name"] for each in pod["volumes"] if "configMap" in each]
        for container in pod["containers"]:
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert container["envFrom"] == [{"secretRef": {"name": SECRET}}]
            assert [mounts[each] for each in settings] == [FOLDER]
            assert mounts.keys() == {each["name"] for each in pod["volumes"]}


@pytest.mark.parametrize("name", ["cronjob.yaml", *FILES])
def test_each_pod_is_restricted(name: str) -> None:
    """Pod Security "restricted" admits each pod, which takes no more of the node than it says."""
    found = list(pods(list(yaml.safe_load_all(text_of(name)))))

    assert found
    for pod in found:
        assert not {"hostNetwork", "hostPID", "hostIPC", "hostUsers"} & pod.keys()
        context = pod["securityContext"]
        assert (context["runAsNonRoot"], context["runAsUser"] > 0) == (True, True)
        assert context["seccompProfile"] == {"type": "RuntimeDefault"}
        assert {key for each in pod["volumes"] for key in each if key != "name"} <= VOLUMES
        for container in [*pod["containers"], *pod.get("initContainers", ())]:
            may = container["securityContext"]
            assert may["allowPrivilegeEscalation"] is False
            assert may["capabilities"] == {"drop": ["ALL"]}
            assert not {"privileged", "procMount", "seccompProfile", "runAsUser"} & may.keys()
            for amounts in ("requests", "limits"):
                assert container["resources"][amounts].keys() == {"cpu", "memory"}


@pytest.mark.parametrize("name", CRON_JOBS)
def test_a_cron_job_writes_to_its_volumes_alone(name: str) -> None:
    """The root is read-only; files that a batch makes and forgets have a folder of the pod's."""
    for pod in pods(list(yaml.safe_load_all(text_of(name)))):
        temporary = [each["name"] for each in pod["volumes"] if "emptyDir" in each]
        for container in pod["containers"]:
            mounts = {each["name"]: each["mountPath"] for each in container["volumeMounts"]}
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert [mounts[each] for each in temporary] == ["/tmp"]


def test_the_service_may_do_little() -> None:
    """What systemd says a unit exposes, of ten, is at most two for the one of the batch."""
    if not shutil.which("systemd-analyze"):
        pytest.skip("systemd is not installed")
    command = ("systemd-analyze", "security", "--offline=true", "--threshold=20", "--no-pager")
    done = subprocess.run(
        [*command, DEPLOY / "analytics.service"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr


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
