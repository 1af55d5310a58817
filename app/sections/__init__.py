"""What pages are made of: each section answers one question about the view, the model or its results."""
