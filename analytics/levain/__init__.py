"""A client of the Levain API, usable on its own: typed records, exact money, one error tree.

>>> from analytics.levain import Levain
>>> with Levain(api_key, api) as levain:
...     for agent in levain.agents.list():
...         print(agent.slug, agent.status)
support-triage active
"""

from analytics.levain.client import AsyncLevain
from analytics.levain.errors import (
    AnswerBrokenError,
    ConnectionFailedError,
    DownloadFailedError,
    LevainError,
    NotFoundError,
    OutcomeUnknownError,
    RefusedError,
    ServerFailedError,
    StatusError,
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
)
from analytics.levain.paging import Page
from analytics.levain.plain import Levain
from analytics.levain.records import (
    Agent,
    AgentConfig,
    Artifact,
    ArtifactList,
    Build,
    DailyCount,
    Draft,
    FileUrl,
    LogEvent,
    Me,
    NewAgent,
    ProviderKey,
    Run,
    Schedule,
    Session,
    SessionEvent,
    Trigger,
    Version,
    Webhook,
)
from analytics.levain.runs import Progress
from analytics.levain.transport import Answer, Record

__all__ = [
    "Agent",
    "AgentConfig",
    "Answer",
    "AnswerBrokenError",
    "Artifact",
    "ArtifactList",
    "AsyncLevain",
    "Build",
    "ConnectionFailedError",
    "DailyCount",
    "DownloadFailedError",
    "Draft",
    "FileUrl",
    "Levain",
    "LevainError",
    "LogEvent",
    "Me",
    "NewAgent",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "Progress",
    "ProviderKey",
    "Record",
    "RefusedError",
    "Run",
    "Schedule",
    "ServerFailedError",
    "Session",
    "SessionEvent",
    "StatusError",
    "TooManyRequestsError",
    "TransientError",
    "Trigger",
    "UnauthorizedError",
    "Version",
    "Webhook",
]
