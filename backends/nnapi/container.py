"""Bytes of an NNAPI package beyond the weights of one function, counted from the graph. No SDK is asked.

Every function has weights of its own, for NNAPI takes none from other files, and is there as `.onnx` and as
`.ort`. Numbers of nodes and bytes of each were counted in emitted packages (onnx 1.23.2, onnxruntime
1.31.1); names that are much longer than those of Hugging Face checkpoints take more.
"""

from optimum_compile.backends.container import metadata_bytes
from optimum_compile.backends.nnapi.plan import functions_of, weight_bytes
from optimum_compile.backends.nnapi.program import FORMS
from optimum_compile.backends.onnxruntime.schemes import hadamard_factors
from optimum_compile.compiler.decoder import context_of
from optimum_compile.compiler.ir.graph import Graph, Node
from optimum_compile.passes.stages.notes import InStage, StagePlan

# Nodes that an op becomes, conversions between layouts and the outputs for new rows among them.
NODES = {
    "linear": 7,
    "rms_norm": 6,
    "layer_norm": 10,
    "hadamard": 8,
    "embedding": 4,
    "rope": 5,
    "cache_attention": 17,
    "kv_write": 0,
    "silu": 2,
    "gelu": 8,
}
NODE_BYTES = 1020  # in both forms
GRAPH_BYTES = 4000  # frame, inputs and outputs, positions and masks, in both forms
TENSOR_BYTES = 190  # of an initialiser without its data, in both forms
RANGE_BYTES = 60  # of a rounded value in the metadata of a form; as much again in the index
INDEX_SHARE = 1.6  # of the index to the metadata, which it holds with one line an entry
STAGES = 3  # before the graph is cut


def container_bytes(graph: Graph) -> int:
    """See the protocol."""
    functions = functions_of(graph)
    plan = graph.notes.get(StagePlan)
    stages = STAGES if plan is None else len(plan.stages)
    copies, graphs = len(FORMS) * len(functions), len(functions) * stages
    metadata = metadata_bytes(graph)
    total = weight_bytes(graph) * (copies - 1)
    total += metadata * graphs * len(FORMS) + int(metadata * INDEX_SHARE)
    total += graphs * GRAPH_BYTES + len(functions) * _node_bytes(graph)
    for tokens in functions.values():
        total += len(FORMS) * _table_bytes(graph, tokens, stages if plan is None else None)
    return total


def _node_bytes(graph: Graph) -> int:
    linears = sum(node.op == "linear" for node in graph.nodes)
    nodes = sum(NODES.get(node.op, 1) for node in graph.nodes)
    ranges = linears * 2 * RANGE_BYTES * (len(FORMS) + 1)
    return nodes * NODE_BYTES + 3 * linears * TENSOR_BYTES + ranges


def _table_bytes(graph: Graph, tokens: int, stages: int | None) -> int:
    """Angles, masks and rotations: constants that are no weights, once in each stage that reads them."""
    context = context_of(graph) or 0
    sizes: dict[tuple[object, ...], int] = {}
    for node in graph.nodes:
        note = node.notes.get(InStage)
        at = 0 if note is None else note.index
        if node.op == "rope":
            width = int(node.input(0).type.shape[-1])
            sizes[at, "angles", node.input(2), node.attrs["scale"]] = 8 * context * width
        if node.op == "cache_attention":
            groups = _groups(node)
            window = node.attrs["window"]
            rows = 4 * groups * tokens if window else 0
            sizes[at, "mask", groups, window] = 4 * groups * tokens * tokens + 4 * context + rows
        if node.op == "hadamard":
            for size in hadamard_factors(int(str(node.attrs["block"]))):
                sizes[at, "hadamard", size] = 4 * size * size
    return sum(sizes.values()) * (stages or 1)


def _groups(node: Node) -> int:
    return int(node.input(0).type.shape[1]) // int(node.input(1).type.shape[1])
