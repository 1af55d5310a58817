"""Why a token left, and whether it mattered."""
