"""The API's records: JSON in which money keeps every digit."""

from __future__ import annotations

from dataclasses import asdict
from operator import attrgetter
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from analytics.emulator.lies import Lies
    from analytics.emulator.records import (
        Agent,
        Artifact,
        ProviderKey,
        Run,
        Schedule,
        Session,
        Version,
        Webhook,
    )

ARTIFACTS_LISTED = 1000  # at most, of a run that has more

encode = msgspec.json.Encoder(decimal_format="number").encode


def timestamp(moment: datetime | None) -> str | None:
    """Return an instant in the format of records, as Python prints it: with an offset."""
    return moment.isoformat() if moment else None


def instant(moment: datetime) -> str:
    """Return an instant in the format of analytics: with a Z."""
    return moment.isoformat().replace("+00:00", "Z")


def encode_run(lies: Lies, run: Run) -> bytes:
    """Return a run's JSON; the true one is kept until the run changes."""
    if lies:
        return encode(*lies.alter("runs", [_run(run)], workspace_id=run.workspace.id))
    if run.encoded is None:
        run.encoded = encode(_run(run))
    return run.encoded


def encode_runs(lies: Lies, runs: Iterable[Run]) -> bytes:
    """Return the JSON array of runs."""
    return b"[%b]" % b",".join([encode_run(lies, run) for run in runs])


def agent_record(agent: Agent) -> dict[str, Any]:
    """Return an agent's record."""
    draft = next((v.number for v in agent.versions if v.status == "draft"), None)
    return {
        "id": agent.id,
        "name": agent.name,
        "slug": agent.slug,
        "description": agent.description,
        "status": agent.status,
        "config": {
            "max_budget": agent.max_budget,
            "timeout_minutes": agent.timeout_minutes,
            "notify_on_run": agent.notify_on_run,
        },
        "created_at": timestamp(agent.created_at),
        "updated_at": timestamp(agent.updated_at),
        "draft_version": draft,
    }


def version_record(agent: Agent, version: Version) -> dict[str, Any]:
    """Return a version's record.

    An active version was updated when it was published. One that was replaced by another keeps that
    time; one that was archived by hand was updated then.
    """
    return {
        "id": version.id,
        "agent_id": agent.id,
        "version": version.number,
        "description": version.description,
        "status": version.status,
        "parent_version": version.parent,
        "created_at": timestamp(version.created_at),
        "updated_at": timestamp(version.updated_at or version.created_at),
        "last_commit_at": timestamp(version.last_commit_at),
    }


def session_record(session: Session, now: datetime, events: list[dict[str, Any]]) -> dict[str, Any]:
    """Return a session's record with the events given."""
    last = session.runs[-1]
    state = "terminated" if session.terminated_at else "active" if last.is_open else "idle"
    return {
        "id": session.id,
        "agent_id": session.agent and session.agent.id,
        "agent_version_id": session.version and session.version.id,
        "state": state,
        "created_at": timestamp(session.created_at),
        "last_activity_at": timestamp(now if last.is_open else last.finished_at),
        "terminated_at": timestamp(session.terminated_at),
        "rounds": [],
        "events": events,
    }


def artifact_list(files: list[Artifact]) -> dict[str, Any]:
    """Return the list of a run's files; beyond the cap, the last names are omitted."""
    names = sorted(files, key=attrgetter("filename"))
    listed = {file.key for file in names[:ARTIFACTS_LISTED]}
    return {
        "artifacts": [
            {**asdict(file), "created_at": timestamp(file.created_at)}
            for file in files
            if file.key in listed
        ],
        "truncated": len(files) > ARTIFACTS_LISTED,
    }


def key_record(key: ProviderKey) -> dict[str, Any]:
    """Return the record of a provider key, without its secret."""
    return {
        "key_id": key.id,
        "provider": key.provider,
        "created_at": timestamp(key.created_at),
        "last_four": key.last_four,
    }


def schedule_record(schedule: Schedule) -> dict[str, Any]:
    """Return a schedule's record."""
    version = schedule.agent.active_version  # the one that its next run rides on
    return {
        "id": schedule.id,
        "agent_id": schedule.agent.id,
        "agent_version_id": version and version.id,
        "cron_expr": schedule.cron_expr,
        "timezone": schedule.timezone,
        "prompt": schedule.given.prompt,
        "initial_state": schedule.given.initial_state,
        "enabled": schedule.enabled,
        "next_fire_at": timestamp(schedule.next_fire_at),
        "last_fired_at": timestamp(schedule.last_fired_at),
        "last_run_id": schedule.last_run_id,
        "created_at": timestamp(schedule.created_at),
    }


def webhook_record(agent: Agent, webhook: Webhook, base_url: object) -> dict[str, Any]:
    """Return an agent's webhook, with the URL that has its secret."""
    return {
        "id": webhook.id,
        "agent_id": agent.id,
        "url": f"{base_url}api/v1/webhooks/{webhook.id}/{webhook.secret}",
        "created_at": timestamp(webhook.created_at),
    }


def _run(run: Run) -> dict[str, Any]:
    totals = run.totals
    record = {
        "id": run.id,
        "status": run.status,
        "cost_usd": totals.cost_usd,
        "tokens_in": totals.tokens_in,
        "tokens_out": totals.tokens_out,
        "started_at": timestamp(run.started_at),
        "finished_at": timestamp(run.finished_at),
        "error": run.error,
        "agent_id": run.agent and run.agent.id,
        "agent_version_id": run.version and run.version.id,
        "agent_version": run.version and run.version.number,
        "parent_run_id": run.parent_run_id,
        "session_id": run.session.id,
        "user_prompt": run.user_prompt,
        "created_at": timestamp(run.created_at),
        "kind": run.kind,
        "artifact_count": min(run.artifact_count, ARTIFACTS_LISTED),
        "artifact_count_truncated": run.artifact_count > ARTIFACTS_LISTED,
    }
    if run.platform_agent:
        record |= {
            "platform_agent_id": run.platform_agent.id,
            "platform_agent_slug": run.platform_agent.slug,
            "platform_agent_name": run.platform_agent.name,
        }
    return record
