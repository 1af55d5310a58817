"""The model in the visitor's browser: what the server hands to it, and the worker. README.md has the interface."""
