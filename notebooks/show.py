"""Draw a Plotly figure in a notebook: interactive where that is possible, and a picture where it is not."""

import base64
import os
from contextlib import suppress

import plotly.graph_objects as go
from IPython.display import Markdown, display

WIDTH = 900  # px


def show(figure: go.Figure, title: str) -> None:
    """Draw a figure under its finding.

    GitHub and other viewers without Plotly show the picture. It takes a Chrome or Chromium on this machine
    to make one; without it, or with LTP_NOTEBOOK_PICTURES=0, the figure is interactive only.
    """
    display(Markdown(f"**{title}**"))
    figure = go.Figure(figure).update_layout(width=WIDTH, paper_bgcolor="white")
    output = {"application/vnd.plotly.v1+json": figure.to_plotly_json(), "text/plain": title}
    if os.environ.get("LTP_NOTEBOOK_PICTURES") != "0":
        with suppress(RuntimeError, ValueError, ImportError):  # without a browser here
            output["image/png"] = base64.b64encode(figure.to_image("png", scale=1.5)).decode()
    display(output, raw=True)
