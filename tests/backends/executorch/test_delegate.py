"""The constants of a delegate, against the layouts that XNNPACK documents and the SDK writes."""

import numpy as np
import pytest

from optimum_compile.backends.executorch.delegate import xnnpack_constants
from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.quant.packed import PackedWeight
from optimum_compile.compiler.quant.scheme import Affine, Lut, PerChannel, PerGroup


def test_8_bits_are_bytes_with_float32_scales():
    codes = np.array([[-128, 127], [1, -1]], np.int8)
    packed = PackedWeight(Affine(8, PerChannel()), codes, np.array([[0.5], [2]], np.float16))
    kind, data, scales = xnnpack_constants(packed)
    assert kind == "qcint8"
    assert data == codes.tobytes()
    assert np.frombuffer(scales, np.float32).tolist() == [0.5, 2.0]


def test_4_bits_are_unsigned_with_the_even_column_low():
    codes = np.array([[-8, 7, 0, 1]], np.int8)
    packed = PackedWeight(Affine(4, PerChannel()), codes, np.array([[0.25]], np.float16))
    kind, data, scales = xnnpack_constants(packed)
    assert kind == "qcint4"
    assert list(data) == [0 | 15 << 4, 8 | 9 << 4]
    assert np.frombuffer(scales, np.float32).tolist() == [0.25]


def test_scales_of_groups_are_bfloat16():
    codes = np.zeros((1, 64), np.int8)
    scales = np.array([[1.5, -3.0]], np.float32)
    packed = PackedWeight(Affine(4, PerGroup(32), True, "bf16"), codes, scales)
    kind, _, raw = xnnpack_constants(packed)
    assert kind == "qbint4"
    widened = np.frombuffer(raw, np.uint16).astype(np.uint32) << 16
    assert widened.view(np.float32).tolist() == [1.5, -3.0]


def test_a_palette_has_no_container():
    packed = PackedWeight(Lut(2, 1), np.zeros((1, 4), np.uint8), table=np.zeros((1, 4), np.float16))
    with pytest.raises(InternalError, match="XNNPACK has no container for lut2:r1"):
        xnnpack_constants(packed)
