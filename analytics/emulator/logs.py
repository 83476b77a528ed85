"""Log events, session events and artifacts, made from a run's id when they are asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from analytics.emulator import texts, wire
from analytics.emulator.chance import seeded

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from datetime import datetime

    from analytics.emulator.records import Run, Session

MIN_EVENTS, MAX_EVENTS = 5, 30


def log_events(run: Run) -> list[dict[str, Any]]:
    """Return a run's signal-level log records in order.

    A run that works has only booted so far; one that never started has none.
    """
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
        _record(run, seq, moment, body)
        for seq, (moment, body) in enumerate(zip(moments, bodies, strict=True), start=1)
    ]


def session_events(session: Session) -> list[dict[str, Any]]:
    """Return what happened in a session, in order of `seq`, which counts from 1."""
    events: list[dict[str, Any]] = []

    def append(moment: datetime, kind: str, run: Run, **more: object) -> None:
        events.append(
            {
                "seq": len(events) + 1,
                "type": kind,
                "run_id": run.id,
                "created_at": wire.timestamp(moment),
                **more,
            }
        )

    for run in session.runs:
        append(run.created_at, "user_message", run, text=run.user_prompt)
        if run.started_at:
            append(run.started_at, "status", run, status="running")
        if run.finished_at:
            if run.status == "succeeded":
                rng = seeded("answer", run.id)
                append(run.finished_at, "assistant_message", run, text=texts.thought(rng))
            append(run.finished_at, "status", run, status=run.status)
    return events


def artifacts(run: Run) -> list[dict[str, Any]]:
    """Return the files that a run published, oldest first."""
    rng = seeded("artifacts", run.id)
    return [
        {
            "key": f"{run.id}/{n}",
            "filename": f"report-{n}.md",
            "size_bytes": rng.randint(200, 90_000),
            "content_type": "text/markdown",
            "created_at": wire.timestamp(run.finished_at),
        }
        for n in range(1, run.artifact_count + 1)
    ]


def _record(run: Run, seq: int, moment: datetime, body: dict[str, Any]) -> dict[str, Any]:
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


def _bodies(run: Run, rng: random.Random, length: int) -> Iterator[dict[str, Any]]:
    yield {
        "logger": "knead.node_runner",
        "msg": "BOOT  node agent",
        "event": {"kind": "node_boot", "function": "claude_agent"},
    }
    tool: str | None = None
    for n in range(1, length - 1):
        if tool is not None:
            yield _tool_result(rng, n, tool)
            tool = None
        elif rng.random() < 0.35:
            text = texts.thought(rng)
            yield {"msg": f"THINK  {text}", "event": {"kind": "thinking", "text": text}}
        else:
            tool = rng.choice(texts.TOOLS)
            yield _tool_use(rng, n, tool)
    if length > 1:
        yield _last(run)


def _tool_use(rng: random.Random, n: int, tool: str) -> dict[str, Any]:
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


def _tool_result(rng: random.Random, n: int, tool: str) -> dict[str, Any]:
    is_error = rng.random() < 0.08
    preview = texts.prompt(rng)[:200]
    return {
        "level": "WARNING" if is_error else "INFO",
        "msg": f"RESULT  {tool} {preview}",
        "duration_ms": rng.randint(20, 9_000),
        "event": {
            "kind": "tool_result",
            "tool_use_id": f"toolu_{n - 1}",
            "is_error": is_error,
            "size_bytes": rng.randint(2, 40_000),
            "preview": preview,
        },
    }


def _last(run: Run) -> dict[str, Any]:
    if run.status == "failed":
        return {"level": "ERROR", "logger": "knead.node_runner", "msg": f"FAILED  {run.error}"}
    if run.status == "cancelled":
        return {"level": "WARNING", "logger": "knead.node_runner", "msg": "CANCELLED  by the user"}
    return {"logger": "knead.node_runner", "msg": "DONE  finished"}
