"""Bars as SVG, readable on light and dark pages."""

from collections.abc import Mapping, Sequence
from html import escape
from statistics import median

ROW, LABEL, BAR, VALUE = 26, 250, 420, 150
"""Pixels: height of a line; widths of its three parts."""
STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}.title{font-weight:600}.value{fill:#59636e}
.bar{fill:#8c959f}.ours{fill:#0969da}.range{stroke:#1f2328;stroke-width:1.5}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.value{fill:#9198a1}.bar{fill:#6e7681}.ours{fill:#4493f8}.range{stroke:#f0f6fc}}
"""


def bars(title: str, values: Mapping[str, Sequence[float]], form: str = "{:,.0f}") -> str:
    """A bar for each median, the longest first, with a line from the smallest to the largest value.

    Args:
        values: name -> what was measured; names that begin with "ours" stand out.
        form: of a number.

    Returns:
        The document.
    """
    ordered = sorted(values.items(), key=lambda item: -median(item[1]))
    most = max(max(found) for found in values.values()) or 1
    width, height = LABEL + BAR + VALUE, ROW * (len(ordered) + 1) + 14
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" role="img">',
        f"<title>{escape(title)}</title><style>{STYLE}</style>",
        f'<text class="title" x="0" y="18">{escape(title)}</text>',
    ]
    for number, (name, found) in enumerate(ordered, 1):
        top = number * ROW + 6
        low, middle, high = (LABEL + BAR * each / most for each in (min(found), median(found), max(found)))
        kind = "bar ours" if name.startswith("ours") else "bar"
        lines += [
            f'<text x="{LABEL - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>',
            f'<rect class="{kind}" x="{LABEL}" y="{top + 3}" width="{middle - LABEL:.1f}" height="16" rx="2"/>',
            f'<line class="range" x1="{low:.1f}" x2="{high:.1f}" y1="{top + 11}" y2="{top + 11}"/>',
            f'<text class="value" x="{max(middle, high) + 8:.1f}" y="{top + 15}">{form.format(median(found))}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])
