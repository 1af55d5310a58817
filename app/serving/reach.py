"""Where phones reach the lab that a teacher has open."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from app.serving.settings import LOOPBACK

HERE_ONLY = (
    "Phones and other machines cannot open this address, which is this machine’s own: start the lab by “make "
    "app HOST=0.0.0.0” or “ltp lab --host 0.0.0.0”."
)


def origin(url: str, listens: str, own: str) -> tuple[str, str | None]:
    """The beginning of an address for phones, and a notice if there is none that they can open.

    Args:
        url: what the teacher's browser has open; also behind a proxy.
        listens: the address that the server listens on.
        own: this machine's address in its network, if it is known.
    """
    seen = urlsplit(url)
    if not _here(seen.hostname or ""):
        return f"{seen.scheme}://{seen.netloc}", None
    if listens in LOOPBACK or not own or _here(own):
        return f"{seen.scheme}://{seen.netloc}", HERE_ONLY
    host = f"[{own}]" if ":" in own else own
    port = f":{seen.port}" if seen.port else ""
    return f"{seen.scheme}://{host}{port}", None


def _here(host: str) -> bool:
    """Whether a host is, for whoever asks for it, the machine that asks."""
    if host.rpartition(".")[2] == "localhost":
        return True
    try:
        number = ip_address(host)
    except ValueError:
        return False
    return number.is_loopback or number.is_unspecified
