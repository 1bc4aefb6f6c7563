import json
from dataclasses import asdict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.models import copy_bundle, shared_bundle

from optimum_compile.compiler.errors import InputError
from optimum_compile.compiler.package.manifest import FORMAT, parse_manifest
from optimum_compile.compiler.package.reader import Bundle, damaged_files, open_bundle


def document():
    return json.loads((shared_bundle().path / "manifest.json").read_text())


def test_text_and_manifest_are_inverse():
    text = (shared_bundle().path / "manifest.json").read_text("utf-8")
    manifest = parse_manifest(text, "it")
    assert manifest == shared_bundle().manifest
    assert manifest.to_json() == text


def test_the_text_does_not_depend_on_the_order_of_keys():
    shuffled = dict(reversed(document().items()))
    again = parse_manifest(json.dumps(shuffled), "it")
    assert again.to_json() == shared_bundle().manifest.to_json()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "it: not JSON"),
        ("{", "it: not JSON"),
        ("[" * 100_000, "it: not JSON"),
        ('{"format": NaN}', "it: not JSON: NaN is no JSON number"),
        ("[]", f"it: manifest format None: expected {FORMAT}; compile again"),
        ('{"format": 1}', "it: manifest format 1: expected 2; compile again"),
        ('{"format": "2"}', "it: manifest format '2': expected 2"),
        ('{"format": 2}', "it: not a manifest of this program: manifest: missing or unknown keys"),
    ],
)
def test_what_is_no_manifest_is_refused_by_the_name_of_the_file(text, message):
    with pytest.raises(InputError) as refused:
        parse_manifest(text, "it")
    assert str(refused.value).startswith(message)


def paths(value, at=()):
    """Every place in a JSON document."""
    yield at
    if isinstance(value, dict | list):
        items = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in items:
            yield from paths(item, (*at, key))


@given(data=st.data(), junk=st.sampled_from([None, -1, 1.5, "x", [], {}, [[1]], {"a": "b"}, True]))
@settings(deadline=None)
def test_junk_anywhere_is_refused_or_harmless(data, junk):
    from optimum_compile.tools.tables import bundle_document, show_bundle

    manifest = document()
    place = data.draw(st.sampled_from([p for p in paths(manifest) if p]))
    inner = manifest
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = junk
    try:
        parsed = parse_manifest(json.dumps(manifest), "it")
    except InputError:
        return
    bundle = Bundle(shared_bundle().path, parsed)
    assert parse_manifest(parsed.to_json(), "it") == parsed
    json.dumps(bundle_document(bundle), allow_nan=False)
    show_bundle(_Silent(), bundle)


class _Silent:
    def print(self, *what, **how):
        pass


def test_a_bundle_finds_artifacts_by_platform():
    bundle = shared_bundle()
    assert bundle.artifact("ios") == bundle.manifest.artifacts[0]
    assert bundle.artifact("android") is None


def test_files_resolve_inside_the_bundle_only(tmp_path):
    bundle = Bundle(tmp_path, shared_bundle().manifest)
    assert bundle.resolve("ios/x") == tmp_path / "ios" / "x"
    assert bundle.resolve("ios/../x") == tmp_path / "x"
    (tmp_path / "self").symlink_to(tmp_path / "self")
    for path in ("..", "../x", "/x", "a/../../x", "a\0b", "self"):
        with pytest.raises(InputError):
            bundle.resolve(path)


def test_a_fresh_bundle_has_no_damage_and_lists_every_file():
    bundle = shared_bundle()
    assert damaged_files(bundle) == []
    on_disk = {p.relative_to(bundle.path).as_posix() for p in bundle.path.rglob("*") if p.is_file()}
    assert on_disk == {f.path for f in bundle.manifest.files} | {"manifest.json"}


def test_each_kind_of_damage_has_its_own_line(tmp_path):
    path = copy_bundle(tmp_path)
    (path / "tokenizer.json").unlink()
    (path / "tokenizer_config.json").write_text("{}")
    data = bytearray((path / "conformance.npz").read_bytes())
    data[100] ^= 255
    (path / "conformance.npz").write_bytes(data)
    assert damaged_files(open_bundle(path)) == [
        "conformance.npz: its SHA-256 differs from the manifest's",
        "tokenizer.json: missing",
        "tokenizer_config.json: 2 bytes, the manifest says 63",
    ]


@pytest.mark.parametrize("make", [lambda p: None, lambda p: p.touch(), lambda p: p.mkdir()])
def test_a_place_without_a_bundle_says_how_to_make_one(tmp_path, make):
    make(tmp_path / "b")
    with pytest.raises(InputError, match="no bundle here .* make one with: optimum-compile MODEL"):
        open_bundle(tmp_path / "b")


def test_a_manifest_that_is_no_text_is_refused(tmp_path):
    (tmp_path / "manifest.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        open_bundle(tmp_path)


def test_a_manifest_holds_plain_json_only():
    assert json.loads(json.dumps(asdict(shared_bundle().manifest))) == document()
