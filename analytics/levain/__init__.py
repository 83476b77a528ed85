"""A client of the Levain API, usable on its own: typed records, exact money, one error tree.

>>> from analytics.levain import Levain
>>> with Levain(api_key, api) as levain:
...     for agent in levain.agents.list():
...         print(agent.slug, agent.status)
support-triage active
"""

from analytics.levain.answers import Answer as Answer
from analytics.levain.answers import Fields as Fields
from analytics.levain.answers import Record as Record
from analytics.levain.client import AsyncLevain as AsyncLevain
from analytics.levain.client import Options as Options
from analytics.levain.errors import AnswerBrokenError as AnswerBrokenError
from analytics.levain.errors import AnswerTooLargeError as AnswerTooLargeError
from analytics.levain.errors import ConnectionFailedError as ConnectionFailedError
from analytics.levain.errors import DownloadFailedError as DownloadFailedError
from analytics.levain.errors import ForbiddenError as ForbiddenError
from analytics.levain.errors import LevainError as LevainError
from analytics.levain.errors import NotFoundError as NotFoundError
from analytics.levain.errors import OutcomeUnknownError as OutcomeUnknownError
from analytics.levain.errors import RedirectedError as RedirectedError
from analytics.levain.errors import RefusedError as RefusedError
from analytics.levain.errors import ServerFailedError as ServerFailedError
from analytics.levain.errors import StatusError as StatusError
from analytics.levain.errors import TooManyRequestsError as TooManyRequestsError
from analytics.levain.errors import TransientError as TransientError
from analytics.levain.errors import UnauthorizedError as UnauthorizedError
from analytics.levain.paging import Page as Page
from analytics.levain.records import Agent as Agent
from analytics.levain.records import Artifact as Artifact
from analytics.levain.records import LogEvent as LogEvent
from analytics.levain.records import Me as Me
from analytics.levain.records import Run as Run
from analytics.levain.records import RunCost as RunCost
from analytics.levain.records import Session as Session
from analytics.levain.records import SessionEvent as SessionEvent
from analytics.levain.records import Usage as Usage
from analytics.levain.runs import Progress as Progress
from analytics.levain.sync_client import Levain as Levain
