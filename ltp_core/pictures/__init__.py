"""Pictures for a paper and for docs/: vector files of measured rows, and of traces."""
