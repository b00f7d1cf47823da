"""What the pages have in common: figures as text, cells and tables, and the page around them."""

import os
import pathlib

from charts import escaped

NO_FIGURE = '<span class="note">–</span>'


def percent(found, digits=1):
    return f"{round(found.value * 100, digits) + 0.0:.{digits}f} %"  # no minus before nothing


def interval(found):
    """The interval in per cent, its spaces unbreakable."""
    return f"{found.low * 100:.1f}\u00a0–\u00a0{found.high * 100:.1f}" if found.has_interval else ""


def duration(seconds):
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 600:
        return f"{seconds:.0f} s"
    minutes = int(seconds / 60 + 0.5)
    return f"{minutes} min" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def memory(size_bytes):
    return f"{size_bytes / 2**20:.0f} MiB" if size_bytes < 2**30 else f"{size_bytes / 2**30:.1f} GiB"


def dollars(value):
    if value == 0 or abs(value) >= 0.1:
        return f"${value:,.2f}"
    return f"${value:.4f}" if abs(value) >= 1e-4 else f"${value:.1e}"


def share_cell(found):
    """A rate in [0, 1] over a bar of that length, its interval below."""
    if found is None:
        return f"<td>{NO_FIGURE}</td>"
    below = f"<small>{interval(found)}</small>" if found.has_interval else ""
    width = min(1.0, max(0.0, found.value)) * 100
    return f'<td class="share" style="--share:{width:.1f}%">{percent(found)}{below}</td>'


def number_cell(found, digits=3):
    """A number with its interval below."""
    if found is None:
        return f"<td>{NO_FIGURE}</td>"
    below = f"<small>{found.low:.{digits}f}\u00a0–\u00a0{found.high:.{digits}f}</small>" if found.has_interval else ""
    return f"<td>{found.value:.{digits}f}{below}</td>"


def figure_cell(value, form):
    return f"<td>{NO_FIGURE if value is None else escaped(form(value))}</td>"


def row(title, cells, raw=False):
    return f"<tr><td>{title if raw else escaped(title)}</td>{''.join(cells)}</tr>"


def table(head, rows):
    cells = "".join(f"<th>{escaped(name)}</th>" for name in head)
    return f'<div class="scroll"><table><thead><tr>{cells}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def document(title, meta, parts):
    """A whole page: title and a line of facts as plain text, parts as HTML."""
    style = (pathlib.Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    body = "\n".join([f'<h1>{escaped(title)}</h1><p class="meta">{escaped(meta)}</p>', *parts])
    return ('<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta name="viewport" content="width=device-width">'
            f"<title>{escaped(title)}</title>\n<style>\n{style}</style></head>\n<body>\n{body}\n</body></html>\n")


def write_page(output, text):
    """Whole or not at all. Throws OSError."""
    temporary = output.with_name(output.name + ".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, output)
