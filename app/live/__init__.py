"""The model in the visitor's browser: what the server hands to it. README.md has the interface."""
