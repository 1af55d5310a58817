"""The house: the map in docs/architecture.md against the tree, and arrows that run one way."""

import re
from pathlib import Path

import pytest

from tests import rooms


def test_the_map_has_every_room_once():
    shown = rooms.mapped()
    assert len(shown) == len(set(shown))
    new = set(rooms.rooms()) - set(shown)
    assert not new, f"new rooms need a row in the table of docs/architecture.md: {sorted(new)}"
    assert set(shown) == set(rooms.rooms())


def test_a_room_imports_only_from_rooms_above_it_in_the_map():
    order = {room: place for place, room in enumerate(rooms.mapped())}
    wrong = [
        f"{room} imports from {target}"
        for room, targets in rooms.arrows().items()
        for target in targets
        if order[target] >= order[room]
    ]
    assert not wrong


def test_no_circle_of_rooms_or_modules():
    assert rooms.circles(rooms.arrows()) == []
    assert rooms.circles(rooms.imports()) == []


def test_no_command_imports_another():
    assert rooms.between_commands() == []


def test_few_modules_stand_at_the_root():
    assert len(rooms.root_modules()) <= 14


# The command line's page is its own help; where files lie and how slow tokenizers are read is nobody's call.
NO_REFERENCE = {"commands", "files", "slow_tokens"}


def test_the_reference_has_every_room():
    pages = (rooms.ROOT / "docs" / "reference").glob("*.md")
    text = "\n".join(page.read_text(encoding="utf-8") for page in pages)
    named = {rooms.room_of(name) for name in re.findall(r"^::: ltp_core\.([\w.]+)", text, re.MULTILINE)}
    assert named == set(rooms.rooms()) - NO_REFERENCE


def test_the_readme_leads_to_the_map():
    assert "(docs/architecture.md#rooms)" in (rooms.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def house(tmp_path):
    """Writes a small package: {"a/b.py": text}."""

    def build(files: dict[str, str]) -> Path:
        for name, text in {"__init__.py": "", **files}.items():
            file = tmp_path / "ltp_core" / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return tmp_path

    return build


def test_imports_are_found_wherever_they_stand(house):
    root = house(
        {
            "ground.py": "",
            "a/__init__.py": "from ltp_core.a.inner import x",
            "a/inner.py": "from ltp_core import ground",
            "b.py": "def f():\n    from ltp_core.a import x\n",
            "c.py": "if TYPE_CHECKING:\n    import ltp_core.b\n",
            "commands/__init__.py": "",
            "commands/one.py": "from ltp_core.commands.two import x\nfrom ltp_core.commands.shared import y",
            "commands/two.py": "from ltp_core.c import x, y",
            "commands/shared.py": "from ltp_core.a import inner, x",
        }
    )
    assert rooms.arrows(root) == {
        "ground": set(),
        "a": {"ground"},
        "b": {"a"},
        "c": {"b"},
        "commands": {"a", "c"},
    }
    assert rooms.imports(root)["commands.shared"] == {"a", "a.inner"}
    assert rooms.between_commands(root) == [("commands.one", "commands.two")]
    assert rooms.root_modules(root) == ["b", "c", "ground"]
    assert rooms.circles(rooms.arrows(root)) == []


def test_a_circle_through_a_lazy_import_is_found(house):
    root = house({"a.py": "def f():\n    from ltp_core import b\n", "b.py": "import ltp_core.a\n"})
    assert rooms.circles(rooms.arrows(root)) == [["a", "b"]]
