"""Write the graphs that ship for the browser: `python -m ltp_core.commands.browser_graphs`."""

from dataclasses import replace

from ltp_core.checkpoints import usable_models
from ltp_core.importance import SAMPLE
from ltp_core.model import PrunedModel
from ltp_core.onnx.browser import GRAPHS, graph_of, graphs, too_large
from ltp_core.onnx.browser_graph import write_browser_graph


def main() -> None:
    """Write a graph for each shipped model that has none yet; remove the files first to write them anew.

    And one for the sample of queries of a model that is trained now: it then ships without a new graph.
    """
    for name in usable_models():
        model = PrunedModel.from_pretrained(name)
        if too_large(model):
            continue
        for queries in (model.queries(), SAMPLE):
            model.settings = replace(model.settings, importance_queries=queries)
            if graph_of(model) is None:
                config = model.config
                asked = "" if queries is None else f"-{queries}-queries"
                size = f"{model.layers}x{config.hidden_size}-{model.dimensions.classes}"
                file = GRAPHS / f"{config.model_type}-{size}{asked}.onnx"
                write_browser_graph(model, file)
                graphs.cache_clear()
                print(f"{name}: {file.name}, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
