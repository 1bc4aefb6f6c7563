"""The policy that the options name, as the pass that `plan` runs.

Policies that have to look at the model get a provisional assignment there, which keeps every limit;
`compiler.deciding` gives them their own.
"""

from dataclasses import replace
from pathlib import Path

from optimum_compile.backends.base import Backend
from optimum_compile.compiler.device_budget import budget_of
from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.ir.graph import Graph
from optimum_compile.compiler.options import CompileOptions, parse_group
from optimum_compile.compiler.profiling import model_id
from optimum_compile.compiler.quant.kv import parse_kv_bits
from optimum_compile.compiler.quant.scheme import Nested
from optimum_compile.passes.precision.assign import AssignPrecision, problem_of
from optimum_compile.passes.precision.classes import ClassOptions
from optimum_compile.passes.precision.floors import with_fewer_planes
from optimum_compile.passes.precision.kv import has_kv_choice, kv_at, kv_bytes, uniform_kv
from optimum_compile.passes.precision.nested_pins import nested_pins, nested_units
from optimum_compile.passes.precision.pins import parse_pin
from optimum_compile.passes.precision.policies import Shares, policy_named
from optimum_compile.passes.precision.quantizers.recipes import recipe_named
from optimum_compile.passes.sensitivity.map import SensitivityMap, read_map
from optimum_compile.passes.sensitivity.methods import METHODS

MEASURED = "measured"
REST_BITS = 8  # of weights that are not nested, where nobody asks for a goal


def settled_by_nested(options: CompileOptions) -> CompileOptions:
    """The options, with a policy that measures nothing where `--nested` leaves it little to decide.

    Without a goal the weights beside the linears of the blocks get 8 bits: uniform instead of measured.
    """
    goals = ("budget", "device", "max_kl", "tokens_per_second", "sensitivity")
    asked = any(getattr(options, key) is not None for key in goals)
    if options.nested is None or options.policy != MEASURED or asked or options.kv_bits == "auto":
        return options
    return replace(options, policy="uniform", bits=REST_BITS)


def assignment_of(
    graph: Graph, options: CompileOptions, backends: tuple[Backend, ...]
) -> AssignPrecision:
    """The pass of the policy that the options name, under their budget."""
    found = given_map(graph, options)
    given = tuple(parse_pin(p) for p in options.pin)
    nested = () if options.nested is None else nested_pins(graph, options.nested, given, backends)
    pins = (*given, *nested)
    made = AssignPrecision(
        policy=options.policy,
        bits=options.bits,
        budget=budget_of(graph, options, backends, pins),
        containers=tuple(b.container_bytes(graph) for b in backends),
        kv_bytes=_kv_bytes(graph, options, backends),
        chooses_caches=_chooses_caches(options, backends),
        shares=Shares(*options.shares),
        head_high=options.head == "high",
        classes=ClassOptions(
            parse_group(options.group_size),
            not options.asymmetric,
            options.allow_fallback,
            whole_rows=recipe_named(options.quantizer).int8_inputs,
        ),
        backends=backends,
        pins=pins,
        sensitivity=found,
    )
    divides = bool(nested) and made.budget is not None and options.policy == MEASURED
    if not divides or holds_all_planes(graph, made):
        return made
    units, schemes = nested_units(graph, given), (pin.scheme for pin in nested)
    pairs = zip(units, schemes, strict=True)
    own = ((u.name, with_fewer_planes(s, u, backends)) for u, s in pairs if isinstance(s, Nested))
    budget = budget_of(graph, options, backends, given)
    return replace(made, pins=given, budget=budget, own=tuple(own))


def holds_all_planes(graph: Graph, assignment: AssignPrecision) -> bool:
    """Whether a budget holds what is pinned, with everything else at about 8 bits."""
    problem = problem_of(graph, assignment)
    return problem.fits(tuple(unit.nearest(REST_BITS) for unit in problem.units))


def planes_told(assignment: AssignPrecision) -> tuple[str, ...]:
    """A remark where a budget is divided among planes, too."""
    if not assignment.own:
        return ()
    return (
        "nested: the budget does not hold every width of every matrix beside 8 bits for the rest, so the "
        "widest ones are left out where that costs least",
    )


def _kv_bytes(
    graph: Graph, options: CompileOptions, backends: tuple[Backend, ...]
) -> tuple[int, ...]:
    """What a budget of bytes holds for caches of known bits, where other bits could be chosen."""
    bits = parse_kv_bits(options.kv_bits)
    asked = bits.rounds or has_kv_choice(bits, backends)
    known = asked and not _chooses_caches(options, backends)
    if not known:
        return (0,) * len(backends)
    schemes = uniform_kv(graph, bits)
    kept = ({name: kv_at(s, b) for name, s in schemes.items()} for b in backends)
    return tuple(kv_bytes(graph, each) for each in kept)


def _chooses_caches(options: CompileOptions, backends: tuple[Backend, ...]) -> bool:
    """Whether caches are units of the assignment."""
    chooses = policy_named(options.policy).chooses_caches
    return chooses and has_kv_choice(parse_kv_bits(options.kv_bits), backends)


def decides_later(options: CompileOptions, assignment: AssignPrecision) -> bool:
    """Whether the policy has to look at the model before it knows its mind."""
    needs_map = policy_named(options.policy).method and assignment.sensitivity is None
    return options.policy == MEASURED or bool(needs_map)


def looks_at_text(options: CompileOptions) -> bool:
    """Whether deciding needs text of its own: not where a file has the numbers."""
    return options.sensitivity is None or options.sensitivity in METHODS


def provisional(assignment: AssignPrecision, options: CompileOptions) -> AssignPrecision:
    """What `plan` runs: the policy itself, or what keeps the limits until it can decide."""
    if not decides_later(options, assignment):
        return assignment
    return replace(assignment, policy=MEASURED, sensitivity=None)


def refuse_unmeasured(options: CompileOptions, assignment: AssignPrecision, lack: str) -> None:
    """Raise OptionError for measurements that are asked for by name and have no text."""
    if not lack or not decides_later(options, assignment):
        return
    own = policy_named(options.policy).method or options.sensitivity
    named = own in METHODS and METHODS[str(own)]().needs_text
    if named or options.max_kl is not None:
        what = f"sensitivity {own!r}" if named else "max-kl"
        raise OptionError(f"{what} needs text, but there is {lack}: give --calibration FILE")


def given_map(graph: Graph, options: CompileOptions) -> SensitivityMap | None:
    """The map that `--sensitivity` names as a file; None for a method's name or nothing.

    Raises InputError for a map of another model, OptionError for what is neither file nor method.
    """
    text = options.sensitivity
    if text is None or text in METHODS:
        return None
    path = Path(text)
    if path.suffix != ".json" and not path.exists():
        known = ", ".join(METHODS)
        raise OptionError(f"sensitivity {text!r}: expected a JSON file, or one of {known}")
    found = read_map(path)
    found.require_model(model_id(graph), str(path))
    return found
