"""Audit the locked dependencies: `python .ci/audit.py PIP_AUDIT LOCK...`.

Exit 1 names each known vulnerability, exit 2 the reason why it is not known whether there are any:
a package that was not asked about counts as not audited, never as sound.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

_ARGUMENTS = ("--vulnerability-service", "osv", "--format", "json", "--progress-spinner", "off")


def main(pip_audit: str, *locks: str) -> int:
    """Run pip-audit on locked requirements, print its findings, and return the exit code.

    It does not follow a lock to those with which that begins.
    """
    command = [pip_audit, *_ARGUMENTS, "--require-hashes", "--disable-pip"]
    for lock in locks:
        command += ["--requirement", lock]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        packages: list[dict[str, Any]] = json.loads(done.stdout)["dependencies"]
    except (ValueError, LookupError):
        *_, reason = done.stderr.strip().splitlines() or ["it printed nothing"]
        print(f"error: nothing was audited: {reason}", file=sys.stderr)
        return 2
    skipped = [each for each in packages if "skip_reason" in each]
    found = [(each, flaw) for each in packages for flaw in each.get("vulns", ())]
    for package, flaw in found:
        names = ", ".join([flaw["id"], *flaw.get("aliases", ())])
        mended = " or ".join(flaw["fix_versions"]) or "no release yet"
        print(f"{package['name']} {package['version']}: {names}; mended in {mended}")
    if skipped or not packages:
        reason = skipped[0]["skip_reason"] if skipped else "there are none"
        print(
            f"error: {len(skipped)} of {len(packages)} packages were not audited: {reason}",
            file=sys.stderr,
        )
        return 2
    if found:
        return 1
    print(f"No known vulnerability in {len(packages)} locked packages.")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
