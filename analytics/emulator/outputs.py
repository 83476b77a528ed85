"""The output of runs: their logs and files, and the events of their sessions.

Logs and files of a planned run are generated from its id on request; a triggered run writes its
own.
"""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any

from analytics.emulator import serialize, texts
from analytics.emulator.chance import seeded
from analytics.emulator.records import Artifact

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from datetime import datetime

    from analytics.emulator.records import Run, Session

MIN_EVENTS, MAX_EVENTS = 5, 30
NODE_RUNNER = "knead.node_runner"
BOOT = {
    "logger": NODE_RUNNER,
    "msg": "BOOT  node agent",
    "event": {"kind": "node_boot", "function": "claude_agent"},
}


def log_events(run: Run) -> list[dict[str, Any]]:
    """Return a run's signal-level log records in order.

    An open planned run has only booted; one that never started has none.
    """
    if run.log is not None:
        return run.log
    if run.started_at is None:
        return []
    rng = seeded("log", run.id)
    moments = [run.started_at]
    if run.finished_at is not None:
        span = run.finished_at - run.started_at
        inner = rng.randint(MIN_EVENTS - 2, MAX_EVENTS - 2)
        moments += sorted(run.started_at + rng.random() * span for _ in range(inner))
        moments.append(run.finished_at)
    bodies = _bodies(run, rng, len(moments))
    return [
        record(run, seq, moment, body)
        for seq, (moment, body) in enumerate(zip(moments, bodies, strict=True), start=1)
    ]


def raw_log(run: Run) -> bytes:
    """Return the log file of an ended run: its whole input, its records, and what was printed.

    The records are JSON lines; the driver of the agent prints plain lines among them.
    """
    opening = {"level": "DEBUG", "msg": f"prompt_full: {run.text}"}
    records = [record(run, 0, run.started_at or run.created_at, opening), *log_events(run)]
    lines: list[bytes] = []
    for line in records:
        lines.append(serialize.encode({name: line[name] for name in line if name != "seq"}))
        lines += [text.encode() for text in _printed(line)]
    return b"".join(line + b"\n" for line in lines)


def artifacts(run: Run) -> list[Artifact]:
    """Return the files that a run has published so far, oldest first."""
    if run.files is not None:
        return run.files
    rng, count = seeded("artifacts", run.id), run.artifact_count
    return [
        Artifact.nth(run.id, number, rng.randint(200, 90_000), run.finished_at)
        for number in range(1, count + 1)
    ]


def session_events(session: Session) -> list[dict[str, Any]]:
    """Return the events of a session, in order of `seq`, which counts from 1."""
    happened: list[tuple[datetime, int, Run, str, dict[str, Any]]] = []
    for run in session.runs:
        asked = {"text": run.text, "source": run.source}
        happened.append((run.created_at, 0, run, "user_message", asked))
        if run.started_at:
            happened.append((run.started_at, 1, run, "status", {"status": "running"}))
        for step, (moment, text) in enumerate(run.steps or (), 1):
            happened.append((moment, 2, run, "step", {"step": step, "text": text}))
        if run.finished_at and run.status == "succeeded":
            answer = {"text": texts.thought(seeded("answer", run.id))}
            happened.append((run.finished_at, 3, run, "assistant_message", answer))
        if run.finished_at:
            happened.append((run.finished_at, 4, run, "status", {"status": run.status}))
    happened.sort(key=itemgetter(0, 1))
    return [
        {
            "seq": seq,
            "type": kind,
            "run_id": run.id,
            "created_at": serialize.timestamp(moment),
            **more,
        }
        for seq, (moment, _, run, kind, more) in enumerate(happened, 1)
    ]


def record(run: Run, seq: int, moment: datetime, body: dict[str, Any]) -> dict[str, Any]:
    """Return a log record with this body."""
    return {
        "seq": seq,
        "ts": moment.timestamp(),
        "level": "INFO",
        "logger": "knead",
        "run_id": run.id,
        "session_id": run.session.id,
        "workspace_id": run.workspace.id,
        "agent_id": run.agent and run.agent.id,
        "agent_version_id": run.version and run.version.id,
        "node": "agent",
        **body,
    }


def _printed(line: dict[str, Any]) -> list[str]:
    """Return the plain lines that follow a record."""
    match line.get("event"):
        case {"kind": "node_boot"}:
            return [f"MCP_DISCOVER {len(texts.TOOLS)} tools"]
        case {"kind": "tool_use", "tool_name": tool, "tool_use_id": use}:
            return [f"TOOL {tool} {use}"]
        case {"kind": "tool_result", "is_error": True, "tool_use_id": use}:
            return [f"TOOL_ERROR {use}"]
    return []


def _bodies(run: Run, rng: random.Random, length: int) -> Iterator[dict[str, Any]]:
    yield BOOT
    tool: str | None = None
    for n in range(1, length - 1):
        if tool is not None:
            yield tool_result(rng, n - 1, tool, is_error=rng.random() < 0.08)
            tool = None
        elif rng.random() < 0.35:
            text = texts.thought(rng)
            yield {"msg": f"THINK  {text}", "event": {"kind": "thinking", "text": text}}
        else:
            tool = rng.choice(texts.TOOLS)
            yield tool_use(rng, n, tool)
    if length > 1:
        yield ending(run)


def tool_use(rng: random.Random, n: int, tool: str) -> dict[str, Any]:
    """Return the body of the record of a run's nth tool use."""
    query = texts.prompt(rng)
    return {
        "msg": f"TOOL  {tool} {query}",
        "event": {
            "kind": "tool_use",
            "tool_use_id": f"toolu_{n}",
            "tool_name": tool,
            "input": {"query": query},
        },
    }


def tool_result(rng: random.Random, n: int, tool: str, *, is_error: bool) -> dict[str, Any]:
    """Return the body of the record of the nth tool result."""
    preview = texts.prompt(rng)[:200]
    return {
        "level": "WARNING" if is_error else "INFO",
        "msg": f"RESULT  {tool} {preview}",
        "duration_ms": rng.randint(20, 9_000),
        "event": {
            "kind": "tool_result",
            "tool_use_id": f"toolu_{n}",
            "is_error": is_error,
            "size_bytes": rng.randint(2, 40_000),
            "preview": preview,
        },
    }


def ending(run: Run) -> dict[str, Any]:
    """Return the body of the last record of an ended run."""
    if run.status == "failed":
        return {"level": "ERROR", "logger": NODE_RUNNER, "msg": f"FAILED  {run.error}"}
    if run.status == "cancelled":
        reason = f"CANCELLED  by {run.cancelled_by}"
        return {"level": "WARNING", "logger": NODE_RUNNER, "msg": reason}
    return {"logger": NODE_RUNNER, "msg": "DONE  finished"}
