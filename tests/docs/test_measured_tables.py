"""The tables that scripts put into pages hold what they measured."""

import json

from ltp_core.results import read_rows
from tests import reranking, throughput


def test_throughput():
    rows = read_rows(throughput.FILE)
    assert rows and throughput.table(rows) in throughput.PAGE.read_text(encoding="utf-8")


def test_reranking():
    if not reranking.FILE.is_file():
        assert "Not measured yet." in reranking.PAGE.read_text(encoding="utf-8")
        return
    document = json.loads(reranking.FILE.read_text(encoding="utf-8"))
    assert reranking.table(document) in reranking.PAGE.read_text(encoding="utf-8")
