from optimum_compile.passes.stages.blocks import block_index


def test_block_index_is_the_first_number_of_the_path():
    assert block_index("model.layers.12.mlp.experts.3.up") == 12
    assert block_index("model.norm") is None
    assert block_index("0") == 0
