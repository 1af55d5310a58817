"""The commands of `python -m ltp_core`, one file each."""
