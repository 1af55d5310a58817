"""Files that are there whole or not at all."""

import pytest

from ltp_core.files.whole import part_of, whole_file, write_whole


def test_a_file_takes_the_place_of_an_earlier_one(tmp_path):
    file = tmp_path / "row.json"
    write_whole(file, "first")
    write_whole(file, "séconde")
    assert file.read_text(encoding="utf-8") == "séconde"
    assert [path.name for path in tmp_path.iterdir()] == ["row.json"]


def test_what_fails_in_between_leaves_what_was_there(tmp_path):
    file = tmp_path / "row.json"
    file.write_text("first", encoding="utf-8")
    with pytest.raises(KeyboardInterrupt), whole_file(file) as part:
        assert part == part_of(file) == tmp_path / "row.json.part"
        part.write_text("hal", encoding="utf-8")
        raise KeyboardInterrupt
    assert file.read_text(encoding="utf-8") == "first" and not part_of(file).exists()


def test_nothing_is_at_the_place_while_it_is_written(tmp_path):
    file = tmp_path / "row.json"
    with whole_file(file) as part:
        part.write_text("half", encoding="utf-8")
        assert not file.exists()
    assert file.read_text(encoding="utf-8") == "half"
