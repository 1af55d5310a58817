"""One colour language for all figures: orange is little attention and leaving, blue is much and staying.

Dense (nothing pruned) is grey, pruned is blue. The scales stay apart under protanopia, deuteranopia and
tritanopia: they differ in lightness as well as in hue. Pictures in docs and papers have the
light ones, too (`ltp_core.pictures.colours`; a test holds them equal, as this module is read before anything
that takes long to import).
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of a figure on one background.

    Attributes:
        ground: what the figure stands on.
        raised: a lane or a card on it.
        text: words and numbers.
        muted: words that come second.
        grid: thin lines.
        line: axes, outlines and the cells of tokens that have left.
        dropped: the mark where a token leaves, and the threshold that decides it.
        dense: what runs with nothing pruned; of two parts, the FFN.
        dense_light: the attention of what runs with nothing pruned.
        pruned: what runs pruned, and tokens that stay; of two parts, the FFN.
        pruned_light: the attention of what runs pruned.
        importance: ten steps from an eighth of the average to eight times it; the average is between
            the fifth and the sixth, which are equal.
        attention: ten steps from none to most.
    """

    ground: str
    raised: str
    text: str
    muted: str
    grid: str
    line: str
    dropped: str
    dense: str
    dense_light: str
    pruned: str
    pruned_light: str
    importance: tuple[str, ...]
    attention: tuple[str, ...]

    @property
    def kept(self) -> str:
        """A token that stays: as what runs pruned."""
        return self.pruned


REACH = 3  # the scale of importance runs from 2^-3 to 2^3 times the average; what lies beyond takes its end

WHITE = "#ffffff"

LIGHT = Palette(
    ground="#ffffff",
    raised="#f6f7f9",
    text="#0f151c",
    muted="#56606b",
    grid="#dde1e6",
    line="#f0f2f4",
    dropped="#b34700",
    dense="#7d8894",
    dense_light="#bcc4cd",
    pruned="#2b6cb0",
    pruned_light="#83b1df",
    importance=(
        "#b34700",
        "#c6651b",
        "#d9822f",
        "#c49d81",
        "#aab3c0",
        "#aab3c0",
        "#7e9dc4",
        "#4f86c6",
        "#2e619f",
        "#0b3d7a",
    ),
    attention=(
        "#e9eff7",
        "#c9dbef",
        "#aac6e7",
        "#8bb2df",
        "#6b9dd6",
        "#5289c7",
        "#4074b3",
        "#2e619f",
        "#1d4d8b",
        "#0a3a78",
    ),
)

DARK = Palette(
    ground="#15181c",
    raised="#1b1f25",
    text="#e6e9ed",
    muted="#a7b0ba",
    grid="#343c46",
    line="#1d2228",
    dropped="#ff9a3d",
    dense="#7b8693",
    dense_light="#4a535e",
    pruned="#6ea8e0",
    pruned_light="#35618f",
    importance=(
        "#ff9a3d",
        "#db883f",
        "#b8763f",
        "#836857",
        "#4d5763",
        "#4d5763",
        "#56799c",
        "#5b9bd8",
        "#88bdec",
        "#b5e0ff",
    ),
    attention=(
        "#20272f",
        "#28384b",
        "#2f4a68",
        "#365d87",
        "#3c70a7",
        "#4c85c0",
        "#669bd0",
        "#80b2e0",
        "#9ac9ef",
        "#b5e0ff",
    ),
)


# The colours of rules (`ltp_core.pictures.colours`, made for white paper) on the dark ground. Lighter ones
# alone would not do: two blues that are apart on paper come together. Of about the same hue as there, with a
# contrast of 4.5 at least, and 24 apart in CIELAB; 16 under protanopia, deuteranopia and tritanopia.
RULES_IN_THE_DARK = {
    "#0072b2": "#2f86ee",
    "#d55e00": "#d9633a",
    "#009e73": "#5fe0a0",
    "#cc79a7": "#c565b8",
    "#56b4e9": "#b0d4ff",
    "#e69f00": "#f0ba3b",
    "#7d8894": "#7f8590",
}


def contrast(one: str, other: str) -> float:
    """How much two colours differ in lightness, from 1 to 21, as WCAG counts it; text needs 4.5."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def on_ground(colour: str, palette: Palette) -> str:
    """A colour that was made for white paper, as it is on this ground.

    In the dark a rule has one of its own; any other is so much lighter that it stands out as text must.
    """
    if palette is not LIGHT and colour in RULES_IN_THE_DARK:
        return RULES_IN_THE_DARK[colour]
    parts = [int(colour[start : start + 2], 16) for start in (1, 3, 5)]
    mixed = colour
    while palette is not LIGHT and contrast(mixed, palette.ground) < 4.5:
        parts = [part + (255 - part) // 16 + 1 for part in parts]
        mixed = "#" + "".join(f"{min(part, 255):02x}" for part in parts)
    return mixed


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def css_variables() -> str:
    """The colours for style sheets, as ``--ltp-…`` that follow the theme."""
    names = ("ground", "raised", "text", "muted", "grid", "line", "dropped", "kept", "dense")
    pairs = {name: (getattr(LIGHT, name), getattr(DARK, name)) for name in names}
    pairs["bar"] = LIGHT.pruned_light, DARK.pruned_light
    levels = enumerate(zip(LIGHT.importance, DARK.importance, strict=True))
    pairs |= {f"i{level}": both for level, both in levels}
    rules = (f"--ltp-{name}: light-dark({light}, {dark});" for name, (light, dark) in pairs.items())
    return f":root {{ {' '.join(rules)} }}"


def level(share: float, entering: int) -> int:
    """Which of the ten colours of importance: 0 an eighth of the average or less, 9 eight times or more."""
    doublings = max(-REACH, min(REACH, math.log2(share * entering))) if share > 0 else -REACH
    half = 4 * (doublings + REACH) / REACH if doublings < 0 else 5 + 4 * doublings / REACH
    return math.floor(half + 0.5)


def sequential(colours: tuple[str, ...]) -> list[tuple[float, str]]:
    """Ten colours as a Plotly scale that spreads out small values: colour k sits at (k / 9)²."""
    last = len(colours) - 1
    return [((step / last) ** 2, colour) for step, colour in enumerate(colours)]
