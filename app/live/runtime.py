"""Where onnxruntime-web is: `make app` and `make setup` let npm fetch it into node_modules."""

import os
from dataclasses import dataclass
from pathlib import Path

VARIABLE = "LTP_LAB_ONNXRUNTIME_WEB"  # a folder with the two files, for a lab that was installed without npm
MODULE, WASM = "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm"
_INSTALLED = "node_modules/onnxruntime-web/dist"


@dataclass(frozen=True)
class WebRuntime:
    """ONNX Runtime for a browser.

    Attributes:
        module: the JavaScript, a module that needs no other.
        wasm: the WebAssembly.
    """

    module: Path
    wasm: Path


def web_runtime() -> WebRuntime | None:
    """The runtime, if it is here."""
    named = os.environ.get(VARIABLE)
    folders = (
        [Path(named).expanduser()] if named else [p / _INSTALLED for p in Path(__file__).resolve().parents]
    )
    for folder in folders:  # as Node looks: beside this file, then a folder up, and so on
        found = WebRuntime(folder / MODULE, folder / WASM)
        if found.module.is_file() and found.wasm.is_file():
            return found
    return None
