import numpy as np
from support.models import shared_model, tiny_llama, tiny_weights

from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.compiler.pass_manager import PassManager
from optimum_compile.compiler.profiling import model_id
from optimum_compile.passes.rewrite.rotate import RotateResidual


def rotated(seed):
    graph = open_model(shared_model()).graph
    PassManager([RotateResidual(seed)]).run(graph)
    return model_id(graph)


def test_a_model_is_known_by_its_weights_and_what_was_done_to_them(tmp_path):
    plain = model_id(open_model(shared_model()).graph)
    assert plain.parameters == 117_184
    assert plain == model_id(open_model(tiny_llama(tmp_path / "copy")).graph)
    changed = tiny_weights()
    changed["model.norm.weight"] = changed["model.norm.weight"] + np.float16(0.01)
    others = [
        model_id(open_model(tiny_llama(tmp_path / "other", weights=changed)).graph),
        rotated(0),
        rotated(1),
    ]
    assert len({plain.sha256, *(each.sha256 for each in others)}) == 4
    assert rotated(1) == others[2]
