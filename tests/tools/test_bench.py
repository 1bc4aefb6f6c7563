import os

import pytest

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.frontend.open_model import open_model
from optimum_compile.passes.precision.units import parameter_count
from optimum_compile.tools import bench


def test_the_random_model_opens_and_has_the_parameters_that_it_says(tmp_path, monkeypatch):
    small = {"hidden_size": 64, "intermediate_size": 128, "vocab_size": 80}
    heads = {"num_attention_heads": 4, "num_key_value_heads": 2}
    monkeypatch.setattr(bench, "SHAPE", bench.SHAPE | small | heads)
    count = bench.write_random_model(tmp_path / "m", layers=2)
    assert parameter_count(open_model(tmp_path / "m").graph) == count


def test_memory_of_this_process_is_counted():
    own = bench.memory_of(os.getpid())
    ballast = bytearray(os.urandom(1)) * (64 << 20)
    assert bench.memory_of(os.getpid()) - own > 32 << 20
    assert len(ballast) == 64 << 20


def test_a_quantiser_that_sees_nothing_has_no_block_to_time():
    from optimum_compile.tools import bench_block

    with pytest.raises(OptionError, match="quantizer 'mse' sees no activations"):
        bench_block.main(["--quantizer", "mse"])
