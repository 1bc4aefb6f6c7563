"""What `inspect` says of nested weights."""

import numpy as np

from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.tools.widths import bytes_by_width, width_text

PLAIN = {"name": "norm", "scheme": "f16", "shape": [64], "bytes": 128}


def tensor(text: str, rows: int = 64, columns: int = 96) -> dict[str, object]:
    scheme = Nested(*map(int, text[4:].partition(":")[0].split("-")))
    size = scheme.stored_bytes(rows, columns)
    return {"name": "w", "scheme": text, "shape": [rows, columns], "bytes": size}


def test_every_width_reads_its_planes_and_its_table() -> None:
    planes, tables = 64 * 96 // 8, 64 * 2
    assert bytes_by_width([tensor("nest2-4:r1"), PLAIN]) == {
        b: 128 + b * planes + tables * 2**b for b in (2, 3, 4)
    }


def test_a_tensor_without_a_width_is_read_at_the_nearest_one() -> None:
    one, other = tensor("nest2-3:r1"), tensor("nest3-4:r1")
    alone, beside = bytes_by_width([one]), bytes_by_width([other])
    assert bytes_by_width([one, other]) == {
        2: alone[2] + beside[3],
        3: alone[3] + beside[3],
        4: alone[3] + beside[4],
    }
    assert bytes_by_width([PLAIN]) == {}


def test_the_text_says_what_a_target_can_do() -> None:
    tensors = [tensor("nest2-3:r1")]
    shown = width_text({"target": "android:executorch"}, tensors, lambda n: f"{np.sign(n)}B")
    assert shown == "bytes read by the bits of nested weights: 1B at 2, 1B at 3"
    for target in ("ios:coreml", "nnapi:nnapi", "unheard:of"):
        shown = width_text({"target": target}, tensors, str)
        assert shown == "nested weights at their widest, 3 bits: no width can be chosen"
    assert width_text({"target": "ios:coreml"}, [PLAIN], str) == ""
