"""Start of the lab: the list of pages. `streamlit run app/main.py`."""

import streamlit as st

st.set_page_config(
    page_title="LTP Lab",
    layout="wide",
    menu_items={"About": "LTP Lab: watch a trained model prune the tokens of your sentence."},
)
st.navigation([st.Page("pages/explore.py", title="Explore", default=True)], position="top").run()
