"""A shipped model whose base is not on this machine is not offered, and the lab says what would bring it."""

from app import models
from tests.app.harness import html, open_view


def test_offered_where_its_base_is(shipped, tiny_folder):
    assert set(models.shared()) == {"toy", "tiny"} and models.absent() == {}
    assert "not offered" not in html(open_view("explore", model="toy"))


def test_not_offered_where_it_is_not(shipped, tiny_folder, tmp_path):
    (tmp_path / "cache" / "bases").rename(tmp_path / "elsewhere")
    assert set(models.shared()) == {"tiny"}
    page = open_view("explore", model="toy")
    assert page.session_state["model"] == "tiny"
    assert "“toy” is not offered: its base toy-base is not on this machine: make toy." in html(page)


def test_the_page_about_models_names_it(shipped, tiny_folder, tmp_path):
    line = "“toy” is not offered: its base toy-base is not on this machine: make toy."
    assert line not in html(open_view("about"))
    (tmp_path / "cache" / "bases").rename(tmp_path / "elsewhere")
    assert line in html(open_view("about"))
