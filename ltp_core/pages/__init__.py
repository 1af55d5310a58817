"""What `report` writes: Markdown and pictures out of assets/results."""
