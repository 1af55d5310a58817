"""`ltp lab`: the lab, from any folder, always with the settings that lie beside it."""

import os
import runpy
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from ltp_core.files.places import ROOT

OWN_MODELS = "LTP_LAB_OWN_MODELS"  # read by app/visitor/own_models.py
EVERYWHERE = ("0.0.0.0", "::")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def lab(
    host: Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 serves a class.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65_535)] = 8501,
    browser: Annotated[
        bool | None, typer.Option(help="Open a browser window.", show_default="where there is a screen")
    ] = None,
    own_models: Annotated[
        bool,
        typer.Option(
            "--own-models",
            help="Let visitors load any folder or Hub id. Whoever reaches the lab, also through a proxy, "
            "then makes this machine read folders and download.",
        ),
    ] = False,
) -> None:
    """Start the lab.

    Example: ltp lab --port 8600
    """
    script = lab_script()
    _check_free(host, port)
    if own_models:
        os.environ[OWN_MODELS] = "on"
    shown = _has_screen() if browser is None else browser
    options: dict[str, object] = {
        "server.address": host,
        "server.port": port,
        "server.headless": not shown,
    }
    if host in EVERYWHERE:
        # Streamlit would ask an outside server for this machine's public address, to print it.
        options["browser.serverAddress"] = _own_address()
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value).lower())]
    if own_models and host in LOOPBACK:  # not by a name that another site gives this machine
        flags += [part for name in LOOPBACK for part in ("--server.allowedHosts", name)]
    sys.argv = ["streamlit", "run", str(script), *flags]
    sys.path.insert(0, str(script.parents[1]))  # where the package `app` lies
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def lab_script() -> Path:
    """The file that starts the lab.

    Raises:
        ValueError: if it is not there.
    """
    script = ROOT / "app" / "server.py"
    if not script.is_file():
        raise ValueError(f"the lab is not part of this installation: {script} is missing")
    return script


def _check_free(host: str, port: int) -> None:
    """Say in one line that a port is taken, or an address not ours, before all else."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            if os.name != "nt":
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        raise ValueError(f"cannot listen on {host} port {port}: {error}; choose another --port") from None


def _has_screen() -> bool:
    """Whether a browser could be shown: on Linux, where a desktop says so."""
    return not sys.platform.startswith("linux") or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY")))


def _own_address() -> str:
    """This machine's address in its network, found without sending anything."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # of a block for documentation: no packet goes out
            return str(probe.getsockname()[0])
        except OSError:
            return socket.gethostname()
