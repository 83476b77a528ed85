"""Who works in the demo world: its workspaces, agents and their habits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from analytics.emulator import catalogue as c
from analytics.emulator import texts
from analytics.emulator.quantiles import CODE, CONVERSATION
from analytics.emulator.worlds.behaviour import ALL_HOURS, NIGHT_HOURS, Habit


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """An agent of the demo; days count back from the present."""

    name: str
    slug: str
    habit: Habit | None = None  # without habits: a draft
    description: str | None = None
    since_days: int = 90
    releases_days: tuple[int, ...] = ()  # of versions 2, 3 and on
    left_days: int | None = None
    left_as: Literal["paused", "archived", "deleted"] = "paused"
    calls: str | None = None
    next_name: str | None = None  # taken in the first batch after the present


HEARTH_AND_GRAIN = (
    Role(
        name="Support triage",
        slug="support-triage",
        description="Sorts incoming tickets and drafts the first answer.",
        habit=Habit(
            runs_per_day=34,
            traffic=CONVERSATION,
            offers=(c.SONNET, c.HAIKU),
            requests=(3, 8),
            weekend_share=0.4,
            follow_up_rate=0.2,
            call_rate=0.12,
        ),
        releases_days=(60, 3),
        calls="refund-desk",
    ),
    Role(
        name="Refund desk",
        slug="refund-desk",
        description="Checks a refund and books it; called by support triage.",
        habit=Habit(runs_per_day=2, traffic=CONVERSATION, offers=(c.SONNET,), requests=(2, 6)),
    ),
    Role(
        name="Order status",
        slug="order-status",
        description="Answers “where is my parcel”, around the clock.",
        habit=Habit(
            runs_per_day=390,
            traffic=CONVERSATION,
            offers=(c.HAIKU, c.GPT_LUNA),
            requests=(1, 3),
            seconds_per_request=4,
            hours=ALL_HOURS,
            weekend_share=1.0,
            failure_rates=(0.01,),
            cancel_rate=0.003,
        ),
        since_days=14,
    ),
    Role(
        name="Pull request reviewer",
        slug="pr-reviewer",
        description="Reads each pull request and comments on risks.",
        habit=Habit(
            runs_per_day=22,
            traffic=CODE,
            offers=(c.SONNET, c.OPUS),
            requests=(6, 18),
            weekend_share=0.05,
            failure_rates=(0.05, 0.03, 0.38),
            errors=(texts.VALIDATION, texts.VALIDATION, texts.MAX_STEPS, texts.TOOL),
        ),
        releases_days=(48, 6),
    ),
    Role(
        name="Catalogue migrator",
        slug="catalogue-migrator",
        description="Moves product pages to the new catalogue; a run takes a day or more.",
        habit=Habit(
            runs_per_day=1.2,
            traffic=CODE,
            offers=(c.OPUS, c.QWEN_CODER),
            requests=(60, 130),
            seconds_per_request=1100,
            failure_rates=(0.3,),
            failed_effort=1.4,
            errors=(texts.BUDGET, texts.MAX_STEPS, texts.TIMEOUT),
            correction_rate=0.6,
        ),
    ),
    Role(
        name="Supplier negotiator",
        slug="supplier-negotiator",
        description="Drafts counter-offers; gives up late and at a price.",
        habit=Habit(
            runs_per_day=5,
            traffic=CONVERSATION,
            offers=(c.OPUS_OLD, c.SONNET_OLD),
            requests=(10, 24),
            failure_rates=(0.28,),
            failed_effort=5.0,
            errors=(texts.BUDGET, texts.BUDGET, texts.MAX_STEPS),
            correction_rate=0.5,
        ),
    ),
    Role(
        name="Release notes writer",
        slug="release-notes",
        habit=Habit(runs_per_day=2, traffic=CODE, offers=(c.SONNET_ON_BEDROCK,), requests=(5, 14)),
        next_name="Changelog writer",
    ),
    Role(
        name="Inventory forecaster",
        slug="inventory-forecaster",
        habit=Habit(
            runs_per_day=8,
            traffic=CODE,
            offers=(c.GPT_TERRA, c.GPT_OSS),
            requests=(6, 16),
            hours=NIGHT_HOURS,
            weekend_share=1.0,
        ),
        releases_days=(33,),
    ),
    Role(
        name="Self-hosted batch",
        slug="self-hosted-batch",
        description="Runs on our own machine with the login of the host; nothing is metered.",
        habit=Habit(runs_per_day=3, traffic=CODE, offers=(), hours=NIGHT_HOURS, weekend_share=1.0),
    ),
    Role(
        name="Recipe translator",
        slug="recipe-translator",
        habit=Habit(runs_per_day=9, traffic=CONVERSATION, offers=(c.GLM, c.NOVA_MICRO)),
        left_days=30,
    ),
    Role(
        name="Legacy mailbot",
        slug="legacy-mailbot",
        habit=Habit(runs_per_day=12, traffic=CONVERSATION, offers=(c.HAIKU_OLD,)),
        left_days=41,
        left_as="deleted",
    ),
    Role(name="Invoice matcher", slug="invoice-matcher", description="Not published yet."),
)

NORTHLIGHT_STUDIO = (
    Role(
        name="Storyboard helper",
        slug="storyboard-helper",
        habit=Habit(
            runs_per_day=16,
            traffic=CONVERSATION,
            offers=(c.SONNET_ON_OWN_KEY, c.GPT_TERRA, c.SONNET),
            follow_up_rate=0.4,
        ),
        releases_days=(70, 35),
    ),
    Role(
        name="Shader optimiser",
        slug="shader-optimiser",
        habit=Habit(
            runs_per_day=11,
            traffic=CODE,
            offers=(c.OPUS, c.SONNET_ON_BEDROCK),
            requests=(8, 20),
            failure_rates=(0.09,),
        ),
    ),
    Role(
        name='<script>alert(1)</script> & "Söhne" 🍞',
        slug="script-alert-1-soehne",
        description="A test agent.",
        habit=Habit(
            runs_per_day=2,
            traffic=CONVERSATION,
            offers=(c.NOVA_MICRO,),
            failure_rates=(0.2,),
            errors=(texts.MARKUP, texts.LONG),
        ),
    ),
    Role(
        name="=cmd()|' /C calc'!A0",
        slug="cmd-c-calc-a0",
        habit=Habit(runs_per_day=1, traffic=CONVERSATION, offers=(c.GPT_LUNA,)),
        since_days=25,
    ),
    Role(
        name="Render queue watch",
        slug="render-queue-watch",
        habit=Habit(
            runs_per_day=24,
            traffic=CODE,
            offers=(c.HAIKU, c.GPT_OSS),
            requests=(1, 3),
            hours=ALL_HOURS,
            weekend_share=1.0,
        ),
    ),
    Role(
        name="Client update writer",
        slug="client-updates",
        habit=Habit(runs_per_day=4, traffic=CONVERSATION, offers=(c.SONNET_OLD,)),
        left_days=55,
        left_as="archived",
    ),
    Role(
        name="Asset tagger",
        slug="asset-tagger",
        habit=Habit(
            runs_per_day=18,
            traffic=CONVERSATION,
            offers=(c.GPT_LUNA, c.GLM),
            requests=(1, 6),
            failure_rates=(0.02, 0.06),
        ),
        releases_days=(5,),
    ),
    Role(name="Contract reader", slug="contract-reader"),
)

WORKSPACES: tuple[tuple[str, dict[str, str], tuple[Role, ...]], ...] = (
    ("Hearth & Grain", {}, HEARTH_AND_GRAIN),
    # Anthropic bills this one itself: Levain bills its platform charge alone.
    ("Northlight Studio", {"anthropic": "made-up-key-w7Qz"}, NORTHLIGHT_STUDIO),
)
# No sum by agent tells of a later correction of a run without an agent.
UNATTRIBUTED = Habit(
    runs_per_day=0, traffic=CONVERSATION, offers=(c.HAIKU,), requests=(1, 4), correction_rate=0
)
