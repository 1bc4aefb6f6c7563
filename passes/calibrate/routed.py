"""What the experts of a mixture see: the tokens that are routed to each, and some of all others."""

from collections.abc import Iterator
from dataclasses import replace

from torch import Tensor

from optimum_compile.compiler.errors import InternalError
from optimum_compile.compiler.ir.graph import Value
from optimum_compile.passes.calibrate.moments import Moments, moments, shrunk
from optimum_compile.passes.calibrate.propagate import Propagation
from optimum_compile.passes.calibrate.segments import Reading, Segment
from optimum_compile.passes.precision.quantizers.recipes import Routing


class ExpertMoments:
    """Moments for linears of experts, asked for in the order of the program.

    `now` is the way with what is quantised so far, `before` the float one where it runs beside.
    """

    def __init__(
        self, options: Routing, now: Propagation, before: Propagation | None = None
    ) -> None:
        self.options = options
        self.now = now
        self.before = before
        self._unreached: dict[str, None] = {}
        self._gates: tuple[Value, list[Tensor]] | None = None
        self._overall: tuple[Value, Moments] | None = None

    def of(self, segment: Segment, reading: Reading) -> Moments:
        """Moments of the routed tokens, drawn toward those of all tokens (`moments.shrunk`).

        An expert that no token reached gets the latter alone. Raises InputError for what is not finite.
        """
        linear = reading.linears[0]
        name = linear.origin or linear.output.name
        weights = self._weights(segment, reading)
        overall = self._mean(segment, reading, name)
        if not any(bool((w > 0).any()) for w in weights):
            self._unreached[name.rpartition(".")[0] or name] = None
            return overall
        inputs, originals = self._inputs(segment, reading.source)
        own = moments(name, inputs, originals, weights)
        return shrunk(own, overall, self._shrink(overall))

    def guided(self, segment: Segment, reading: Reading, seen: Moments | None) -> Moments | None:
        """The same for Hessians that `guided_hessians` made of all tokens; others as they are.

        A token that is not routed to the expert has no gradient there, so its weight is 0 already.
        """
        if seen is None or not seen.guided or reading.expert is None:
            return seen
        overall = self._mean(segment, reading, "")
        tokens = sum(int((w > 0).sum()) for w in self._weights(segment, reading))
        own = tokens / max(1.0, tokens + self._shrink(overall))
        mixed = tuple(own * g + (1 - own) * overall.hessian for g in seen.guided)
        return replace(seen, guided=mixed)

    def take_remarks(self) -> list[str]:
        """A sentence for the experts without a token, by module path; then they are forgotten."""
        names = ", ".join(self._unreached)
        self._unreached.clear()
        what = (
            "no calibration token was routed there; the mean over all tokens of the layer was used"
        )
        return [f"{names}: {what}"] if names else []

    def _inputs(
        self, segment: Segment, source: Value
    ) -> tuple[Iterator[Tensor], Iterator[Tensor] | None]:
        originals = None if self.before is None else self.before.inputs_of(segment, source)
        return self.now.inputs_of(segment, source), originals

    def _shrink(self, overall: Moments) -> float:
        """Tokens of the mean that are mixed in."""
        return self.options.shrink * len(overall.hessian)

    def _mean(self, segment: Segment, reading: Reading, name: str) -> Moments:
        """Moments of all tokens: once for the experts that read one value."""
        if self._overall is None or self._overall[0] is not reading.source:
            self._overall = (
                reading.source,
                moments(name, *self._inputs(segment, reading.source)),
            )
        return self._overall[1]

    def _weights(self, segment: Segment, reading: Reading) -> list[Tensor]:
        """The weight of every token (tokens,) a sample for the reading's expert."""
        if reading.expert is None:
            raise InternalError(f"%{reading.source.name} is read by no expert")
        gates, at = reading.expert.gates, reading.expert.index
        if self._gates is None or self._gates[0] is not gates:
            self.now.hold(segment, (reading.source, gates))
            if self.before is not None:
                self.before.hold(segment, (reading.source,))
            self._gates = (gates, list(self.now.inputs_of(segment, gates)))
        power = 2 if self.options.weight == "gate" else 0
        return [gate[:, at] ** power * (gate[:, at] > 0) for gate in self._gates[1]]
