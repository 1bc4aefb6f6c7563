"""The runtime's library and what its C interface looks like to ctypes (`optimum_compile.h`)."""

import ctypes
from ctypes import POINTER, c_char_p, c_float, c_int64, c_size_t, c_uint32, c_void_p
from enum import IntEnum

from optimum_compile.compiler.errors import (
    InputError,
    InternalError,
    OptimumCompileError,
    ResourceError,
)
from optimum_compile.runtime_stub.build import runtime_library

API_VERSION = 2


class Status(IntEnum):
    """`oc_status`."""

    OK = 0
    BAD_ARGUMENT = 1
    NO_FILE = 2
    BAD_FILE = 3
    BAD_VERSION = 4
    NO_MEMORY = 5
    BAD_TOKEN = 6
    CONTEXT_FULL = 7
    BAD_CALL = 8
    NO_DEVICE = 9
    DEVICE_LOST = 10
    DEVICE_ERROR = 11


ERRORS: dict[int, type[OptimumCompileError]] = {
    Status.BAD_ARGUMENT: InternalError,
    Status.NO_MEMORY: ResourceError,
    Status.NO_DEVICE: ResourceError,
    Status.DEVICE_LOST: ResourceError,
    Status.DEVICE_ERROR: ResourceError,
}


class COptions(ctypes.Structure):
    """`oc_options`."""

    _fields_ = (("flags", c_uint32), ("reserved", c_uint32), ("session_bytes_max", c_int64))


class CFunction(ctypes.Structure):
    """`oc_function`."""

    _fields_ = (
        ("name", c_char_p),
        ("least_seq", c_int64),
        ("greatest_seq", c_int64),
        ("steps", c_int64),
    )


class CSchedule(ctypes.Structure):
    """`oc_schedule_info`."""

    _fields_ = (
        ("model", c_char_p),
        ("prefill", c_int64),
        ("high", c_int64),
        ("low", c_int64),
        ("steps", c_int64),
    )


class CStage(ctypes.Structure):
    """`oc_stage`."""

    _fields_ = (("name", c_char_p), ("precision", c_char_p))


_SIGNATURES: dict[str, tuple[object, ...]] = {
    "oc_model_open": (c_char_p, POINTER(COptions), POINTER(c_void_p)),
    "oc_model_info": (c_void_p, c_void_p),
    "oc_model_function": (c_void_p, c_int64, POINTER(CFunction)),
    "oc_model_stage": (c_void_p, c_int64, POINTER(CStage)),
    "oc_model_metadata": (c_void_p, POINTER(c_void_p), POINTER(c_size_t)),
    "oc_model_widths": (c_void_p, POINTER(c_int64), POINTER(c_int64)),
    "oc_model_planned_bytes": (c_void_p, c_int64, c_int64, c_int64, POINTER(c_int64)),
    "oc_device_count": (ctypes.c_int, POINTER(c_int64)),
    "oc_device_info": (ctypes.c_int, c_int64, c_void_p),
    "oc_device_find": (ctypes.c_int, c_char_p, POINTER(c_int64)),
    "oc_device_open": (ctypes.c_int, c_int64, c_uint32, POINTER(c_void_p)),
    "oc_device_describe": (c_void_p, c_void_p),
    "oc_device_messages": (c_void_p, POINTER(c_int64), c_char_p, c_size_t),
    "oc_device_save_kernels": (c_void_p, c_void_p, POINTER(c_size_t)),
    "oc_device_load_kernels": (c_void_p, c_char_p, c_size_t),
    "oc_probe_kernels": (c_void_p, c_char_p, c_size_t),
    "oc_probe_kernel": (c_void_p, c_void_p),
    "oc_probe_built_in": (POINTER(c_void_p), POINTER(c_size_t)),
    "oc_session_create": (c_void_p, POINTER(c_void_p)),
    "oc_session_create_on": (c_void_p, c_void_p, POINTER(c_void_p)),
    "oc_session_reset": (c_void_p,),
    "oc_session_past": (c_void_p, POINTER(c_int64)),
    "oc_session_set_width": (c_void_p, c_int64),
    "oc_session_set_threads": (c_void_p, c_int64),
    "oc_session_run": (c_void_p, c_void_p, c_int64, ctypes.c_int, POINTER(c_float), c_size_t),
    "oc_session_top": (c_void_p, c_int64, c_void_p, c_void_p),
    "oc_session_generate": (
        *(c_void_p, c_void_p, c_int64, c_int64),
        *(c_void_p, c_int64, c_void_p, POINTER(c_int64)),
    ),
    "oc_session_stats": (c_void_p, c_void_p),
    "oc_session_stage_stats": (c_void_p, c_int64, c_void_p),
    "oc_session_clear_stats": (c_void_p,),
    "oc_schedule_open": (c_char_p, POINTER(c_void_p)),
    "oc_schedule_open_memory": (c_char_p, c_size_t, POINTER(c_void_p)),
    "oc_schedule_describe": (c_void_p, POINTER(CSchedule)),
    "oc_schedule_step": (c_void_p, c_int64, POINTER(c_int64)),
    "oc_session_schedule": (c_void_p, c_void_p, POINTER(c_int64), c_void_p, c_size_t),
}
_LOADED: list[ctypes.CDLL] = []


def library() -> ctypes.CDLL:
    """The runtime, built on first use. Raises ResourceError or ToolchainError where it cannot be."""
    if _LOADED:
        return _LOADED[0]
    found = ctypes.CDLL(str(runtime_library()))
    found.oc_api_version.restype = c_uint32
    if found.oc_api_version() != API_VERSION:
        raise InternalError(f"the runtime has version {found.oc_api_version()}, not {API_VERSION}")
    for name, arguments in _SIGNATURES.items():
        function = getattr(found, name)
        function.restype, function.argtypes = ctypes.c_int, arguments
    for name in ("oc_model_close", "oc_session_destroy", "oc_device_close", "oc_schedule_close"):
        function = getattr(found, name)
        function.restype, function.argtypes = None, (c_void_p,)
    found.oc_last_error.restype = c_char_p
    _LOADED.append(found)
    return found


def check(status: int, what: object) -> None:
    """Raise what a status stands for, with the runtime's own words."""
    if status == Status.OK:
        return
    said = library().oc_last_error().decode("utf-8", "replace")
    raise ERRORS.get(status, InputError)(f"{what}: {said}")
