"""Trace -> Plotly figure. Pure functions; nothing here runs a model or knows Streamlit."""
