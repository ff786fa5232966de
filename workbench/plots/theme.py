"""Colours and layout of every figure, in a light and a dark form.

Nothing is set globally: a figure gets its template as an argument, so two sessions with different
themes cannot change each other's figures.
"""

import html
from dataclasses import dataclass

import plotly.graph_objects as go

FONT = "system-ui, -apple-system, 'Segoe UI', 'Source Sans 3', 'Liberation Sans', sans-serif"


@dataclass(frozen=True)
class Palette:
    """Colours that stay apart for readers who see red and green alike.

    Attributes
    ----------
    positive, negative
        Blue and vermilion; they differ in hue for every common kind of colour blindness.
    size
        For amounts without a sign.
    low, middle, high
        Feature values in the beeswarm; lightness changes steadily, so they also read in grey, and
        a high value is what stands out from the background.
    missing
        Points whose feature value is not known.
    classes
        Lines and bars of up to six classes; lines also differ in their dashes.
    """

    text: str
    muted: str
    grid: str
    surface: str
    positive: str
    negative: str
    size: str
    others: str
    low: str
    middle: str
    high: str
    missing: str
    whisker: str
    haze: str
    classes: tuple[str, ...]

    @property
    def scale(self) -> list[list[float | str]]:
        """Colour scale of feature values from low to high, as plotly takes it."""
        return [[0.0, self.low], [0.5, self.middle], [1.0, self.high]]


LIGHT = Palette(
    text="#1f2328",
    muted="#57606a",
    grid="#e4e8ec",
    surface="#ffffff",
    positive="#1f6feb",
    negative="#c2410c",
    size="#4f6d8f",
    others="#8c959f",
    low="#7cc8c1",
    middle="#2b83ba",
    high="#4a1a7d",
    missing="#a8afb7",
    whisker="#24292f",
    haze="rgba(87, 96, 106, 0.22)",
    classes=("#1f6feb", "#c2410c", "#0f7b6c", "#8a3ffc", "#8a6100", "#57606a"),
)
DARK = Palette(
    text="#e6edf3",
    muted="#9da7b3",
    grid="#2a313a",
    surface="#0d1117",
    positive="#58a6ff",
    negative="#f0883e",
    size="#8fa8c4",
    others="#6e7681",
    low="#5a4fb0",
    middle="#3fa0cc",
    high="#d3f5c8",
    missing="#6e7681",
    whisker="#f0f6fc",
    haze="rgba(157, 167, 179, 0.25)",
    classes=("#58a6ff", "#f0883e", "#3fc1a9", "#c297ff", "#e3c04f", "#9da7b3"),
)


def palette(*, dark: bool) -> Palette:
    """Return the colours of a theme."""
    return DARK if dark else LIGHT


def template(*, dark: bool) -> go.layout.Template:
    """Return the layout that all figures of a theme share; the background is transparent."""
    colours = palette(dark=dark)
    axis = {
        "gridcolor": colours.grid,
        "linecolor": colours.grid,
        "zeroline": False,
        "automargin": True,
        "tickfont": {"color": colours.muted, "size": 12},
        "title": {"font": {"color": colours.muted, "size": 13}, "standoff": 12},
    }
    return go.layout.Template(
        layout={
            "font": {"family": FONT, "size": 13, "color": colours.text},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "margin": {"l": 12, "r": 24, "t": 28, "b": 12},
            "colorway": [colours.positive, colours.negative, colours.size, colours.others],
            "showlegend": False,
            "xaxis": axis,
            "yaxis": axis,
            "hoverlabel": {
                "align": "left",
                "bgcolor": colours.surface,
                "bordercolor": colours.muted,
                "font": {"color": colours.text, "size": 13},
            },
        }
    )


# Dashes of the lines of up to six classes, for readers who cannot tell the colours apart.
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def blended(ground: str, ink: str, share: float) -> str:
    """Mix two colours; all of ``ink`` at 1.

    Examples
    --------
    >>> blended("#ffffff", "#1f6feb", 0.5)
    '#8fb7f5'
    """
    one, other = _channels(ground), _channels(ink)
    mixed = (round(a + share * (b - a)) for a, b in zip(one, other, strict=True))
    return "#" + "".join(f"{channel:02x}" for channel in mixed)


def ink_on(ground: str) -> str:
    """Return black or white, whichever stands out more: its contrast is at least 4.5.

    Examples
    --------
    >>> ink_on("#ffffff"), ink_on("#0d1117")
    ('#000000', '#ffffff')
    """
    return max(("#000000", "#ffffff"), key=lambda text: contrast(text, ground))


def contrast(one: str, other: str) -> float:
    """Contrast of two colours as WCAG 2 defines it, from 1 to 21.

    Examples
    --------
    >>> round(contrast("#000000", "#ffffff"), 3)
    21.0
    """
    darker, lighter = sorted(_luminance(colour) for colour in (one, other))
    return (lighter + 0.05) / (darker + 0.05)


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    linear = [
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4
        for c in (channel / 255 for channel in _channels(colour))
    ]
    return sum(a * b for a, b in zip(linear, (0.2126, 0.7152, 0.0722), strict=True))


def escaped(text: str) -> str:
    """Make a user's text mean itself in a figure: no markup, no TeX.

    Examples
    --------
    >>> escaped("<b>$5$</b>")
    '&lt;b&gt;&#36;5&#36;&lt;/b&gt;'
    """
    # plotly reads &lt; &gt; &amp; and numbered entities, but not &quot;.
    return html.escape(text, quote=False).replace("$", "&#36;")
