"""Put finished delegates in the place of their placeholders, as the SDK's own lowering would."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from optimum_compile.backends.executorch.custom_ops import NAMESPACE
from optimum_compile.backends.executorch.delegate import ALIGNMENT, BACKEND_ID, Delegate


def attach(program: Any, delegates: Sequence[Delegate]) -> Counter[int]:
    """Exchange every placeholder of an edge program, in place; returns how many by stage.

    before: %y = optimum_compile_rt.delegate(%x, 3, [64])
    after:  %m = get_attr stage0_delegate3    %y = executorch_call_delegate(%m, %x)
    """
    module = program.graph_module
    shapes: dict[Any, Any] = {}
    call = torch.ops.higher_order.executorch_call_delegate
    count: Counter[int] = Counter()
    for node in list(module.graph.nodes):
        if node.op != "call_function" or not _is_placeholder(node.target):
            continue
        x, index, widths = node.args[0], int(node.args[1]), tuple(node.args[2])
        sizes = [d if isinstance(d, int) else None for d in x.meta["val"].shape]
        key = (tuple(sizes), widths)
        if key not in shapes:
            shapes[key] = _shapes_only(sizes, widths, delegates[index].sizes)
        name = f"stage{delegates[index].stage or 0}_delegate{index}"
        if not hasattr(module, name):
            module.add_module(name, _lowered(delegates[index], shapes[key]))
        with module.graph.inserting_before(node):
            lowered = module.graph.get_attr(name)
            made = module.graph.call_function(call, (lowered, x))
        made.meta["val"] = tuple(node.meta["val"])
        node.replace_all_uses_with(made)
        module.graph.erase_node(node)
        count[delegates[index].stage or 0] += 1
    module.recompile()
    return count


class _ShapesOnly(torch.nn.Module):
    def __init__(self, widths: tuple[int, ...]) -> None:
        super().__init__()
        self.widths = list(widths)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        out = getattr(torch.ops, NAMESPACE).delegate(x, 0, self.widths)
        return tuple(out)


def _shapes_only(
    sizes: Sequence[int | None], widths: tuple[int, ...], most: Sequence[int]
) -> torch.export.ExportedProgram:
    """What the SDK runs on fake tensors to learn the shapes that a delegate returns."""
    example = torch.zeros([2 if d is None else d for d in sizes])
    free = {
        axis: torch.export.Dim(f"size{axis}", min=1, max=max(2, most[axis]))
        for axis, d in enumerate(sizes)
        if d is None
    }
    return torch.export.export(_ShapesOnly(widths), (example,), dynamic_shapes=(free,))


def _is_placeholder(target: Any) -> bool:
    # Edge operators wrap the overload that they stand for.
    overload = getattr(target, "_op", target)
    return overload is getattr(torch.ops, NAMESPACE).delegate.default


def _lowered(delegate: Delegate, shapes: Any) -> Any:
    from executorch.exir._serialize._named_data_store import NamedDataStore
    from executorch.exir.lowered_backend_module import LoweredBackendModule

    store = NamedDataStore()
    for key, data in delegate.constants.items():
        store.add_named_data(key, data, alignment=ALIGNMENT)
    return LoweredBackendModule(
        edge_program=shapes,
        backend_id=BACKEND_ID,
        processed_bytes=delegate.program,
        compile_specs=[],
        named_data_store_output=store.get_named_data_store_output(),
    )
