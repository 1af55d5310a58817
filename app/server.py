"""Start of the lab with its own addresses beside Streamlit's pages: `streamlit run app/server.py`.

`streamlit run app/main.py` serves the same pages without them; then nobody answers while a line is dragged.
"""

import streamlit as st

from app.live.routes import routes
from app.live.store import Store
from app.live.supply import Supply

app = st.App("main.py", routes=routes(Supply(Store())))
