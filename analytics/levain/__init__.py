"""A client of the Levain API, usable on its own: typed records, exact money, one error tree.

>>> from analytics.levain import Levain
>>> with Levain(api_key, api) as levain:
...     for agent in levain.agents.list():
...         print(agent.slug, agent.status)
support-triage active
"""

import analytics.levain.retries  # noqa: F401 - logs each failed attempt
from analytics.levain.answers import Answer, Fields, Record
from analytics.levain.client import AsyncLevain
from analytics.levain.errors import (
    AnswerBrokenError,
    AnswerTooLargeError,
    ConnectionFailedError,
    DownloadFailedError,
    ForbiddenError,
    LevainError,
    NotFoundError,
    OutcomeUnknownError,
    RedirectedError,
    RefusedError,
    ServerFailedError,
    StatusError,
    TooManyRequestsError,
    TransientError,
    UnauthorizedError,
)
from analytics.levain.paging import Page
from analytics.levain.records import (
    Agent,
    AgentConfig,
    Artifact,
    ArtifactList,
    DailyCount,
    FileUrl,
    LogEvent,
    Me,
    ProviderKey,
    Run,
    Schedule,
    Session,
    SessionEvent,
    Version,
)
from analytics.levain.runs import Progress
from analytics.levain.sync_client import Levain
from analytics.levain.usage import (
    AgentBucket,
    AgentTotals,
    BillingDay,
    PlatformAgentTotals,
    RunCost,
    Summary,
    Totals,
    UsageHour,
)

__all__ = [
    "Agent",
    "AgentBucket",
    "AgentConfig",
    "AgentTotals",
    "Answer",
    "AnswerBrokenError",
    "AnswerTooLargeError",
    "Artifact",
    "ArtifactList",
    "AsyncLevain",
    "BillingDay",
    "ConnectionFailedError",
    "DailyCount",
    "DownloadFailedError",
    "Fields",
    "FileUrl",
    "ForbiddenError",
    "Levain",
    "LevainError",
    "LogEvent",
    "Me",
    "NotFoundError",
    "OutcomeUnknownError",
    "Page",
    "PlatformAgentTotals",
    "Progress",
    "ProviderKey",
    "Record",
    "RedirectedError",
    "RefusedError",
    "Run",
    "RunCost",
    "Schedule",
    "ServerFailedError",
    "Session",
    "SessionEvent",
    "StatusError",
    "Summary",
    "TooManyRequestsError",
    "Totals",
    "TransientError",
    "UnauthorizedError",
    "UsageHour",
    "Version",
]
