"""Whose a run's folder is: one job's, from its first moment on, so that the same command can go on in it."""

import json
from dataclasses import asdict
from pathlib import Path

from ltp_core.data.rows import DataError
from ltp_core.files.whole import part_of, write_whole
from ltp_core.training.job import Job

JOB_FILE = "job.json"


def claim(job: Job, folder: Path) -> None:
    """Write the job into its folder, or check that the folder belongs to this very job."""
    if check_claim(job, folder):
        return
    folder.mkdir(parents=True, exist_ok=True)  # a run that is killed while it writes claims nothing
    write_whole(folder / JOB_FILE, json.dumps(asdict(job), indent=2) + "\n")


def check_claim(job: Job, folder: Path) -> bool:
    """Whether a folder belongs to this very job already; DataError if it holds anything else."""
    file = folder / JOB_FILE
    if file.is_file():
        if Job.of(json.loads(file.read_text(encoding="utf-8"))) != job:
            raise DataError(
                f"{folder} holds another run ({JOB_FILE} differs): choose another --output, or delete it"
            )
        return True
    part = part_of(file)
    if folder.exists() and any(path != part for path in folder.iterdir()):
        raise DataError(f"{folder} is not empty and holds no run to resume: choose another --output")
    return False
