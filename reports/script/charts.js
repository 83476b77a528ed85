// Draws the charts: a page says which measures each shows, and the facts hold their values.
"use strict";

const charts = (() => {
  const { axis, everySecond, timeAxis } = axes;
  const DAY = 86_400_000;
  const CONFIG = {
    displaylogo: false, displayModeBar: false, showSendToCloud: false, plotlyServerURL: "",
    responsive: true,
  };
  const SHOWN_BARS = 10, SHOWN_RATES = 15;
  const PATTERN = { size: 5, solidity: 0.4 };
  const PALE = 0.3; // the opacity of a day that is not whole yet, within an outline
  const LEGEND = { orientation: "h", x: 0, xanchor: "left", y: -0.14, yanchor: "top",
    itemclick: false, itemdoubleclick: false, traceorder: "normal" };
  const isNarrow = () => innerWidth < 640;
  const legendOf = (names) => (names.length > 3 && isNarrow() ? { ...LEGEND, y: -0.18, entrywidthmode: "fraction",
    entrywidth: names.some((each) => each.length > 20) ? 1 : 0.49, font: { size: 11 } } : LEGEND); // two columns of short names

  // Colours: a role such as "@cost" stands for the custom property --cost of the style sheet, and
  // "@cost~" for the same, pale.
  const COLOUR_KEYS = new Set(["color", "bgcolor", "fgcolor", "gridcolor", "linecolor",
    "zerolinecolor", "bordercolor", "fillcolor", "colorscale"]);
  const probe = document.body.appendChild(document.createElement("i"));
  probe.hidden = true;
  const colour = (role) => {
    const [name, pale] = role.slice(1).split("~");
    probe.style.color = `var(--${name})`;
    const { color } = getComputedStyle(probe);
    return pale === undefined ? color : color.replace("rgb(", "rgba(").replace(")", `, ${PALE})`);
  };
  const painted = (value, key) => {
    if (Array.isArray(value)) return value.map((each) => painted(each, key));
    if (value && typeof value === "object") {
      return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, painted(v, k)]));
    }
    const isRole = typeof value === "string" && value[0] === "@" && COLOUR_KEYS.has(key);
    return isRole ? colour(value) : value;
  };

  // Names are data: Plotly would read tags and entities in them. What tells one apart is not cut.
  const escaped = (name, length = 28, apart = "") => {
    const room = apart ? Math.max(32 - apart.length, 12) : length;
    const short = name.length > room ? `${name.slice(0, room - 1).trimEnd()}…` : name;
    return `${short}${apart}`.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
  };

  // Money and large counts become positions on the screen only here.
  const MONEY = new Set(["usd", "usd_fine"]);
  const position = (value, unit) => {
    if (value === null || value === undefined) return null;
    return MONEY.has(unit) ? Number(value) / 1e10 : Number(value);
  };

  const valueOf = (values, name, unit) => { // a measure, or one for each of another (`a/b`)
    const [part, base] = name.split("/");
    const value = position(values[part], unit);
    if (!base || value === null) return value;
    return values[base] ? value / Number(values[base]) : null;
  };

  const note = (text, place) => ({ text, showarrow: false, yanchor: "bottom", font: { color: "@muted", size: 11 }, ...place });
  const rowsLayout = (labels, lines = 1) => {
    const positions = labels.map((_, index) => `row ${index}`);
    return { height: 40 + labels.length * 28 * lines, hovermode: "closest",
      margin: { r: 96, l: 8, t: 8, b: 8 },
      yaxis: { type: "category", autorange: "reversed", categoryorder: "array",
        categoryarray: positions, tickvals: positions, ticktext: labels, showgrid: false } };
  };
  // The pixels that the texts of negative bars take, between the bars and the names.
  const roomBefore = (rows) => 7 * Math.max(0, ...rows.flatMap((row) =>
    row.texts.filter((_, index) => row.values[index] < 0).map((text) => text.length + 2)));
  const positions = (rows) => rows.map((_, index) => `row ${index}`);
  const rateDots = (points) => ({ ...rates.trace(points), x: points.map((point) => point.rate), y: positions(points),
    error_x: rates.errorBars(points) });

  // The days of a view: what the charts of time have in common.
  const daysOf = (view) => {
    const { document, from, to } = view;
    return Array.from({ length: to - from + 1 }, (_, index) => {
      const day = from + index;
      return { iso: facts.isoOf(document.first, day), state: document.states[day], values: facts.on(document, day) };
    });
  };
  const hoverOf = (day, template) => {
    const text = day.values === null ? "no data" : numbers.fill(template, day.values);
    return { s: `${text} (so far)`, i: `${text} (incomplete)` }[day.values && day.state] ?? text;
  };
  const columns = (days, [name, role, pattern, measure, template], unit, yaxis) => {
    const isWhole = days.map((day) => day.state !== "s" && day.state !== "i");
    return { type: "bar", name, yaxis, showlegend: false, x: days.map((day) => day.iso),
      y: days.map((day) => day.values && valueOf(day.values, measure, unit)),
      customdata: days.map((day) => hoverOf(day, template)),
      hovertemplate: `${name} %{customdata}<extra></extra>`,
      marker: markerOf(role, isWhole, pattern, days.length > 150 ? 0 : 0.5) };
  };
  // Columns of a colour; those that are not whole are pale, with an outline.
  const markerOf = (role, isWhole, pattern, width) => ({ color: isWhole.map((each) => (each ? role : `${role}~`)),
    line: { color: isWhole.map((each) => (each ? "@page" : role)), width: isWhole.map((each) => (each ? width : 1.5)) },
    ...(pattern && { pattern: { shape: pattern, ...PATTERN } }) });
  const legendEntry = (name, role, pattern) => // Plotly would show the pattern of the first day
    ({ type: "bar", name, x: [null], y: [null], marker: { color: role, pattern: { shape: pattern, ...PATTERN } } });
  const unread = (days, yaxis, overlay) => {
    const missing = days.filter((day) => day.values === null).map((day) => day.iso);
    if (!missing.length) return { data: [], layout: {}, annotations: [] };
    return {
      data: [{ type: "bar", x: missing, y: missing.map(() => 1), yaxis: overlay, width: DAY,
        hovertemplate: "no data<extra></extra>", showlegend: false,
        marker: { color: "@rule", pattern: { shape: "/", size: 9, solidity: 0.12 } } }],
      layout: { [`yaxis${overlay.slice(1)}`]: { overlaying: yaxis, range: [0, 1], visible: false } },
      annotations: missing.length < days.length / 10 ? [] : [
        note("no data", { x: missing[missing.length >> 1], y: 0.5, yref: `${yaxis} domain`, yanchor: "middle" })],
    };
  };

  const KINDS = {
    // Columns by day: a measure or a stack in each panel, over the same days.
    days: (spec, view) => {
      const days = daysOf(view);
      const data = [], annotations = [];
      const layout = { barmode: "stack", bargap: 0.15, xaxis: timeAxis(days[0].iso, days.at(-1).iso) };
      const count = spec.panels.length, height = (1 - 0.12 * (count - 1)) / count;
      spec.panels.forEach((panel, index) => {
        const name = index ? `y${index + 1}` : "y", top = 1 - index * (height + 0.12);
        const traces = panel.series.map((series) => columns(days, series, panel.unit, name));
        const sums = days.map((_, day) => traces.map((trace) => trace.y[day] ?? 0).reduce((a, b) => a + b, 0));
        layout[`yaxis${index ? index + 1 : ""}`] = { ...axis(sums, panel.unit), domain: [Math.max(top - height, 0), top] };
        const gap = unread(days, name, `y${9 - index}`);
        data.push(...traces, ...gap.data);
        Object.assign(layout, gap.layout);
        annotations.push(...gap.annotations);
        if (count > 1) annotations.push(note(panel.series[0][0], { x: 0, xref: "paper", xanchor: "left", y: top, yref: "paper" }));
        if (panel.series.length > 1) {
          data.push(...panel.series.map(([series, role, pattern]) => legendEntry(series, role, pattern)));
          Object.assign(layout, { legend: LEGEND, showlegend: true });
        }
      });
      if (count > 1) Object.assign(layout, { margin: { t: 24 }, hoversubplots: "axis", xaxis: { ...layout.xaxis, anchor: `y${count}` } });
      if (days.at(-1).state === "s") {
        annotations.push(note("so far", { x: days.at(-1).iso, y: 1, yref: "paper", xanchor: "right" }));
      }
      return { data, layout: { ...layout, annotations } };
    },

    // A measure by week or day, stacked by the keys of a split; keys beyond the colours are grey.
    stack: (spec, view) => {
      const { document } = view;
      const all = ordered(facts.split(document, spec.split, view.from, view.to), spec.measure);
      const shown = all.slice(0, spec.roles.length), hidden = all.slice(spec.roles.length);
      const span = view.to - view.from + 1, isWeekly = span > 120;
      const bucket = (day) => {
        const iso = facts.isoOf(document.first, day);
        return isWeekly ? facts.mondayOf(iso) : iso;
      };
      const buckets = [...new Set(Array.from({ length: span }, (_, index) => bucket(view.from + index)))];
      const summed = (pairs) => { // of days and values, by bucket
        const sums = new Map(buckets.map((each) => [each, 0n]));
        for (const [day, value] of pairs) sums.set(bucket(day), sums.get(bucket(day)) + BigInt(value ?? 0));
        return [...sums.values()];
      };
      const { day: days, [spec.measure]: values } = document.splits[spec.split].columns;
      const of = (groups) => summed(groups.flatMap((each) => each.rows.map((row) => [days[row], values[row]])));
      const totals = spec.rest ? summed(daysOf(view).map((each, index) => [view.from + index, each.values?.[spec.total]])) : [];
      const known = of(all);
      const rest = totals.map((total, index) => total - known[index]);
      const apart = apartOf(spec, all);
      const series = shown.map((each, index) => [escaped(each.key[0], isNarrow() ? 17 : 28, apart(each)), spec.roles[index], of([each])]);
      if (hidden.length) series.push([numbers.plural(hidden.length, "other"), "@others", of(hidden)]);
      if (rest.some((each) => each > 0n)) series.push([spec.rest, "@rest", rest.map((each) => (each > 0n ? each : 0n))]);
      const unended = new Set(Array.from({ length: span }, (_, index) => view.from + index)
        .filter((day) => "si".includes(document.states[day])).map(bucket));
      const isWhole = buckets.map((each) => !unended.has(each));
      const data = series.map(([name, role, amounts]) => ({ type: "bar", name, x: buckets, showlegend: false,
        y: amounts.map((each) => position(each, spec.unit)),
        customdata: amounts.map((each) => `${name}: ${numbers.figure("value", spec.unit, { value: each })}`),
        hovertemplate: "%{customdata}<extra></extra>",
        marker: markerOf(role, isWhole, "", 0.5) }));
      const sums = buckets.map((_, index) => data.reduce((sum, trace) => sum + (trace.y[index] ?? 0), 0));
      data.push(...series.map(([name, role]) => legendEntry(name, role, "")));
      return { data, layout: { barmode: "stack", bargap: 0.15, showlegend: true, legend: legendOf(series.map(([name]) => name)),
        xaxis: timeAxis(buckets[0], buckets.at(-1)), yaxis: axis(sums, spec.unit) } };
    },

    // The keys of a split as bars, the largest first; the others and the rest are grey and last.
    bars: (spec, view) => {
      const rows = barRows(spec, view), room = roomBefore(rows);
      const data = spec.measures.map(([name, role], index) => {
        const roles = rows.map((row) => row.role ?? role);
        return { type: "bar", orientation: "h", name, y: positions(rows),
          x: rows.map((row) => row.values[index]), text: rows.map((row) => row.texts[index]),
          customdata: rows.map((row) => row.texts[index]),
          hovertemplate: `${name} %{customdata}<extra></extra>`,
          textposition: "outside", textfont: { color: "@text" }, cliponaxis: false,
          constraintext: "none", marker: { color: roles } };
      });
      const layout = rowsLayout(rows.map((row) => escaped(row.label, room && isNarrow() ? 17 : 28, row.apart)), spec.measures.length);
      layout.bargap = 0.35;
      const values = rows.flatMap((row) => row.values);
      layout.xaxis = { visible: false, range: [Math.min(0, ...values), Math.max(0, ...values) || 1] };
      layout.shapes = [{ type: "line", x0: 0, x1: 0, yref: "paper", y0: 0, y1: 1, line: { color: "@control", width: 1 } }];
      Object.assign(layout.yaxis, { showline: false, ticklabelstandoff: room });
      if (spec.measures.length > 1) Object.assign(layout, { barmode: "group", legend: { ...LEGEND, y: 1.02, yanchor: "bottom" }, showlegend: true });
      return { data, layout };
    },

    // Shares of finished runs that failed, by week, or by day where days hold many runs.
    rates: (spec, view) => {
      const past = daysOf(view).filter((day) => day.state !== "s" && day.state !== "n" && day.values);
      const groups = rates.byTime(view);
      const points = groups.map((group) => rates.of("", group.values));
      const x = groups.map((group) => group.iso);
      const line = { type: "scatter", mode: "lines", x, connectgaps: false, hoverinfo: "skip",
        y: points.map((point) => (point.isSmall ? null : point.rate)), line: { color: "@failure", width: 1.5 } };
      const dots = { ...rates.trace(points), x, y: points.map((point) => point.rate), error_y: rates.errorBars(points) };
      const ends = past.length ? past : daysOf(view);
      return { data: [line, dots], layout: { xaxis: timeAxis(ends[0].iso, ends.at(-1).iso),
        yaxis: axis(points.map((point) => point.high), "share") } };
    },

    // Rates of the keys of a split, one a row, with their counts at the right.
    rateRows: (spec, view) => {
      const points = ordered(facts.split(view.document, spec.split, view.from, view.to), spec.order)
        .filter((each) => each.values.finished_count).slice(0, SHOWN_RATES)
        .map((each) => rates.of(escaped(each.key[0]), each.values));
      const shares = axis(points.map((point) => point.high), "share");
      const dots = rateDots(points);
      const counts = { type: "scatter", mode: "text", x: points.map(() => shares.range[1]), y: positions(points),
        text: points.map((point) => point.counts), textposition: "middle right", textfont: { color: "@text" },
        cliponaxis: false, hoverinfo: "skip" };
      const layout = rowsLayout(points.map((point) => point.label));
      return { data: [dots, counts], layout: { ...layout, margin: { r: 112, l: 8, t: 8 }, xaxis: { ...shares, side: "bottom" } } };
    },

    // Rates of failure, and beside them what the failures cost of all that was spent.
    failing: (spec, view) => {
      const groups = failingGroups(spec, view);
      const points = groups.map(({ key, values }) => rates.of(escaped(key[0], isNarrow() ? 17 : 28), values));
      const amounts = (measure) => groups.map((each) => position(each.values[measure] ?? 0n, "usd"));
      const texts = groups.map(({ values }) => numbers.fill("{failed_cost_usd|range} of {cost_usd|usd}", values));
      const bars = (measure, role) => ({ type: "bar", orientation: "h", x: amounts(measure), y: positions(groups), xaxis: "x2",
        customdata: texts, hovertemplate: "%{customdata}<extra></extra>", marker: { color: role } });
      const cost = { ...bars("cost_usd", "@rest"),
        text: isNarrow() ? groups.map(({ values }) => numbers.fill("{failed_cost_usd|range}", values)) : texts, textposition: "outside", textfont: { color: "@text" },
        cliponaxis: false, constraintext: "none" };
      const shares = axis(points.map((point) => point.high), "share");
      const [middle, room] = isNarrow() ? [0.5, 1.9] : [0.5, 1.35]; // room for the texts, on the scale of the cost
      return { data: [rateDots(points), cost, bars("failed_cost_usd", "@failure")],
        layout: { ...rowsLayout(points.map((point) => point.label)), barmode: "overlay", bargap: 0.45,
          margin: { l: 8, r: 12, t: 8 }, xaxis: { ...shares, ...(isNarrow() && everySecond(shares)), domain: [0, middle] },
          xaxis2: { visible: false, domain: [middle + 0.05, 1], range: [0, room * (Math.max(...amounts("cost_usd")) || 1)] } } };
    },

    // Weekday by hour: a cell's shade is its share of the largest.
    heat: (spec, view) => {
      const cells = Array.from({ length: 7 }, () => Array(24).fill(null));
      const texts = Array.from({ length: 7 }, (_, day) => Array.from({ length: 24 }, (__, hour) => `${spec.days[day]} ${hour}:00: no run`));
      for (const { key: [day, hour], values } of facts.split(view.document, spec.split, view.from, view.to)) {
        cells[day - 1][hour] = position(values[spec.measure], spec.unit);
        texts[day - 1][hour] = `${spec.days[day - 1]} ${hour}:00: ${numbers.fill(spec.text, values)}`;
      }
      const scale = [0, 1, 2, 3, 4].flatMap((step) => [[step / 5, `@heat-${step + 1}`], [(step + 1) / 5, `@heat-${step + 1}`]]);
      return { data: [{ type: "heatmap", z: cells, x: Array.from({ length: 24 }, (_, hour) => hour),
        y: spec.days.map((day) => day.slice(0, 3)), customdata: texts, hovertemplate: "%{customdata}<extra></extra>",
        xgap: 1, ygap: 1, zmin: 0, zmax: Math.max(...cells.flat()) || 1, showscale: false, colorscale: scale }],
      layout: { hovermode: "closest", xaxis: { dtick: isNarrow() ? 6 : 3, ticksuffix: ":00", showline: false },
        yaxis: { type: "category", autorange: "reversed", showgrid: false, showline: false } } };
    },

    // Medians and 95th percentiles by week, a panel each measure.
    spreads: (spec, view) => {
      const { day, ...values } = view.document.splits.spreads?.columns ?? {};
      const rows = facts.weeks(view.document, view.from, view.to);
      const x = rows.map((row) => facts.isoOf(view.document.first, Math.max(day[row], view.from)));
      const data = [], annotations = [], layout = {};
      const count = spec.panels.length, height = (1 - 0.14 * (count - 1)) / count;
      spec.panels.forEach(([name, measure, unit, role], index) => {
        const yaxis = index ? `y${index + 1}` : "y", top = 1 - index * (height + 0.14);
        const panel = [["median", "solid", "circle"], ["p95", "dot", "diamond"]].map(([level, dash, symbol]) => {
          const each = rows.map((row) => values[`${measure}_${level}`][row]);
          return { type: "scatter", mode: "lines+markers", x, yaxis, connectgaps: false, cliponaxis: false,
            name: level === "median" ? "Median" : "95th percentile", showlegend: index === 0,
            y: each, line: { color: role, dash, width: 1.5 }, marker: { color: role, symbol, size: 5 },
            customdata: each.map((value) => numbers.figure("value", unit, { value: value === null ? null : unit === "tokens" ? BigInt(value) : value })),
            hovertemplate: `${name}, ${level === "median" ? "median" : "95th percentile"} %{customdata}<extra></extra>` };
        });
        layout[`yaxis${index ? index + 1 : ""}`] = { ...axis(panel.flatMap((trace) => trace.y), unit), domain: [Math.max(top - height, 0), top] };
        annotations.push(note(name, { x: 0, xref: "paper", xanchor: "left", y: top, yref: "paper" }));
        data.push(...panel);
      });
      const [first, last] = [facts.isoOf(view.document.first, view.from), facts.isoOf(view.document.first, view.to)];
      return { data, layout: { ...layout, annotations, hoversubplots: "axis", margin: { t: 24 }, showlegend: true, legend: LEGEND,
        xaxis: { ...timeAxis(first, last), anchor: count > 1 ? `y${count}` : "y" } } };
    },

    // The cost of a month as it adds up, against the month before, with the range of its end.
    month: (spec) => {
      const line = (values, name, style) => ({ type: "scatter", mode: "lines", name, x: values.map((_, index) => index + 1),
        y: values.map((each) => each[0]), customdata: values.map((each) => each[1]),
        hovertemplate: `${name} %{customdata}<extra></extra>`, ...style });
      const data = [line(spec.before, "Month before", { line: { color: "@others", width: 1.5 } }),
        line(spec.now, "This month", { line: { color: "@cost", width: 2.5 } })];
      if (spec.range) {
        const { from, to, start, low, middle, high, text } = spec.range;
        data.push({ type: "scatter", mode: "lines", x: [from, to, to, from], y: [start, high, low, start], fill: "toself",
          fillcolor: "@band", line: { width: 0 }, hoverinfo: "skip", name: "Range", showlegend: false });
        data.push({ type: "scatter", mode: "lines", x: [from, to], y: [start, middle], name: "Expected",
          line: { color: "@cost", dash: "dash", width: 1.5 }, customdata: ["", text], hovertemplate: "Month end %{customdata}<extra></extra>" });
      }
      const top = data.flatMap((trace) => trace.y);
      return { data, layout: { showlegend: true, legend: LEGEND, hovermode: "closest",
        xaxis: { range: [0.5, spec.days + 0.5], dtick: 5, tick0: 5 }, yaxis: axis(top, "usd") } };
    },
  };

  const ordered = (groups, order, isSmallLast = false) => {
    const byName = (a, b) => (a.key[0].toLowerCase() < b.key[0].toLowerCase() ? -1 : 1);
    if (order === "newest") return groups.sort((a, b) => Number(b.key[0].slice(1) || -1) - Number(a.key[0].slice(1) || -1) || byName(a, b));
    const size = (group) => group.values[order] ?? 0n;
    const isSmall = (group) => isSmallLast && group.values.finished_count < numbers.SMALL_SAMPLE;
    return groups.filter((each) => !isSmallLast || each.values.finished_count).sort((a, b) => isSmall(a) - isSmall(b) || (size(a) === size(b) ? byName(a, b) : size(a) < size(b) ? 1 : -1));
  };
  // What tells a part apart, after its name: of a model that several providers run, the provider.
  const apartOf = (spec, groups) => {
    const count = (name) => groups.filter((each) => each.key[0] === name).length;
    return ({ key: [name, provider] }) => (spec.split === "models" && count(name) > 1 ? ` (${provider})` : "");
  };
  // Rows that the page brings are those of no choice; a split gives those of any.
  const barRows = (spec, view) => (spec.rows && !(view.isChosen && spec.split) ? spec.rows : ranked(spec, view));
  const failingGroups = (spec, view) => {
    if (!view.isChosen) return spec.rows.map(({ key, values }) => ({ key, values: Object.fromEntries(
      Object.entries(values).map(([name, value]) => [name, value === null ? null : BigInt(value)])) }));
    return ordered(facts.split(view.document, spec.split, view.from, view.to), spec.order, true).slice(0, SHOWN_RATES);
  };
  const hrefOf = (spec, view, index) => (spec.kind === "failing" ? failingGroups(spec, view)[index].key[1]
    : barRows(spec, view)[index].href);
  const ranked = (spec, view) => {
    const measure = spec.order;
    const groups = ordered(facts.split(view.document, spec.split, view.from, view.to), measure);
    const bar = (label, value, role, href) => ({ label, role, href, values: [position(value, spec.unit)],
      texts: [numbers.figure("value", spec.unit === "usd" ? "usd_headline" : spec.unit, { value })] });
    const sum = (values) => values.reduce((a, b) => a + (b ?? 0n), 0n);
    const apart = apartOf(spec, groups);
    const rows = groups.slice(0, SHOWN_BARS).map((each) => (
      { ...bar(each.key[0], each.values[measure], undefined, spec.linked && each.key[1]), apart: apart(each) }));
    const hidden = groups.slice(SHOWN_BARS);
    if (hidden.length) rows.push(bar(numbers.plural(hidden.length, "other"), sum(hidden.map((each) => each.values[measure])), "@others"));
    if (spec.rest) {
      const whole = facts.over(view.document, view.from, view.to)[spec.total] ?? 0n;
      const rest = whole - sum(groups.map((each) => each.values[measure]));
      if (rest > 0n) rows.push(bar(spec.rest, rest, "@others"));
    }
    return rows;
  };
  const AXIS = { fixedrange: true, automargin: true, gridcolor: "@grid", linecolor: "@control",
    zeroline: false, ticks: "", tickangle: 0, tickfont: { color: "@muted" } };
  const layoutOf = (layout) => {
    const whole = {
      font: { family: getComputedStyle(document.body).fontFamily, size: 12, color: "@text" },
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
      dragmode: false, showlegend: false, hovermode: "x unified", ...layout,
      hoverlabel: { namelength: -1, bgcolor: "@page", bordercolor: "@control", font: { color: "@text" } },
      margin: { l: 56, r: 12, t: 20, b: 28, ...layout.margin },
    };
    for (const key of Object.keys(whole)) {
      if (key.startsWith("yaxis")) whole[key] = { ...AXIS, ...whole[key] };
      if (key.startsWith("xaxis")) whole[key] = { ...AXIS, showgrid: false, showline: true, ...whole[key] };
    }
    return painted(whole);
  };

  // Draws a chart for a view: a document, and the first and last of its days.
  const draw = (plot, spec, view) => {
    const { data, layout } = KINDS[spec.kind](spec, view);
    return Plotly.react(plot, painted(data), layoutOf(layout), CONFIG);
  };

  return { draw, ordered, apartOf, hrefOf };
})();
