from __future__ import annotations

import pytest

from analytics.emulator.quantiles import CODE, CONVERSATION, LEVELS, Quantiles
from analytics.emulator.rng import seeded


@pytest.mark.parametrize(
    "quantiles", [CODE.context, CODE.generated, CONVERSATION.context, CONVERSATION.generated]
)
def test_known_levels_give_the_published_values(quantiles: Quantiles) -> None:
    """At each published level the distribution gives exactly the published value."""
    assert list(quantiles.values) == [quantiles.at(level) for level in LEVELS]


def test_between_levels_the_value_is_log_linear() -> None:
    """Halfway between two known levels lies the geometric mean of their values."""
    assert round((1469 * 2745) ** 0.5) == CODE.context.at(0.625)


@pytest.mark.parametrize(
    ("traffic", "context", "generated"), [(CODE, 1469, 13), (CONVERSATION, 1020, 129)]
)
def test_samples_have_the_published_medians(traffic, context: int, generated: int) -> None:
    """The medians of many samples are within 5 % (and a token) of the published ones."""
    rng = seeded(1, "median")
    samples = [traffic.sample(rng) for _ in range(20_001)]

    for index, expected in enumerate((context, generated)):
        median = sorted(sample[index] for sample in samples)[10_000]
        assert expected == pytest.approx(median, rel=0.05, abs=1)
