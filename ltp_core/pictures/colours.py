"""The colours, markers and dashes of all pictures, as plain strings; the lab's light theme has the same ones.

A word that leaves is orange, and what stays is blue, wherever it is drawn.
"""

TEXT, MUTED, GRID = "#0f151c", "#56606b", "#dde1e6"
KEPT = "#2b6cb0"  # what stays, and what runs pruned
DROPPED = "#b34700"  # what leaves, and the threshold that decides it
DENSE = "#7d8894"  # what runs with nothing pruned
GONE = "#f0f2f4"  # a token that has left before
# From an eighth of the average share of attention to eight times it; the average is in the middle.
IMPORTANCE = (
    *("#b34700", "#c6651b", "#d9822f", "#c49d81", "#aab3c0"),
    *("#aab3c0", "#7e9dc4", "#4f86c6", "#2e619f", "#0b3d7a"),
)
# From no attention to most of it.
ATTENTION = (
    *("#e9eff7", "#c9dbef", "#aac6e7", "#8bb2df", "#6b9dd6"),
    *("#5289c7", "#4074b3", "#2e619f", "#1d4d8b", "#0a3a78"),
)

# Okabe and Ito's colours, apart under the common colour blindnesses; shapes and dashes say it again.
RULES = {
    "ltp": ("#0072b2", "circle", "solid"),
    "topk": ("#d55e00", "square", "solid"),
    "lat": ("#009e73", "diamond", "solid"),
    "manual": ("#cc79a7", "triangle-up", "dash"),
    "manual/calibrated": ("#56b4e9", "triangle-down", "dash"),
    "manual/flat": ("#e69f00", "cross", "dash"),
    "topk/untrained": ("#d55e00", "square-open", "dot"),
    "lat/untrained": ("#009e73", "diamond-open", "dot"),
    "random": ("#7d8894", "x", "dot"),
}
SPARE = "#a65e2e", "#6a51a3", "#5f6b00"  # of rules that have no style of their own
PLAIN = ("circle-open", "dashdot")


def rule_style(rule: str) -> tuple[str, str, str]:
    """Colour, marker and dash of a rule: its own, or else one that its name alone decides."""
    if rule in RULES:
        return RULES[rule]
    return (SPARE[sum(rule.encode()) % len(SPARE)], *PLAIN)
