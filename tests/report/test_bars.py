from __future__ import annotations

from datetime import date

import pytest

from tests.report import marts
from tests.report.browser import Reader
from tests.report.conftest import BuildSite
from tests.report.pages import Site

_TEXTS = """plot => [...plot.querySelectorAll('.ytick text, .bartext')].map(each => {
    const { left, right, top, bottom } = each.getBoundingClientRect();
    return [left, right, top, bottom, each.textContent];
})"""
_ENDS = """plot => [
    plot.querySelector('.shapelayer path').getBoundingClientRect().left,
    ...[...plot.querySelectorAll('.point path')].map((each, index) => {
        const { left, right } = each.getBoundingClientRect();
        return plot.data.flatMap(({ x }) => x)[index] < 0 ? right : left;
    })]"""


@pytest.mark.parametrize(("kind", "key"), [("overview", "movers"), ("workspace", "movers")])
@pytest.mark.parametrize("width", [390, 1280])
def test_negative_bars_leave_names_and_texts_apart(
    kind: str, key: str, width: int, batches: Site, reader: Reader
) -> None:
    """Bars begin at the line of zero, and no text of a bar lies over a name or another text."""
    reader.page.set_viewport_size({"width": width, "height": 900})
    shown = reader.open(batches.one(kind).path)
    plot = shown.locator(f"[data-chart={key}]")
    plot.scroll_into_view_if_needed()
    plot.locator(".main-svg").first.wait_for(state="attached")
    texts = plot.evaluate(_TEXTS)
    zero, *starts = plot.evaluate(_ENDS)
    over = [
        (one[4], other[4])
        for index, one in enumerate(texts)
        for other in texts[:index]
        if one[0] < other[1]
        and other[0] < one[1]
        and one[2] + 2 < other[3]
        and other[2] + 2 < one[3]
    ]

    assert any("\u2212" in text for *_, text in texts)
    assert over == []
    assert starts == pytest.approx([zero] * len(starts), abs=1)


def test_a_model_of_two_providers_is_told_apart(build: BuildSite, reader: Reader) -> None:
    """Titles name the provider of such a model, chosen or not; labels cut the name, not it."""
    con, model = marts.empty(), "a-model-whose-name-is-long-1-5"
    marts.workspace(con)
    marts.agent(con)
    marts.run(con, date(2026, 3, 2), cost_usd="4.00")
    for provider, cost in (("anthropic", "3.00"), ("bedrock", "1.00")):
        marts.insert(
            con, "fct_run_models", workspace_id="ws", run_id="r-0", model=model,
            provider=provider, cost_usd=cost, tokens_in=1, tokens_out=1, request_count=1,
        )  # fmt: skip
    page = build(marts.derive(con)).workspaces[0]
    titles = {each.attributes["id"]: each.all("h3")[0].text for each in page.root.all("figure")}
    shown = reader.open(page.path, "#from=2026-03-01&to=2026-03-08")
    reader.draw_all()
    chosen = {key: shown.locator(f"#{key} h3").inner_text() for key in titles}
    labels = shown.locator("#models .ytick").all_text_contents()

    for key in ("models", "models-over-time"):
        assert titles[key].startswith(f"\u2068{model} (anthropic)\u2069 makes 75.0%")
        assert chosen[key].startswith(f"\u2068{model} (anthropic)\u2069 makes 75.0%")
    assert [each.split("\u2026")[1] for each in labels] == [" (anthropic)", " (bedrock)"]
