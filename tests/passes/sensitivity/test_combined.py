from dataclasses import replace

import numpy as np
import pytest
import torch
from support.bigram import one_linear, vectors
from support.graphs import decoder
from support.trials import small_setting

from optimum_compile.compiler.interpret import run
from optimum_compile.passes.calibrate.backward import sampled_loss
from optimum_compile.passes.sensitivity.combined import Combined


def test_one_linear_has_the_fisher_information_of_a_softmax(tmp_path):
    setting = small_setting(one_linear(), tmp_path, ("int4:g16", "f16"))
    x = np.random.default_rng(0).standard_normal((1, 32))
    setting = replace(setting, samples=(vectors(np.repeat(x, 4096, 0)),))
    original = setting.trials.original("head.weight").astype(np.float64)
    (unit,) = setting.trials.problem.units
    change = original - setting.trials.rounded(unit.name, unit.choices[0].scheme)
    z = original @ x[0]
    p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
    expected = {
        "weights": 0.5 * float((p * (1 - p)) @ (change**2 @ x[0] ** 2)),
        "outputs": 0.5 * float((p * (1 - p)) @ (change @ x[0]) ** 2),
    }
    for form, wanted in expected.items():
        found = Combined(form).measure(setting).scores["head.weight"]
        # Labels are drawn: 4096 of them are near the distribution.
        assert found["int4:g16"] == pytest.approx(wanted, rel=0.1)


@pytest.mark.parametrize("tied", [True, False])
def test_it_is_the_brute_loop_over_tokens(tmp_path, tied):
    setting = small_setting(decoder(layers=1, tied=tied), tmp_path, ("int2:g16",))
    trials = setting.trials
    total = sum(s.inputs["tokens"].size for s in setting.samples)
    forms = {f: {u.name: 0.0 for u in trials.problem.units} for f in ("outputs", "weights")}
    for at, sample in enumerate(setting.samples):
        made = {v: torch.from_numpy(sample.inputs[v.name]) for v in setting.graph.inputs}

        def observe(node, out, made=made):
            if out[0].requires_grad:
                out[0].retain_grad()
            made[node.output] = out[0]

        names = list(forms["outputs"])
        done = run(setting.graph, sample.inputs, grad_weights=names, observe=observe)
        with torch.enable_grad():
            generator = torch.Generator().manual_seed(setting.seed + at)
            sampled_loss(done.outputs[0], generator).backward()
        for node in setting.graph.nodes:
            if node.op not in ("linear", "embedding"):
                continue
            name = node.input(1).name
            scheme = next(u for u in trials.problem.units if u.name == name).choices[0].scheme
            change = torch.from_numpy(trials.original(name) - trials.rounded(name, scheme))
            for x, d in zip(
                made[node.input(0)][0].detach(), made[node.output].grad[0], strict=True
            ):
                error = change[x] if node.op == "embedding" else change @ x
                forms["outputs"][name] += float((d * error).square().sum()) / 2 / total
                error = change[x] ** 2 if node.op == "embedding" else change**2 @ x**2
                forms["weights"][name] += float((d**2 * error).sum()) / 2 / total
    for form, expected in forms.items():
        found = Combined(form).measure(setting)
        for name, wanted in expected.items():
            assert found.scores[name]["int2:g16"] == pytest.approx(wanted, rel=2e-3)


def test_the_cost_of_exact_outputs_is_a_pass_for_each_choice(tmp_path):
    setting = small_setting(decoder(layers=1), tmp_path)
    assert Combined("weights").measure(setting).forward_passes == 4.0
    assert Combined("outputs").measure(setting).forward_passes == 6.0
