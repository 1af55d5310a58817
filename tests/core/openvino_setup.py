"""What the tests of OpenVINO share: a cache of their own, and no measured pace."""

import pytest

from ltp_core import Dense, Thresholds, bases
from ltp_core.openvino import blocks

RULES = [None, Dense(), Thresholds([0.1, 0.0, 0.2]), Thresholds([9.0, 9.0, 9.0])]


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("cache")
        patch.setenv(bases.CACHE, str(folder))
        patch.setattr(blocks, "TABLE", folder / "no table")
        yield folder
