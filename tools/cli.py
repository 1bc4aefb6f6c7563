"""The command line. A first word that is no command is the model to compile."""

import json
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from typing import Any

from optimum_compile.compiler.errors import InternalError, OptimumCompileError, UserError

COMMANDS = {
    "compile": "optimum_compile.tools.compile",
    "inspect": "optimum_compile.tools.inspect",
    "verify": "optimum_compile.tools.verify",
    "memory": "optimum_compile.tools.memory",
    "evaluate": "optimum_compile.tools.evaluate",
    "run": "optimum_compile.tools.run",
    "profile": "optimum_compile.tools.profile",
    "assign": "optimum_compile.tools.assign",
    "explain": "optimum_compile.tools.explain",
    "targets": "optimum_compile.tools.lists",
    "models": "optimum_compile.tools.lists",
    "devices": "optimum_compile.tools.lists",
}

USAGE = """usage: optimum-compile MODEL [--target ios,android] [--budget 3.5bpw] [-o DIR] [options]
       optimum-compile inspect|verify BUNDLE [--json]
       optimum-compile memory BUNDLE [--context 2048] [--prompt 256] [--device NAME|all] [--json]
       optimum-compile evaluate BUNDLE|MODEL --text FILE [--reference MODEL] [options]
       optimum-compile run BUNDLE --prompt TEXT [options]
       optimum-compile assign MODEL [--budget 3.5bpw] [--pareto] [-o DIR] [options]
       optimum-compile profile MODEL --method NAME [-o sensitivity.json] [options]
       optimum-compile explain BUNDLE|allocation.json [TENSOR] [--sensitivity FILE]
       optimum-compile targets | models | devices
       optimum-compile --version

MODEL is a Hugging Face folder or a torch.export archive; BUNDLE is what a compilation wrote.
`optimum-compile compile --help` lists every option of a compilation."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code (see `compiler.errors`)."""
    args = list(sys.argv[1:] if argv is None else argv)
    # Before torch is imported: threads that wait must not spin, which costs a busy machine 30x.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    if not args or args[0] in ("-h", "--help"):
        print(USAGE)
        return 0 if args else 2
    if args[0] == "--version":
        from optimum_compile.compiler.package.describe import versions

        print("\n".join(f"{name} {version}" for name, version in versions().items()))
        return 0
    command = args[0] if args[0] in COMMANDS else "compile"
    rest = args[1:] if args[0] in COMMANDS else args
    return _guarded(lambda: _command(command)(command, rest))


def _command(name: str) -> Callable[[str, Sequence[str]], int]:
    from importlib import import_module

    run: Callable[[str, Sequence[str]], int] = import_module(COMMANDS[name]).main
    return run


def _guarded(run: Callable[[], int]) -> int:
    """Turn errors into one message on stderr and the exit code of their class."""
    try:
        return run()
    except UserError as error:
        return _fail(str(error), error, error.exit_code)
    except OptimumCompileError as error:
        kind = (
            "internal error (please report it)" if isinstance(error, InternalError) else "toolchain"
        )
        return _fail(f"{kind}: {error}", error, error.exit_code)
    except KeyboardInterrupt as error:
        text = str(error) or "interrupted"
        left = "" if hasattr(error, "__notes__") else "; nothing was left behind"
        return _fail(f"{text}{left}", error, getattr(error, "exit_code", 130))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except MemoryError as error:
        text = "out of memory; compile for one target at a time, or on a larger machine"
        return _fail(text, error, 7)
    except OSError as error:
        return _fail(f"{error.filename or 'system'}: {error.strerror or error}", error, 7)
    except Exception as error:
        traceback.print_exc()
        text = f"{type(error).__name__}: {error}"
        return _fail(f"internal error (please report it): {text}", error, InternalError.exit_code)


def _fail(text: str, error: BaseException, code: int) -> int:
    """Print the message, and what was noted on its way up (where progress is kept)."""
    told = "; ".join((text, *getattr(error, "__notes__", ())))
    print(f"optimum-compile: error: {told}", file=sys.stderr)
    return code


def print_json(document: dict[str, Any]) -> None:
    """The one JSON document of `--json` on stdout."""
    print(json.dumps(document, indent=1, allow_nan=False))


def usage(begin: float) -> dict[str, Any]:
    """Seconds since `begin` (time.monotonic) and peak memory, children included."""
    peak = max(
        resource.getrusage(w).ru_maxrss for w in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    )
    return {"seconds": round(time.monotonic() - begin, 2), "peak_rss_bytes": peak * 1024}


def entry() -> None:
    """Console script."""
    sys.exit(main())


if __name__ == "__main__":
    entry()
