"""Recipes by architecture. Each module has build(), example_inputs() and dynamic_dims()."""

RECIPES = {
    "llama": "optimum_compile.models.decoder",
    "mistral": "optimum_compile.models.decoder",
    "qwen2": "optimum_compile.models.decoder",
    "qwen3": "optimum_compile.models.decoder",
    "mixtral": "optimum_compile.models.decoder",
    "qwen2_moe": "optimum_compile.models.decoder",
    "qwen3_moe": "optimum_compile.models.decoder",
}
