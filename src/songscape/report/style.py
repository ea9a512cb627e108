"""The colours, marker shapes, fonts and number formats of the report."""

import math
import unicodedata
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

# Okabe & Ito (2008), "Color Universal Design"; yellow is last, because it is faint on white.
CATEGORY_COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00"),
    *("#CC79A7", "#56B4E9", "#222222", "#F0E442"),
)
CATEGORY_MARKERS = ("o", "^", "s", "D", "v")
OTHER_COLOR = "#7F7F7F"
MISSING_COLOR = "#BDBDBD"
NOISE_COLOR = "#8C8C8C"
INK = "#222222"
FAINT = "#D9D9D9"
SEQUENTIAL = "Blues"
DIVERGING = "RdBu_r"
DPI = 110

# Only the ones that are installed are used; the order decides who draws a shared letter.
_NOTO = ("", " Bengali", " Devanagari", " Arabic", " Tamil", " Telugu", " Thai", " CJK JP")
_FONT_PREFERENCE = (
    "DejaVu Sans",
    *(f"Noto Sans{script}" for script in (*_NOTO, " CJK SC", " JP", " KR")),
    *("Lohit Bengali", "Lohit Devanagari", "WenQuanYi Zen Hei", "IPAGothic", "FreeSans"),
    *("Nirmala UI", "Yu Gothic", "Malgun Gothic", "Microsoft YaHei"),
    *("Kohinoor Bangla", "Kohinoor Devanagari", "Hiragino Sans", "Apple SD Gothic Neo"),
    *("Arial Unicode MS", "Unifont"),
)


@lru_cache(maxsize=1)
def font_chain() -> tuple[str, ...]:
    """Return the installed font families to try in turn; naming others would make findfont warn."""
    from matplotlib import font_manager

    installed = {entry.name for entry in font_manager.fontManager.ttflist}
    return tuple(name for name in _FONT_PREFERENCE if name in installed) or ("sans-serif",)


@lru_cache(maxsize=1)
def _drawable_characters() -> frozenset[int]:
    from matplotlib import font_manager, ft2font

    characters: set[int] = set()
    for family in font_chain():
        path = font_manager.findfont(font_manager.FontProperties(family=[family]))
        characters.update(int(code) for code in ft2font.FT2Font(str(path)).get_charmap())
    return frozenset(characters)


def drawable(text: object) -> str:
    """Return ``text`` if the installed fonts can draw it, else a name for what is missing.

    A picture must not show empty boxes: `গান` without a Bengali font becomes `‹Bengali, 3 letters›`.
    Dollar signs are escaped, since matplotlib would read them as mathematics.
    """
    words = " ".join(str(text).split())
    known = _drawable_characters()
    missing = [c for c in words if ord(c) not in known and unicodedata.category(c) != "Cf"]
    if not missing:
        return words.replace("$", r"\$")
    letters = [c for c in missing if unicodedata.category(c)[0] in "LM"]
    if not letters:
        kept = "".join(c for c in words if c not in missing).strip()
        return kept.replace("$", r"\$") or "‹symbol›"
    script = unicodedata.name(letters[0], "unknown script").split()[0]
    script = script if script == "CJK" else script.capitalize()
    return f"‹{script}, {len(letters)} letter{'s' if len(letters) > 1 else ''}›"


def shorten(text: object, width: int = 24) -> str:
    """Return ``text`` cut to at most ``width`` characters, with an ellipsis where it was cut."""
    words = " ".join(str(text).split())
    return words if len(words) <= width else words[: width - 1].rstrip() + "…"


def number(value: float, digits: int = 3) -> str:
    """Format a figure for reading: fixed digits, a real minus sign, an en dash where there is none.

    Numbers from 1,000 on lose their decimals and gain thousands separators.
    """
    if not math.isfinite(value):
        return "–" if math.isnan(value) else "∞" if value > 0 else "−∞"
    text = f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.{digits}f}"
    if float(text.replace(",", "")) == 0:
        text = text.lstrip("-")
    return text.replace("-", "−")


def share(value: float) -> str:
    """Format a share between 0 and 1 as per cent, with a no-break space; a trace stays `<1 %`."""
    if math.isnan(value):
        return "–"
    text = "<1" if 0 < value < 0.01 else ">99" if 0.99 < value < 1 else f"{100 * value:.0f}"
    return f"{text}\u00a0%"


def levels(name: str) -> "Colormap":
    """Return a colour map in 61 steps, few enough to survive the palette of `png_bytes`."""
    import matplotlib

    return matplotlib.colormaps[name].resampled(61)


def new_figure(width: float, height: float) -> "Figure":
    """Return an empty figure of that size in inches, laid out by itself, unknown to pyplot."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def plain_axes(axes: "Axes") -> None:
    """Take away what a chart does not need and draw faint grid lines behind the rest."""
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)


def finish(figure: "Figure", heading: str, size: int = 11) -> "Figure":
    """Put a heading over a figure, give every text the installed font chain, return the figure."""
    from matplotlib.text import Text

    figure.suptitle(drawable(heading), fontsize=size, weight="bold")
    families = list(font_chain())
    for text in figure.findobj(Text):
        text.set_fontfamily(families)
    for axes in figure.axes:
        axes.tick_params(labelfontfamily=families)
    return figure


def png_bytes(figure: "Figure", *, dpi: int = DPI) -> bytes:
    """Return the figure as PNG of at most 256 colours; no software tag, so that runs agree."""
    from PIL import Image

    raw = BytesIO()
    figure.savefig(raw, format="png", dpi=dpi, facecolor="white", metadata={"Software": None})
    raw.seek(0)
    with Image.open(raw) as image:
        small = image.convert("RGB").quantize(
            colors=256, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
        )
    out = BytesIO()
    small.save(out, format="PNG", optimize=True)
    return min(raw.getvalue(), out.getvalue(), key=len)
