"""The workspaces and agents of the demo, and how each agent works."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from analytics.emulator import catalogue as c
from analytics.emulator import texts
from analytics.emulator.chance import CODE, CONVERSATION
from analytics.emulator.records import DEFAULT_TIMEOUT_MINUTES
from analytics.emulator.worlds.behaviour import ALL_HOURS, BUDGET_LIMIT, NIGHT_HOURS, Habit

LONG_CONVERSATION = CONVERSATION.times(4)  # whole threads with their attachments
FILES = CODE.times(6)
CODE_BASE = CODE.times(12)
BUSY_DAYS = 20  # since when an agent starts more runs than the API lists
WORSE_DAYS = 9  # since when a version makes an agent fail more often


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoAgent:
    """An agent of the demo; days count back from the present."""

    name: str
    slug: str
    habit: Habit | None = None  # without habits: a draft
    description: str | None = None
    since_days: int | None = None  # None: from the beginning
    max_budget: Decimal = Decimal(5)
    timeout_minutes: int = DEFAULT_TIMEOUT_MINUTES
    notify_on_run: bool = False
    releases: tuple[tuple[int, str], ...] = ()  # of versions 2, 3 and on: the day, what changed
    left_days: int | None = None
    left_as: Literal["paused", "archived", "deleted"] = "paused"
    calls: str | None = None
    next_name: str | None = None  # taken in the last hours before the present


HEARTH_AND_GRAIN = (
    DemoAgent(
        name="Support triage",
        slug="support-triage",
        description="Sorts incoming tickets and drafts the first answer.",
        habit=Habit(
            runs_per_day=14,
            traffic=LONG_CONVERSATION,
            offers=(c.SONNET, c.HAIKU),
            requests=(3, 8),
            weekend_share=0.4,
            follow_up_rate=0.2,
            call_rate=0.12,
        ),
        max_budget=Decimal(1),
        timeout_minutes=20,
        releases=((60, "Answers in the customer's language."), (38, "Asks the refund desk.")),
        calls="refund-desk",
    ),
    DemoAgent(
        name="Refund desk",
        slug="refund-desk",
        description="Checks a refund and books it; called by support triage.",
        habit=Habit(runs_per_day=1, traffic=CONVERSATION, offers=(c.SONNET,), requests=(2, 6)),
        max_budget=Decimal("0.5"),
        timeout_minutes=15,
        notify_on_run=True,
    ),
    DemoAgent(
        name="Order status",
        slug="order-status",
        description="Answers “where is my parcel”, around the clock.",
        habit=Habit(
            runs_per_day=390,
            traffic=CONVERSATION,
            offers=(c.HAIKU_OLD, c.GPT_LUNA),
            requests=(1, 3),
            seconds_per_request=4,
            hours=ALL_HOURS,
            weekend_share=1.0,
            failure_rates=(0.01,),
            cancel_rate=0.003,
        ),
        since_days=BUSY_DAYS,
        max_budget=Decimal("0.1"),
        timeout_minutes=5,
    ),
    DemoAgent(
        name="Pull request reviewer",
        slug="pr-reviewer",
        description="Reads each pull request and comments on risks.",
        habit=Habit(
            runs_per_day=10,
            traffic=CODE_BASE,
            offers=(c.SONNET, c.OPUS),
            requests=(6, 18),
            weekend_share=0.05,
            failure_rates=(0.05, 0.03, 0.38),
            errors=(texts.VALIDATION, texts.VALIDATION, texts.MAX_STEPS, texts.TOOL),
        ),
        releases=(
            (48, "Reads the tests too."),
            (WORSE_DAYS, "Returns its findings as structured data."),
        ),
    ),
    DemoAgent(
        name="Catalogue migrator",
        slug="catalogue-migrator",
        description="Moves product pages to the new catalogue; a run takes a day or more.",
        habit=Habit(
            runs_per_day=1.2,
            traffic=FILES,
            offers=(c.OPUS, c.QWEN_CODER),
            requests=(60, 130),
            seconds_per_request=1100,
            weekend_share=0.5,
            failure_rates=(0.3,),
            errors=(BUDGET_LIMIT, texts.MAX_STEPS, texts.TOOL),
            correction_rate=0.6,
        ),
        max_budget=Decimal(8),
        timeout_minutes=4 * 24 * 60,
        notify_on_run=True,
    ),
    DemoAgent(
        name="Supplier negotiator",
        slug="supplier-negotiator",
        description="Drafts counter-offers; gives up late and at a price.",
        habit=Habit(
            runs_per_day=4,
            traffic=LONG_CONVERSATION,
            offers=(c.OPUS_OLD, c.SONNET_OLD),
            requests=(6, 14),
            failure_rates=(0.28,),
            failed_effort=3.0,
            errors=(BUDGET_LIMIT, BUDGET_LIMIT, texts.MAX_STEPS),
            correction_rate=0.5,
        ),
        max_budget=Decimal("2.5"),
    ),
    DemoAgent(
        name="Release notes writer",
        slug="release-notes",
        habit=Habit(
            runs_per_day=1.2, traffic=FILES, offers=(c.SONNET_ON_BEDROCK,), requests=(5, 14)
        ),
        max_budget=Decimal(2),
        next_name="Changelog writer",
    ),
    DemoAgent(
        name="Inventory forecaster",
        slug="inventory-forecaster",
        habit=Habit(
            runs_per_day=4,
            traffic=FILES,
            offers=(c.GPT_TERRA, c.GPT_OSS),
            requests=(6, 16),
            hours=NIGHT_HOURS,
            weekend_share=1.0,
        ),
        max_budget=Decimal(3),
        releases=((33, "Knows the public holidays."),),
    ),
    DemoAgent(
        name="Self-hosted batch",
        slug="self-hosted-batch",
        description="Runs on our own machine with the login of the host; nothing is metered.",
        habit=Habit(runs_per_day=2, traffic=CODE, offers=(), hours=NIGHT_HOURS, weekend_share=1.0),
        timeout_minutes=240,
    ),
    DemoAgent(
        name="Recipe translator",
        slug="recipe-translator",
        habit=Habit(runs_per_day=4, traffic=LONG_CONVERSATION, offers=(c.GLM, c.NOVA_MICRO)),
        max_budget=Decimal(1),
        left_days=30,
    ),
    DemoAgent(
        name="Legacy mailbot",
        slug="legacy-mailbot",
        habit=Habit(runs_per_day=5, traffic=LONG_CONVERSATION, offers=(c.HAIKU_OLD,)),
        left_days=41,
        left_as="deleted",
    ),
    DemoAgent(name="Invoice matcher", slug="invoice-matcher", description="Not published yet."),
)

NORTHLIGHT_STUDIO = (
    DemoAgent(
        name="Storyboard helper",
        slug="storyboard-helper",
        habit=Habit(
            runs_per_day=8,
            traffic=LONG_CONVERSATION,
            offers=(c.SONNET_ON_OWN_KEY, c.GPT_TERRA, c.SONNET),
            follow_up_rate=0.4,
        ),
        max_budget=Decimal(2),
        releases=((70, "Draws two variants."), (35, "Draws one variant again.")),
    ),
    DemoAgent(
        name="Shader optimiser",
        slug="shader-optimiser",
        habit=Habit(
            runs_per_day=5,
            traffic=FILES,
            offers=(c.OPUS, c.SONNET_ON_BEDROCK),
            requests=(8, 20),
            failure_rates=(0.09,),
        ),
        timeout_minutes=120,
    ),
    DemoAgent(
        name="Brief summariser",
        slug="brief-summariser",
        description="Sums up a client's brief on one page.",
        habit=Habit(
            runs_per_day=3, traffic=LONG_CONVERSATION, offers=(c.NOVA_MICRO,), requests=(1, 4)
        ),
        since_days=25,
        max_budget=Decimal("0.5"),
        timeout_minutes=10,
    ),
    DemoAgent(
        name="Render queue watch",
        slug="render-queue-watch",
        habit=Habit(
            runs_per_day=6,
            traffic=CODE,
            offers=(c.HAIKU, c.GPT_OSS),
            requests=(1, 3),
            hours=ALL_HOURS,
            weekend_share=1.0,
        ),
        max_budget=Decimal("0.1"),
        timeout_minutes=5,
    ),
    DemoAgent(
        name="Client update writer",
        slug="client-updates",
        habit=Habit(runs_per_day=3, traffic=LONG_CONVERSATION, offers=(c.SONNET_OLD,)),
        left_days=55,
        left_as="archived",
    ),
    DemoAgent(
        name="Asset tagger",
        slug="asset-tagger",
        habit=Habit(
            runs_per_day=7,
            traffic=CONVERSATION,
            offers=(c.GPT_LUNA, c.GLM),
            requests=(1, 6),
            failure_rates=(0.02, 0.06),
        ),
        max_budget=Decimal("0.25"),
        releases=((25, "Tags the colours."),),
    ),
    DemoAgent(name="Contract reader", slug="contract-reader"),
)

WORKSPACES: tuple[tuple[str, tuple[DemoAgent, ...]], ...] = (
    ("Hearth & Grain", HEARTH_AND_GRAIN),
    ("Northlight Studio", NORTHLIGHT_STUDIO),
)
# No sum by agent tells of a later correction of a run without an agent.
UNATTRIBUTED = Habit(
    runs_per_day=0, traffic=CONVERSATION, offers=(c.HAIKU,), requests=(1, 4), correction_rate=0
)
