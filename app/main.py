"""The lab's pages; app/server.py serves them."""

import streamlit as st
from streamlit import config

from app import jobs, style
from app.says import markup
from app.serving import settings
from app.visitor import session

# Layout and style come first, so that the page stands where it will stay before anything is drawn.
st.set_page_config(
    page_title="LTP Lab",
    layout="wide",
    menu_items={"About": "LTP Lab: watch a trained model prune the tokens of your sentence."},
)
PAGES = [
    st.Page("views/explore.py", title="Explore", default=True),
    st.Page("views/microscope.py", title="Layer microscope"),
    st.Page("views/compare.py", title="Compare"),
    st.Page("views/cost.py", title="Cost"),
    st.Page("views/dataset.py", title="Data set"),
    st.Page("views/attribution.py", title="Attribution"),
    st.Page("views/what_if.py", title="What if"),
    st.Page("views/learn.py", title="Learn"),
    st.Page("views/about.py", title="About"),
]
style.apply()
if not config.get_option("global.appTest"):  # Streamlit's own test harness serves nobody
    address = config.get_option("server.address")
    if why := settings.refusal(config.get_option) or settings.unguarded(address, st.context.headers):
        st.html(markup.notice(why))
        st.stop()
page = st.navigation(PAGES, position="top")
st.set_page_config(page_title=f"{page.title} · LTP Lab")
session.enter(page.url_path, settings.lost(st.context.headers))
jobs.here()
with style.skeleton(session.memory().opened):
    page.run()
