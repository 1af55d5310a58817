"""The lab: Streamlit pages that draw what `ltp_core` returns."""
