"""The table of factors, by hand."""

from ltp_core.pages.factors import Race, factors, races


def row(engine, against, dense, packed, pruned):
    times = {"dense_ms": dense, "packed_dense_ms": packed, "pruned_ms": pruned}
    return {"length": 128, "batch_size": 1, "engine": engine, "against": against, **times}


ROWS = [
    row(engine, against, dense, packed, pruned)
    for engine, packed, pruned in [("ltp", 16.0, 10.0), ("openvino", 12.0, 8.0), ("openvino-int8", 6.0, 4.0)]
    for against, dense in [("sdpa", 24.0), ("openvino-int8", 6.0)]
]


def test_each_step_stands_beside_the_one_before():
    *_, line = factors({"rows": ROWS}).splitlines()
    assert [cell.strip() for cell in line.strip("|").split("|")] == [
        *("128", "1", "24.00 ms", "16.00 ms (1.50×)", "10.00 ms (1.60×)", "8.00 ms (1.25×)"),
        *("4.00 ms (2.00×)", "openvino-int8 6.00 ms", "openvino-int8 4.00 ms", "1.50×"),
    ]


def test_the_fastest_of_all_are_named():
    assert races({"rows": ROWS}) == [Race(128, 1, "openvino-int8", 6.0, "openvino-int8", 4.0)]


def test_without_a_step_there_is_no_table():
    assert factors({"rows": [one for one in ROWS if one["engine"] != "openvino"]}) == ""
