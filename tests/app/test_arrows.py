"""The lab's imports run one way: views -> parts of a page -> runs -> models; what is said is below."""

import ast
from pathlib import Path

APP = Path(__file__).resolve().parents[2] / "app"

# From the top to the bottom; a room may import from those in lines below its own, and from itself.
ORDER = (
    ("main", "server"),
    ("moved",),
    ("views",),
    ("sections",),
    ("lessons", "report"),
    ("attention", "thresholds"),
    ("header",),
    ("blocks",),
    ("stage",),
    ("poll", "style", "theme"),
    ("components",),
    ("figures",),
    ("jobs", "live", "measured", "surveys"),
    ("surprises",),
    ("examples", "runs", "visitor"),  # own models are loaded: what a visitor has is above what is offered
    ("models", "turns"),
    ("published", "says", "serving"),
    ("limits",),
)
LEVEL = {room: number for number, line in enumerate(ORDER) for room in line}


def modules():
    """Each file with the name of its module inside `app`: "says.words"."""
    for file in sorted(APP.rglob("*.py")):
        parts = file.relative_to(APP).with_suffix("").parts
        yield file, ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


KNOWN = {name for _, name in modules()}


def imported(file):
    """The modules of `app` that a file imports, wherever the import stands."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name[4:] for alias in node.names if alias.name.startswith("app."))
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: imports are written in full"
            head, _, rest = (node.module or "").partition(".")
            if head == "app":
                for alias in node.names:
                    inside = f"{rest}.{alias.name}".removeprefix(".")
                    yield inside if inside in KNOWN else rest


def room(module):
    return module.partition(".")[0]


def arrows():
    return {(room(name), room(target)) for file, name in modules() if name for target in imported(file)} - {
        (name, name) for name in LEVEL
    }


def test_every_room_has_its_place():
    assert {room(name) for name in KNOWN if name} == set(LEVEL)


def test_the_arrows_run_one_way():
    assert {(a, b) for a, b in arrows() if LEVEL[a] >= LEVEL[b]} == set()


def test_the_walk_sees_imports_of_each_kind():
    """So that the test above does not pass because nothing is found."""
    found = arrows()
    assert {("views", "runs"), ("header", "visitor"), ("figures", "says"), ("runs", "turns")} <= found


def test_figures_run_no_model():
    """No figure imports what runs or loads; of `ltp_core` they know traces, counts and results."""
    running = {"ltp_core.model", "ltp_core.forward", "ltp_core.onnx", "torch", "transformers", "streamlit"}
    for file in (APP / "figures").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                outside = not any(name == module or name.startswith(f"{module}.") for module in running)
                assert outside, f"{file.name} imports {name}"
    assert not {target for source, target in arrows() if source == "figures"} & {"runs", "models", "visitor"}
