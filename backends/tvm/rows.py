"""TIR that reads one row of a packed matrix: scales and zero points of a group, weights of a unit."""

from collections.abc import Mapping, Sequence
from typing import Any

from optimum_compile.backends.tvm.matrices import Matrix, units_of
from optimum_compile.compiler.quant.scheme import E0M4, Affine, Float, Lut, Vector

BYTE = 8
SELECTED = 2  # bits of the largest table whose entries are chosen from, not gathered


class Row:
    """Expressions for a row. `ir` is TVM's builder of TIR, `buffers` are by name of the argument.

    Numbers of groups lie in local variables of `lanes` places, one for each unit of a vector. `entries`
    are the float32 numbers of the row's table, where they were read before.
    """

    def __init__(
        self,
        ir: Any,
        matrix: Matrix,
        buffers: Mapping[str, Any],
        lanes: int = 1,
        entries: Any | None = None,
    ) -> None:
        self.ir = ir
        self.matrix = matrix
        self.units = units_of(matrix)
        self.buffers = buffers
        self.entries = entries
        wanted = [n for n in ("scales", "zeros", "offsets") if n in buffers]
        self._group = {n: ir.alloc_buffer((lanes,), "float32", scope="local") for n in wanted}

    def scaled(self, product: Any, lane: Any = 0) -> Any:
        """A sum over a group with its scale; weights of some schemes have theirs already."""
        if not isinstance(self.matrix.scheme, Affine | Vector):
            return product
        return product * self._group["scales"][lane]

    def enter_group(self, row: Any, group: Any, first: int = 0, count: int = 1) -> None:
        """Read the numbers of a group of a row, for `count` lanes from `first` on."""
        scheme = self.matrix.scheme
        if not isinstance(scheme, Affine | E0M4 | Vector):
            return
        at = row * scheme.groups(self.matrix.columns) + group
        self._keep("scales", self._scale(row, at), first, count)
        if isinstance(scheme, E0M4):
            self._keep("offsets", self._float(self.buffers["offsets"][at]), first, count)
        if isinstance(scheme, Affine) and not scheme.symmetric:
            self._keep("zeros", self._zero(scheme, at), first, count)

    def _keep(self, name: str, value: Any, first: int, count: int) -> None:
        ir, buffer = self.ir, self._group[name]
        ir.buffer_store(buffer, value, [first])
        for lane in range(first + 1, first + count):
            ir.buffer_store(buffer, buffer[first], [lane])

    def weights(self, row: Any, unit: Any, lane: Any = 0) -> list[Any]:
        """The weights of a unit of a row, float32, in the order of their columns, without scales."""
        scheme, codes, units = self.matrix.scheme, self.buffers["codes"], self.units
        if isinstance(scheme, Float):
            return [self._float(codes[row * units.row + unit])]
        start = (row * units.row + unit) * units.elements
        numbers = self._codes(codes, start)
        if isinstance(scheme, Affine):
            return [self._grid(scheme, q, lane) for q in numbers]
        if isinstance(scheme, E0M4):
            scale, offset = self._group["scales"][lane], self._group["offsets"][lane]
            return [(self._float(q) * (1 / 16) + 1.0) * scale + offset for q in numbers]
        if isinstance(scheme, Lut) and self.entries is not None:
            return [self._chosen(self.entries, q, scheme.bits) for q in numbers]
        table = self.buffers["table"]
        if isinstance(scheme, Vector):
            each = range(scheme.width)
            return [self._float(table[q * scheme.width + i]) for q in numbers for i in each]
        first = 0
        if isinstance(scheme, Lut) and scheme.tables(self.matrix.rows) > 1:
            first = row // scheme.rows_per_table * (1 << scheme.bits)
        return [self._float(table[first + q]) for q in numbers]

    def product(self, row: Any, unit: Any, inputs: Sequence[Any], lane: Any = 0) -> Any:
        """The weights of a unit times as many inputs, summed."""
        terms = [w * x for w, x in zip(self.weights(row, unit, lane), inputs, strict=True)]
        total = terms[0]
        for term in terms[1:]:
            total = total + term
        return total

    def _codes(self, codes: Any, start: Any) -> list[Any]:
        """The codes of the unit that begins at an element, as int32."""
        units, ir = self.units, self.ir
        mask = (1 << units.bits) - 1
        if units.dtype == "uint32":
            word = codes[start]
            shifted = (word >> ir.uint32(k * units.bits) for k in range(units.codes))
            return [ir.Cast("int32", s & ir.uint32(mask)) for s in shifted]
        loaded = [ir.Cast("int32", codes[start + i]) for i in range(units.elements)]
        out = []
        for at in range(0, units.codes * units.bits, units.bits):
            first, shift = divmod(at, BYTE)
            found = loaded[first] >> shift
            if shift + units.bits > BYTE:
                found = found | (loaded[first + 1] << (BYTE - shift))
            out.append(found & mask)
        return out

    def _chosen(self, entries: Any, code: Any, bits: int) -> Any:
        """The entry of a code. Few are chosen from bit by bit, which vectors can do without gathering."""
        if bits > SELECTED:
            return entries[code]
        ir, left = self.ir, [entries[i] for i in range(1 << bits)]
        for bit in range(bits):
            odd = (code & (1 << bit)) != 0
            left = [ir.Select(odd, b, a) for a, b in zip(left[::2], left[1::2], strict=True)]
        return left[0]

    def _grid(self, scheme: Affine, code: Any, lane: Any) -> Any:
        if scheme.symmetric:
            half = 1 << (scheme.bits - 1)
            return self._float((code ^ half) - half)
        return self._float(code) - self._group["zeros"][lane]

    def _scale(self, row: Any, at: Any) -> Any:
        scheme = self.matrix.scheme
        bits = scheme.scale_bits if isinstance(scheme, Affine | Vector) else 0
        if not bits:
            return self._float(self.buffers["scales"][at])
        code = self._float(self._packed("scales", at, bits))
        product = code * self._float(self.buffers["supers"][row])
        return self._float(self.ir.Cast("float16", product))

    def _zero(self, scheme: Affine, at: Any) -> Any:
        if scheme.zero_dtype == "f16":
            return self._float(self.buffers["zeros"][at])
        return self._float(self._packed("zeros", at, scheme.zero_bits)) * scheme.zero_step

    def _packed(self, name: str, index: Any, bits: int) -> Any:
        """Number `index` of a packed part, as int32."""
        buffer, ir = self.buffers[name], self.ir
        at, last = index * bits, int(buffer.shape[0]) - 1
        found = ir.Cast("int32", buffer[at // BYTE]) >> (at % BYTE)
        if BYTE % bits:  # it may reach into the next byte, of which the last number has none
            high = ir.Cast("int32", buffer[ir.min(at // BYTE + 1, last)])
            found = found | (high << (BYTE - at % BYTE))
        return found & ((1 << bits) - 1)

    def _float(self, value: Any) -> Any:
        return self.ir.Cast("float32", value)
