"""Numbers from text, as options take them."""


def numbers(text: str, what: str, whole: bool = False) -> list[float]:
    """Read numbers separated by commas.

    Args:
        text: "0.1,0.2".
        what: names the option in the message.
        whole: whether they must be whole and above 0.

    Raises:
        ValueError: if one is no number; or, where whole ones are wanted, not a whole one above 0.
    """
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError:
        raise ValueError(f"{what}: {text!r} is not a list of numbers separated by commas") from None
    if whole and not all(value >= 1 and value.is_integer() for value in values):
        raise ValueError(f"{what}: {text!r} must hold whole numbers above 0")
    return values
