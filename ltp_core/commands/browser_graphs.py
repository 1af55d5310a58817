"""Write the graphs that ship for the browser: `python -m ltp_core.commands.browser_graphs`."""

from ltp_core.checkpoints import shipped_models
from ltp_core.model import PrunedModel
from ltp_core.onnx.browser import GRAPHS, graph_of, graphs
from ltp_core.onnx.browser_graph import write_browser_graph


def main() -> None:
    """Write a graph for each shipped model that has none yet; remove the files first to write them anew."""
    for name in shipped_models():
        model = PrunedModel.from_pretrained(name)
        if graph_of(model) is None:
            config = model.config
            classes = model.dimensions.classes
            asked = "" if model.queries() is None else f"-{model.queries()}-queries"
            file = GRAPHS / f"{config.model_type}-{model.layers}x{config.hidden_size}-{classes}{asked}.onnx"
            write_browser_graph(model, file)
            graphs.cache_clear()
            print(f"{name}: {file.name}, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
