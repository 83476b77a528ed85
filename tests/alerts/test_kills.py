"""A batch that is killed at any time sends no finding twice, and loses none without a word."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import IOBase
from pathlib import Path
from typing import Any
from unittest import mock

from analytics.alerts.delivery import deliver
from analytics.alerts.found import Found
from analytics.alerts.ledger import Ledger
from analytics.alerts.sender import Address, Sender, addresses
from analytics.custom.findings import Finding
from analytics.custom.process import Process
from tests.alerts.webhook import Webhook
from tests.batches import Killed

BATCHES = (
    {"costs": (1, 2), "fails": (1,)},
    {"costs": (1, 2), "fails": (1,)},
    {"costs": (2, 3), "fails": (1,)},
    {"costs": (1, 2, 3), "fails": ()},
)
"""The findings of each batch: one goes, and comes back."""

TIMES = Counter({"costs 1": 2, "costs 2": 1, "costs 3": 1, "fails 1": 1})
"""How often each of them is new."""

CALLS = ((os, "fsync"), (Path, "open"), (Path, "replace"), (Process, "ask"), (Process, "answer"))
"""The steps of sending; a batch may end before and after each."""


def found_by(batch: dict[str, tuple[int, ...]]) -> Found:
    findings = [
        Finding(
            alert, alert, "info", number, len(numbers), f"{alert} {number}", f"{alert} {number}"
        )
        for alert, numbers in batch.items()
        for number in numbers
    ]
    return Found({each.id: each for each in findings}, dict.fromkeys(batch, True))


@contextmanager
def killed_at(step: int) -> Iterator[list[int]]:
    """Raise Killed before (odd) or after (even) a call; yield the number of steps so far."""
    seen = [0]

    def take_step() -> None:
        seen[0] += 1
        if seen[0] == step:
            raise Killed

    def counted(original: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            take_step()
            with ExitStack() as left_open:
                result = original(*args, **options)
                if isinstance(result, IOBase):
                    left_open.enter_context(result)
                take_step()
                left_open.pop_all()
            return result

        return call

    with ExitStack() as patches:
        for owner, name in CALLS:
            call = counted(getattr(owner, name))
            patches.enter_context(mock.patch.object(owner, name, call))
        yield seen


def heard_out(sender: Sender) -> None:
    """Read what a process has to say that a killed batch did not wait for."""
    process = sender._process
    assert process
    process.ask({"url": "none", "title": "", "body": "", "severity": "info"})
    while b"no such address" not in (process.answer(60) or b"no such address"):
        pass


def test_a_killed_process_leaves_word(tmp_path: Path, hook: Webhook, sender: Sender) -> None:
    """After a SIGKILL while the webhook has the message, the next batch tells it, and no more."""
    hook.status = 0
    script = (
        "import sys; from pathlib import Path\n"
        "from analytics.alerts.delivery import deliver\n"
        "from analytics.alerts.ledger import Ledger\n"
        "from analytics.alerts.sender import Sender, addresses\n"
        "from tests.alerts.test_kills import found_by\n"
        "with Sender({}) as sender:\n"
        "    deliver(Ledger(Path(sys.argv[1])), found_by({'costs': (1,)}), addresses(sys.argv[2:]),"
        " sender.send, print)\n"
    )
    file, url = tmp_path / "alerts.json", hook.address()
    root = Path(__file__).parents[2]
    with subprocess.Popen([sys.executable, "-c", script, file, url], cwd=root) as batch:
        assert hook.has_received.wait(120)
        batch.kill()
    hook.status = 200
    told: list[str] = []
    for _ in range(2):
        found = found_by({"costs": (1,)})
        deliver(Ledger(file), found, addresses([url]), sender.send, told.append)

    assert len(hook.received) == 1
    (word,) = told
    assert word.startswith("alert costs: 1 finding may not have been delivered, as a batch was")


def test_a_kill_sends_nothing_twice(tmp_path: Path, hook: Webhook, sender: Sender) -> None:
    """Killed at each of over 200 steps, a batch and its repeat send each finding at most once.

    What did not arrive is told.
    """
    receivers = addresses([hook.address("one"), hook.address("two")])
    sender.start()
    step = 0
    while True:
        step += 1
        hook.received.clear()
        told: list[str] = []
        with killed_at(step) as steps:
            was_killed = _lived(tmp_path / f"{step}.json", sender, receivers, told)
        arrived = hook.findings
        for path in ("one", "two"):
            of_path = Counter({text: arrived[path, text] for text in TIMES})
            assert of_path <= TIMES, step
            for lost in TIMES - of_path:
                word = f"alert {lost.split()[0]}: "
                assert any(word in each and "may not have been" in each for each in told), step
        if not was_killed:
            break

    assert (told, steps[0]) == ([], step - 1)
    assert step > 200


def _lived(file: Path, sender: Sender, receivers: list[Address], told: list[str]) -> bool:
    """Run all batches, and one anew that was killed; True if one was."""
    was_killed = False
    for batch in BATCHES:
        try:
            deliver(Ledger(file), found_by(batch), receivers, sender.send, told.append)
        except Killed:
            was_killed = True
            heard_out(sender)
            deliver(Ledger(file), found_by(batch), receivers, sender.send, told.append)
    return was_killed
