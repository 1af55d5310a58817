"""`python -m ltp_core`."""

from ltp_core.cli import main

if __name__ == "__main__":
    main()
