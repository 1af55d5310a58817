"""The lab's pages; app/server.py serves them."""

import streamlit as st
from streamlit import config

from app import jobs, moved, style
from app.components.one_entry import one_entry
from app.components.page_top import page_top
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
    st.Page("views/why.py", title="Why"),
    st.Page("views/compare.py", title="Compare"),
    st.Page("views/evidence.py", title="Evidence"),
    st.Page("views/learn.py", title="Learn"),
    st.Page("views/about.py", title="About"),
    *moved.pages(),
]
style.apply()
if not config.get_option("global.appTest"):  # Streamlit's own test harness serves nobody
    address = config.get_option("server.address")
    if why := settings.refusal(config.get_option) or settings.unguarded(address, st.context.headers):
        st.html(markup.notice(why))
        st.stop()
page = st.navigation(PAGES, position="top")
if page.url_path in moved.MOVED:
    page.run()  # it leads on, and this run ends
page_top(page.url_path)
one_entry()
st.set_page_config(page_title=f"{page.title} · LTP Lab")
session.enter(page.url_path, settings.lost(st.context.headers))
jobs.here()
with style.skeleton(session.memory().opened):
    page.run()
