"""The bench of KV caches: its rows, and what they say of a tiny model."""

import json
from pathlib import Path

import pytest
from support.models import tiny_llama

from optimum_compile.compiler.errors import OptionError
from optimum_compile.compiler.quant.kv import KvBits, KvRole, KvScheme
from optimum_compile.tools import bench_kv


def test_every_width_has_its_ablations() -> None:
    found = list(bench_kv.settings())
    assert len(set(found)) == len(found) == 5 + 3 * 4
    assert found[0] == bench_kv.Setting(KvBits())
    narrow = bench_kv.Setting(KvBits(4, 2), window=0, sinks=0)
    assert narrow in found
    assert narrow.scheme(KvRole.KEYS) == KvScheme(4, window=0, sinks=0)
    assert narrow.scheme(KvRole.VALUES) == KvScheme(2, window=0, sinks=0)


def test_the_table_of_a_tiny_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_llama(tmp_path / "model", context=160)
    text = tmp_path / "text.json"
    text.write_text(json.dumps(["Ana had a boat. The boat was red.", "She sang a song. " * 20]))
    few = [bench_kv.Setting(KvBits(n, n)) for n in (16, 8, 2)]
    few.append(bench_kv.Setting(KvBits(2, 2), rotated=True))
    monkeypatch.setattr(bench_kv, "settings", lambda: iter(few))
    arguments = [str(model), "--text", str(text), "--contexts", "160", "--windows", "1"]
    assert bench_kv.main(arguments) == 0
    lines = capsys.readouterr().out.splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
    assert [row[1] for row in rows] == ["16", "8", "2", "2"]
    assert [row[4] for row in rows] == ["no", "no", "no", "yes"]
    sizes = [int(row[5].replace(",", "")) for row in rows]
    assert sizes[0] == 2 * 3 * 2 * 160 * 16 * 2
    assert sizes[0] > sizes[1] > sizes[2] == sizes[3]
    kl = [float(row[7]) for row in rows]
    assert kl[0] < 1e-5  # fp16
    assert kl[0] < kl[1] < kl[2] / 10
    with pytest.raises(OptionError, match=r"the text has 2 windows of 160 tokens; 99 asked"):
        bench_kv.main([*arguments[:-1], "99"])
