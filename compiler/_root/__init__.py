"""Optimum Compile: an ahead-of-time compiler that puts language models on phones.

>>> import optimum_compile as oc
>>> bundle = oc.compile("path/to/hf_folder", targets=["ios", "android"])  # doctest: +SKIP
>>> bundle.manifest.stages  # doctest: +SKIP
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Bundle", "CompileOptions", "compile", "open_bundle", "plan"]

if TYPE_CHECKING:
    from optimum_compile.compiler.api import compile, plan
    from optimum_compile.compiler.options import CompileOptions
    from optimum_compile.compiler.package.reader import Bundle, open_bundle

_WHERE = {
    "Bundle": "optimum_compile.compiler.package.reader",
    "CompileOptions": "optimum_compile.compiler.options",
    "compile": "optimum_compile.compiler.api",
    "open_bundle": "optimum_compile.compiler.package.reader",
    "plan": "optimum_compile.compiler.api",
}


def __getattr__(name: str) -> Any:
    # Lazy: `import optimum_compile` must not load torch.
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_WHERE[name]), name)
