"""The structures of `runtime/probe.h`: one dispatch of one kernel, for tests and benchmarks."""

import ctypes
from ctypes import POINTER, c_char_p, c_int64, c_size_t, c_uint32, c_void_p


class ProbeBuffer(ctypes.Structure):
    """`oc_probe_buffer`: bytes given, and where they are written back (may be NULL)."""

    _fields_ = (("given", c_void_p), ("out", c_void_p), ("bytes", c_size_t))


class ProbeCall(ctypes.Structure):
    """`oc_probe_call`: a kernel by name with everything that its interface asks for."""

    _fields_ = (
        ("kernel", c_char_p),
        ("variant", c_char_p),
        ("constants", POINTER(c_uint32)),
        ("constant_count", c_size_t),
        ("params", POINTER(c_uint32)),
        ("param_count", c_size_t),
        ("buffers", POINTER(ProbeBuffer)),
        ("buffer_count", c_size_t),
        ("groups", c_uint32 * 3),
        ("repeats", c_uint32),
        ("gpu_ns", c_int64),
    )
