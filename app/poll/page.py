"""The phone's page: one file with style and script inside, so that a class fetches it in one request each.

No text of anybody is in it: the script asks for the question and writes it as text. Its policy names the
digest of what is inside; nothing else runs, and nothing is loaded.
"""

import base64
import hashlib
from pathlib import Path

from app.figures.colours import css_variables

_HERE = Path(__file__).parent


def _read(name: str) -> str:
    return (_HERE / name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


_STYLE = f"{css_variables()}\n{_read('phone.css')}"
_SCRIPT = _read("phone.js")
PAGE = _read("phone.html").replace("/* style */", _STYLE).replace("/* script */", _SCRIPT)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; script-src 'sha256-{_digest(_SCRIPT)}'; style-src 'sha256-{_digest(_STYLE)}'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
