"""A link as a QR code."""

import segno
from segno.encoder import DataOverflowError

LARGEST = 22  # versions: 105 modules a side, as many as a phone still reads from a projector across a room


def qr(link: str) -> str | None:
    """The code as an SVG in a ``data:`` address, black on white in any theme; None for too long a link."""
    try:
        code = segno.make_qr(link, error="l")  # and more, where that costs no room
    except DataOverflowError:
        return None
    if int(code.version) > LARGEST:
        return None
    return code.svg_data_uri(omitsize=True, dark="#000", light="#fff", border=4)
