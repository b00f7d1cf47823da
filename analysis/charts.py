"""Charts as inline SVG text. Colours come from the page's CSS variables, so that they follow light and dark."""

import html
import math

# Dashes tell series apart where colours cannot: in print and to colour-blind eyes.
DASHES = ("", "7 3", "2 3", "9 3 2 3", "4 2", "1 2")
MOST_POINTS = 150


def escaped(text):
    """Text for HTML; characters that do not print (and lone surrogates) as their code."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else f"\\u{ord(c):04x}" for c in str(text))
    return html.escape(shown)


def short(value):
    """Three significant figures, at most."""
    if value == 0:
        return "0"
    magnitude = abs(value)
    if magnitude >= 1e6:
        return f"{value / 1e6:.3g}M"
    if magnitude >= 1e4:
        return f"{value / 1e3:.3g}k"
    if magnitude < 1e-3:
        return f"{value:.1e}"
    return f"{value:.3g}" if magnitude < 100 else f"{value:.0f}"


def ticks(low, high, wanted=4):
    """Round numbers within [low, high]."""
    if not high > low:
        return [low]
    raw = (high - low) / wanted
    power = 10 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    found = []
    while first * step <= high + step * 1e-9:
        found.append(round(first * step, 12))
        first += 1
    return found


def thinned(points):
    """[(x, mean, least, greatest)]: points in equal bins where there are too many to draw."""
    if len(points) <= MOST_POINTS:
        return [(x, y, y, y) for x, y in points]
    bins = []
    for index in range(MOST_POINTS):
        part = points[index * len(points) // MOST_POINTS:(index + 1) * len(points) // MOST_POINTS]
        values = [y for _, y in part]
        bins.append((part[len(part) // 2][0], sum(values) / len(values), min(values), max(values)))
    return bins


def line_panel(title, series, zero_based=False, note=""):
    """series: [(name, colour, points)], points [(x, y)] with finite numbers. An empty text where all are empty."""
    drawn = [(name, colour, thinned(points)) for name, colour, points in series]
    if not any(points for _, _, points in drawn):
        return ""
    width, height, left, right, top, bottom = 340, 200, 46, 10, 28, 24
    every = [point for _, _, points in drawn for point in points]
    x_low, x_high = min(p[0] for p in every), max(p[0] for p in every)
    y_low, y_high = min(p[2] for p in every), max(p[3] for p in every)
    if zero_based:
        y_low = min(0.0, y_low)
    if x_high == x_low:
        x_high = x_low + 1
    margin = (y_high - y_low) * 0.05 or abs(y_high) * 0.05 or 1.0
    y_high += margin
    y_low -= 0.0 if zero_based and y_low == 0 else margin

    def at(x, y):
        return (left + (x - x_low) / (x_high - x_low) * (width - left - right),
                height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom))

    out = [f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" aria-label="{escaped(title)}">',
           f'<text class="chart-title" x="{left}" y="14">{escaped(title)}'
           f'<tspan class="tick" dx="6">{escaped(note)}</tspan></text>']
    for tick in ticks(y_low, y_high):
        _, y = at(x_low, tick)
        axis = "zero" if tick == 0 else "grid"
        out.append(f'<line class="{axis}" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text class="tick" x="{left - 6}" y="{y + 3.5:.1f}" text-anchor="end">{short(tick)}</text>')
    for tick in ticks(x_low, x_high):
        x, _ = at(tick, y_low)
        out.append(f'<text class="tick" x="{x:.1f}" y="{height - 8}" text-anchor="middle">{short(tick)}</text>')
    for index, (name, colour, points) in enumerate(drawn):
        if not points:
            continue
        if any(low < high for _, _, low, high in points):
            upper = [at(x, high) for x, _, _, high in points]
            lower = [at(x, low) for x, _, low, _ in reversed(points)]
            band = " ".join(f"{x:.1f},{y:.1f}" for x, y in upper + lower)
            out.append(f'<polygon points="{band}" fill="{colour}" opacity=".15"/>')
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(x, mean) for x, mean, _, _ in points))
        hint = f"{name}: {short(points[0][1])} to {short(points[-1][1])}"
        end_x, end_y = at(points[-1][0], points[-1][1])
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.8" '
                   f'stroke-linejoin="round" stroke-dasharray="{DASHES[index % len(DASHES)]}">'
                   f'<title>{escaped(hint)}</title></polyline>'
                   f'<circle cx="{end_x:.1f}" cy="{end_y:.1f}" r="2.6" fill="{colour}"/>')
    out.append("</svg>")
    return "".join(out)


def reliability(title, colour, bins, after):
    """Share right against confidence, both in [0.5, 1] and [0, 1]; bins as evaluate::judge_report has them, `after` hollow."""
    def dots_of(rows):
        found = [(row.get("mean_confidence"), row.get("share_right"), row.get("count") or 0) for row in rows if isinstance(row, dict)]
        return [(x, y, count) for x, y, count in found if isinstance(x, (int, float)) and isinstance(y, (int, float)) and count > 0]

    drawn, hollow = dots_of(bins), dots_of(after)
    if not drawn:
        return ""
    width, height, left, right, top, bottom = 340, 230, 46, 14, 28, 34

    def at(x, y):
        return left + (x - 0.5) / 0.5 * (width - left - right), height - bottom - y * (height - top - bottom)

    out = [f'<svg class="panel" viewBox="0 0 {width} {height}" role="img" aria-label="Reliability of {escaped(title)}">',
           f'<text class="chart-title" x="{left}" y="14">{escaped(title)}</text>']
    for tick in (0, 0.25, 0.5, 0.75, 1):
        _, y = at(0.5, tick)
        out.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text class="tick" x="{left - 6}" y="{y + 3.5:.1f}" text-anchor="end">{tick * 100:.0f} %</text>')
    for tick in (0.5, 0.6, 0.7, 0.8, 0.9, 1):
        x, _ = at(tick, 0)
        out.append(f'<text class="tick" x="{x:.1f}" y="{height - 19}" text-anchor="middle">{tick * 100:.0f}</text>')
    out.append(f'<text class="tick" x="{(left + width - right) / 2}" y="{height - 4}" text-anchor="middle">confidence, %</text>')
    (x_1, y_1), (x_2, y_2) = at(0.5, 0.5), at(1, 1)
    out.append(f'<line class="even" x1="{x_1:.1f}" y1="{y_1:.1f}" x2="{x_2:.1f}" y2="{y_2:.1f}"/>')
    most = max(count for _, _, count in drawn + hollow)
    for points, is_after in ((drawn, False), (hollow, True)):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(x, y) for x, y, _ in points))
        dash = ' stroke-dasharray="3 3"' if is_after else ""
        out.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="1.2" opacity=".6"{dash}/>')
        for x, y, count in points:
            hint = f"{count} verdicts: confidence {x * 100:.1f} %, right {y * 100:.1f} %"
            place_x, place_y = at(x, y)
            fill = "var(--paper)" if is_after else colour
            out.append(f'<circle cx="{place_x:.1f}" cy="{place_y:.1f}" r="{2 + 7 * math.sqrt(count / most):.1f}" fill="{fill}" '
                       f'fill-opacity=".75" stroke="{colour}"><title>{escaped(hint)}</title></circle>')
    out.append("</svg>")
    return "".join(out)


def cost_curve(curves, marks, in_dollars=True):
    """Agreement against dollars a thousand, else against a share. curves: [(name, [(x, agreement)])]; marks: [(label, x, agreement,
    Rate or None)]."""
    def shown(x):
        return f"${x:.3g}" if in_dollars else f"{x * 100:.3g} %"

    every = [point for _, points in curves for point in points] + [(x, y) for _, x, y, _ in marks]
    every += [(x, value) for _, x, _, found in marks if found is not None and found.has_interval for value in (found.low, found.high)]
    if not every:
        return ""
    width, height, left, right, top, bottom = 860, 320, 64, 30, 18, 44
    x_high = max(x for x, _ in every) * 1.06 or 1.0
    y_low, y_high = min(y for _, y in every), max(y for _, y in every)
    margin = (y_high - y_low) * 0.12 or 0.02
    y_low, y_high = max(0.0, y_low - margin), min(1.0, y_high + margin)

    def at(x, y):
        return left + x / x_high * (width - left - right), height - bottom - (y - y_low) / (y_high - y_low) * (height - top - bottom)

    axis = "dollars a thousand pairs" if in_dollars else "share of pairs that the next judge is asked"
    out = [f'<svg class="wide" viewBox="0 0 {width} {height}" role="img" aria-label="Agreement against cost">']
    for tick in ticks(y_low, y_high, 5):
        _, y = at(0, tick)
        out.append(f'<line class="grid" x1="{left}" x2="{width - right}" y1="{y:.1f}" y2="{y:.1f}"/>'
                   f'<text class="tick" x="{left - 8}" y="{y + 3.5:.1f}" text-anchor="end">{tick * 100:.3g} %</text>')
    for tick in ticks(0.0, x_high, 6):
        x, _ = at(tick, y_low)
        out.append(f'<text class="tick" x="{x:.1f}" y="{height - bottom + 16}" text-anchor="middle">{shown(tick)}</text>')
    out.append(f'<text class="tick" x="{(left + width - right) / 2}" y="{height - 8}" text-anchor="middle">{axis}</text>')
    for index, (name, points) in enumerate(curves):
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(x, y) for x, y in points))
        out.append(f'<polyline points="{line}" fill="none" stroke="var(--arm-sft)" stroke-width="1.6" '
                   f'stroke-dasharray="{DASHES[index % len(DASHES)]}"><title>{escaped(name)}</title></polyline>')
    keys = []
    for index, (label, x, y, found) in enumerate(marks):
        place_x, place_y = at(x, y)
        colour = f"var(--arm-{index % 6})"
        spread = ""
        if found is not None and found.has_interval:
            spread = f" ({found.low * 100:.1f} – {found.high * 100:.1f})"
            out.append(f'<line x1="{place_x:.1f}" x2="{place_x:.1f}" y1="{at(x, found.low)[1]:.1f}" y2="{at(x, found.high)[1]:.1f}" '
                       f'stroke="{colour}" stroke-width="2.4" stroke-linecap="round"/>')
        text = f"{label}: {y * 100:.1f} %{spread} at {shown(x)}"
        out.append(f'<circle cx="{place_x:.1f}" cy="{place_y:.1f}" r="6.5" fill="{colour}"><title>{escaped(text)}</title></circle>')
        keys.append(f'<span class="key"><span class="dot" style="--colour:{colour}"></span>{escaped(text)}</span>')
    out.append(f'</svg><div class="legend">{"".join(keys)}</div>')
    return "".join(out)


def legend(names_and_colours):
    """The key of line panels: the dash and colour each name has in them."""
    items = []
    for index, (name, colour) in enumerate(names_and_colours):
        items.append(f'<span class="key"><svg viewBox="0 0 30 8" width="30" height="8" aria-hidden="true">'
                     f'<line x1="1" x2="29" y1="4" y2="4" stroke="{colour}" stroke-width="2.4" '
                     f'stroke-dasharray="{DASHES[index % len(DASHES)]}"/></svg>{escaped(name)}</span>')
    return f'<div class="legend">{"".join(items)}</div>'


def forest(rows):
    """rows: [(label, colour, Rate, is_check)] of win rates in [0, 1]; the line at 50 % is no preference."""
    if not rows:
        return ""
    width, left, right, row_height, top = 860, 210, 170, 34, 18
    height = top + row_height * len(rows) + 40
    values = [value for _, _, found, _ in rows
              for value in (found.value, found.low, found.high) if value is not None]
    low = max(0.0, math.floor((min([*values, 0.45]) - 0.01) * 20) / 20)
    high = min(1.0, math.ceil((max([*values, 0.55]) + 0.01) * 20) / 20)

    def at(value):
        return left + (value - low) / (high - low) * (width - left - right)

    bottom = top + row_height * len(rows)
    out = [f'<svg class="wide" viewBox="0 0 {width} {height}" role="img" aria-label="Win rates with intervals">']
    for tick in ticks(low, high, 8):
        out.append(f'<line class="grid" x1="{at(tick):.1f}" x2="{at(tick):.1f}" y1="{top}" y2="{bottom}"/>'
                   f'<text class="tick" x="{at(tick):.1f}" y="{bottom + 16}" text-anchor="middle">{tick * 100:.3g} %</text>')
    out.append(f'<line class="even" x1="{at(0.5):.1f}" x2="{at(0.5):.1f}" y1="{top - 6}" y2="{bottom}"/>'
               f'<text class="tick" x="{at(0.5):.1f}" y="{bottom + 33}" text-anchor="middle">no preference</text>')
    for index, (label, colour, found, is_check) in enumerate(rows):
        y = top + row_height * (index + 0.5)
        text = f"{found.value * 100:.1f} %"
        interval = ""
        if found.has_interval:
            interval = f"{found.low * 100:.1f} – {found.high * 100:.1f}"
            out.append(f'<line x1="{at(found.low):.1f}" x2="{at(found.high):.1f}" y1="{y}" y2="{y}" stroke="{colour}" '
                       f'stroke-width="3" stroke-linecap="round"/>')
        fill = "var(--paper)" if is_check else colour
        out.append(f'<circle cx="{at(found.value):.1f}" cy="{y}" r="6" fill="{fill}" stroke="{colour}" stroke-width="2.4"/>'
                   f'<text class="label" x="{left - 16}" y="{y + 4.5}" text-anchor="end">{escaped(label)}</text>'
                   f'<text class="figure" x="{width - right + 18}" y="{y + 4.5}">{text}'
                   f'<tspan class="tick" dx="8">{interval}</tspan></text>')
    out.append("</svg>")
    return "".join(out)


def bars(rows):
    """rows: [(label, value, text)], horizontal, from zero."""
    if not rows:
        return ""
    width, left, right, row_height = 860, 210, 190, 24
    height = row_height * len(rows) + 8
    greatest = max(value for _, value, _ in rows) or 1.0
    out = [f'<svg class="wide" viewBox="0 0 {width} {height}" role="img" aria-label="Seconds a stage">']
    for index, (label, value, text) in enumerate(rows):
        y = 4 + index * row_height
        length = max(1.5, value / greatest * (width - left - right))
        out.append(f'<text class="label" x="{left - 12}" y="{y + 15.5}" text-anchor="end">{escaped(label)}</text>'
                   f'<rect x="{left}" y="{y + 4}" width="{length:.1f}" height="{row_height - 8}" rx="2" class="bar"/>'
                   f'<text class="tick" x="{left + length + 8:.1f}" y="{y + 15.5}">{escaped(text)}</text>')
    out.append("</svg>")
    return "".join(out)
