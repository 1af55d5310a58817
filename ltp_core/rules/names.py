"""What measured rules are called on pages and in pictures, and their order; `rules.table` has the rules."""

from ltp_core.rules.table import LTP, RULES, UNTRAINED

LEARNED = "Learned thresholds"  # where they are not the visitor's


def name(rule: str) -> str:
    """The title of a rule in results; a name that no table has stays as it is."""
    if rule == LTP.name:
        return LEARNED
    kind = RULES.get(rule.removesuffix(UNTRAINED))
    if kind is None:
        return rule
    trained = kind.trained is not None and not rule.endswith(UNTRAINED)
    return f"{kind.title}, trained" if trained else kind.title


def order(rule: str) -> tuple[int, bool]:
    """A key that sorts rules as the table has them, each before its untrained form."""
    known = list(RULES)
    base = rule.removesuffix(UNTRAINED)
    return known.index(base) if base in known else len(known), rule.endswith(UNTRAINED)
