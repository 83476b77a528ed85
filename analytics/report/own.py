"""Pages of one's own in the site: `own/<name>.html`, its rows in `data/own/<name>.js`, the menu."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
from markupsafe import Markup

from analytics.format import names, text
from analytics.report.files import packed
from analytics.report.own_parts import ChartError, headline, part_of
from analytics.report.rendering import About, frame_of, framed, scripts, section_of
from analytics.report.spec import Part

if TYPE_CHECKING:
    from collections.abc import Iterable

    from analytics.project.pages import AnsweredPage
    from analytics.report.files import Files

_FILE_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_ROOT = "../"
_FIXED = (
    "This page follows no chosen period or agents: no SELECT of it has a column date, month,"
    " agent_id or workspace_id."
)


def write(
    files: Files, answered: Iterable[AnsweredPage], about: About
) -> tuple[list[dict[str, str]], list[str]]:
    """Write the pages of these answers, and their rows.

    Return them as the menu lists them, and their problems.
    """
    menu, problems = [], []
    for each in answered:
        entry, wrong = _write_page(files, each, about)
        menu.append(entry)
        problems += wrong
    menu.sort(key=lambda entry: [entry[each].lower() for each in ("group", "name", "key")])
    return menu, problems


def _write_page(
    files: Files, answered: AnsweredPage, about: About
) -> tuple[dict[str, str], list[str]]:
    """Write a page and its rows; problems stand in the place of what they are of."""
    page = answered.page
    # A name that is none of a file has its digest in it.
    is_name = _FILE_NAME.fullmatch(page.name)
    key = f"own/{page.name if is_name else names.file_name(page.file).removesuffix('.html')}"
    group, title = names.display(page.group), names.display(page.title)
    problems = [page.error] if page.error else []
    shown = [_notice(each) for each in problems]
    parts: list[Part] = []
    rows: dict[str, dict[str, object]] = {}
    headlines = []
    for number, (chart, answer) in enumerate(zip(page.charts, answered.answers, strict=True), 1):
        if value := headline(chart, answer):
            headlines.append(value)
            continue
        try:
            part, rows[f"part-{number}"] = part_of(f"part-{number}", chart, page.title, answer)
        except ChartError as error:
            problems.append(str(error))
            shown.append(_notice(str(error), chart.heading))
        else:
            parts.append(part)
            shown.append(frame_of(part))
    is_choosable = any({"date", "member"} & of.keys() for of in rows.values())
    notes, reach = ["It follows no choice."], f"days and months in {about.timezone}"
    content = framed(
        about,
        _ROOT,
        title=f"{title} \u2013 {group}",
        reach=reach,
        heading=title,
        as_of=text.fill("Data to {as_of|instant}.", {"as_of": about.as_of}),
        remarks=[] if is_choosable or not parts else [_FIXED],
        breadcrumb=[
            *about.above(_ROOT),
            {"name": "All workspaces", "href": f"{_ROOT}index.html"},
        ],
        headlines=[
            {"change": "", "notes": notes if is_choosable else [], **each} for each in headlines
        ],
        is_choosable=is_choosable,
        members_name="Agents and workspaces",
        sections=[section_of("figures", "Charts and tables", shown, is_open=True)] * bool(shown),
        footer=[f"Levain analytics {about.code_version} · {names.visible(page.file)} · {reach}"],
        data={"page": key, "entity": "own", "workspace": "", "agent": ""},
        scripts=scripts(key, parts),
    )
    files.write(f"{key}.html", content.encode())
    if parts:
        document = {"parts": [msgspec.to_builtins(each) for each in parts], "rows": rows}
        files.write(f"data/{key}.js", packed(document))
    return {"key": key, "group": group, "name": title, "path": f"{key}.html"}, problems


def _notice(problem: str, heading: str = "") -> dict[str, Any]:
    """Return a problem as it stands in place of a page or a chart."""
    title = Markup("<h3>{}</h3>").format(names.display(heading)) if heading else Markup("")
    told = Markup('<p class="notice">{}</p>').format(names.visible(problem))
    return frame_of(Part(key="", data="")) | {"kind": "html", "table": title + told}
