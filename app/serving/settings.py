"""How the lab may be served: as `app/.streamlit/config.toml` says, or not at all.

Streamlit reads that file for the script that it runs, from whichever folder it is started. Its flags, and
variables of the environment, come later and win; so what is in force is compared with what is written.
"""

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

SETTINGS = Path(__file__).resolve().parents[1] / ".streamlit" / "config.toml"
FREE = {  # whoever starts the lab may choose these
    "server.address",
    "server.port",
    "server.headless",
    "server.fileWatcherType",
}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
VISITOR = "ltp_visitor"  # a cookie with a random name for the browser, which app/serving/gate.py gives
GATE = "X-Ltp-Gate"  # a header that app/serving/gate.py sets on every connection that it lets through
LOST = "lost"  # what it says of a connection that names a session which is not here any more
_FORWARDED = ("X-Forwarded-For", "X-Forwarded-Host", "X-Real-Ip", "Forwarded")
START = "Start the lab by “ltp lab”, or by “streamlit run” with the file app/server.py."


def refusal(in_force: Callable[[str], Any], file: Path = SETTINGS) -> str | None:
    """Why the lab does not run under these settings of Streamlit, in one line; None if it may.

    Args:
        in_force: name of an option, say ``server.address`` -> its value.
        file: says what they have to be.
    """
    try:
        written = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return "The lab’s settings, app/.streamlit/config.toml, are missing or broken."
    wanted = {
        f"{section}.{name}": value
        for section, values in written.items()
        if section != "theme"
        for name, value in values.items()
    }
    if not in_force("server.address"):
        return f"The lab would listen everywhere: app/.streamlit/config.toml was not read. {START}"
    wrong = [name for name, value in wanted.items() if name not in FREE and in_force(name) != value]
    if wrong:
        said = ", ".join(f"{name} = {in_force(name)!r} instead of {wanted[name]!r}" for name in wrong)
        return f"The lab does not run with these settings of Streamlit: {said}. {START}"
    return None


def lost(headers: Mapping[str, str]) -> str | None:
    """What to say to a page that goes on after its session has gone; None if it has not.

    Streamlit starts the page anew with the address, and without what was done last.
    """
    if headers.get(GATE) != LOST:
        return None
    return "The lab was restarted, or you were away for long: what you did last is not done. Do it again."


def unguarded(address: str | None, headers: Mapping[str, str]) -> str | None:
    """Why a page is not shown without the gate, in one line; None if it is there, or nobody else is.

    `streamlit run app/main.py` has no gate, which is good enough for one person on one machine.
    """
    if headers.get(GATE) or (address in LOOPBACK and not any(map(headers.get, _FORWARDED))):
        return None
    return f"This lab was started without its limits on what visitors may send. {START}"
