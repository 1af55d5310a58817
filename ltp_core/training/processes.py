"""Several processes, as `torchrun` and `accelerate launch` start them; a process alone is the first of one.

Rank 0 claims the folder, asks the teacher and publishes, while the others wait. When a rank dies, the
launcher stops those that wait for it: the job fails, it does not hang.
"""

from datetime import timedelta

import torch
from accelerate import PartialState

PATIENCE = timedelta(hours=12)  # the teacher's pass over a large data set can take longer than 30 minutes


def join(device: torch.device | str) -> PartialState:
    """Join the other processes of the job.

    Args:
        device: says the type of this process's; which one of several it gets depends on its rank.

    Returns:
        Its rank, its device, and ways to wait for the others.
    """
    return PartialState(cpu=torch.device(device).type == "cpu", timeout=PATIENCE)
