"""The end of a measurement that is also a check: figures kept and printed, faults said, an exit code."""

import json
import sys

from ltp_core.results import write_json


def conclude(found, faults, output=None):
    """Print figures, write them to `output` if it is given, and exit with 1 if there are lines of faults."""
    if output:
        write_json(output, found)
    print(json.dumps(found, indent=1))
    for line in faults:
        print(line, file=sys.stderr)
    sys.exit(1 if faults else 0)
