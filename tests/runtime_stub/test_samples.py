"""The samples for Android and iOS, as far as this machine can build and run them."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from support.hf import save_folder, tiny_model
from support.native_seeds import decoder

import optimum_compile as oc
from optimum_compile.backends.native.session import Model
from optimum_compile.runtime_stub.build import runtime_library, runtime_program

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "runtime_stub" / "samples"
ANDROID, IOS = SAMPLES / "android", SAMPLES / "ios"
CPP, JAVA = ANDROID / "app/src/main/cpp", ANDROID / "app/src/main/java/dev/optimumcompile/sample"
MAIN = "samples/android/app/src/main/cpp/main.cpp"
PROMPT = [5, 17, 3, 88, 41, 9, 2]
COUNT = 6
CALLER = """
import dev.optimumcompile.sample.Generator;

public final class Caller {
  public static void main(String[] words) {
    try (Generator generator = new Generator(words[0], words[1])) {
      final long[] prompt = {5, 17, 3, 88, 41, 9, 2};
      generator.generate(prompt, 6, new long[0], id -> { System.out.print(id + " "); return true; });
      System.out.println();
      generator.generate(prompt, 6, new long[0], id -> { System.out.print(id + " "); return false; });
      System.out.println();
      generator.generate(new long[] {99999}, 1, new long[0], id -> true);
    } catch (IllegalStateException error) {
      System.out.println(error.getMessage());
    }
  }
}
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> Path:
    return decoder(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def expected(model) -> list[int]:
    session = Model(model).session()
    tokens = [int(session.run(PROMPT)[-1].argmax())]
    while len(tokens) < COUNT:
        tokens.append(int(session.decode(tokens[-1]).argmax()))
    return tokens


def generated(command: list[str], model: Path, *more: str) -> subprocess.CompletedProcess[str]:
    ids = ",".join(map(str, PROMPT))
    words = [*command, str(model), "--prompt", ids, "--count", str(COUNT), *more]
    return subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)


def test_the_program_generates(model, expected):
    program = [str(runtime_program(MAIN))]
    done = generated(program, model, "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert [int(word) for word in done.stdout.split()] == expected
    assert "tokens a second" in done.stderr
    stopped = generated(program, model, "--stop", str(expected[1]))
    assert [int(word) for word in stopped.stdout.split()] == expected[
        : expected.index(expected[1]) + 1
    ]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--device", "npu"], 1, "expected cpu or vulkan"),
        (["--count", "x"], 2, "usage: generate"),
        (["--prompt", "1,99999"], 1, "99999"),
    ],
)
def test_the_program_says_what_cannot_be_done(model, words, code, said):
    done = generated([str(runtime_program(MAIN))], model, *words)
    assert (done.returncode, done.stdout.strip()) == (code, "")
    assert said in done.stderr


@pytest.mark.slow
def test_the_program_for_aarch64_under_qemu(model, expected):
    cross, qemu = "aarch64-linux-gnu-g++", "qemu-aarch64"
    missing = [name for name in (cross, qemu) if shutil.which(name) is None]
    if missing:
        pytest.skip(f"{' and '.join(missing)} missing")
    program = runtime_program(MAIN, ("-static", "-O1"), cross)
    done = generated([qemu, str(program)], model)
    assert [int(word) for word in done.stdout.split()] == expected, done.stderr


def test_the_program_on_a_vulkan_device(tmp_path):
    """The same tokens as on the CPU, from the same file."""
    folder = save_folder(tiny_model("llama"), tmp_path / "model")
    options = {"quantizer": "rtn", "calibration": "none", "policy": "uniform", "bits": 4}
    bundle = oc.compile(folder, ["gpu"], output=str(tmp_path / "out"), verify=False, **options)
    model = bundle.resolve(bundle.manifest.artifacts[0].path)
    program = [str(runtime_program(MAIN))]
    there = generated(program, model, "--device", "vulkan")
    if there.returncode != 0:
        pytest.skip(f"no Vulkan device here: {there.stderr.strip()}")
    assert there.stdout == generated(program, model).stdout
    assert len(there.stdout.split()) == COUNT


def test_java_calls_the_runtime(model, expected, tmp_path):
    """The JNI library and Generator.java, built with a JDK in place of Android's."""
    javac = shutil.which("javac")
    if javac is None:
        pytest.skip("no JDK here (Debian: apt-get install default-jdk-headless)")
    home = Path(javac).resolve().parents[1]
    library = runtime_library()
    flags = ["-std=c++17", "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror"]
    includes = [home / "include", home / "include/linux", ROOT / "runtime_stub/include"]
    run(
        *(os.environ.get("CXX", "g++"), *flags, *(f"-I{folder}" for folder in includes)),
        *(CPP / "jni.cpp", library, f"-Wl,-rpath,{library.parent}"),
        *("-o", tmp_path / "libgenerator.so"),
    )
    (tmp_path / "Caller.java").write_text(CALLER)
    run(
        javac,
        "-Xlint:all",
        "-Werror",
        "-d",
        tmp_path,
        JAVA / "Generator.java",
        tmp_path / "Caller.java",
    )
    command = [home / "bin/java", f"-Djava.library.path={tmp_path}", "-cp", tmp_path, "Caller"]
    lines = run(*command, model, "cpu").splitlines()
    assert [int(word) for word in lines[0].split()] == expected
    assert [int(word) for word in lines[1].split()] == expected[:1]
    assert "99999" in lines[2]
    assert "cannot be opened" in run(*command, tmp_path / "none.ocm", "cpu")


def test_java_declares_what_jni_defines():
    declared = set(re.findall(r"static native \w+ (\w+)\(", (JAVA / "Generator.java").read_text()))
    prefix = r"Java_dev_optimumcompile_sample_Generator_(\w+)\("
    assert declared == set(re.findall(prefix, (CPP / "jni.cpp").read_text()))


def test_every_path_that_the_build_files_name_is_there():
    gradle = (ANDROID / "app/build.gradle.kts").read_text()
    (cmake,) = re.findall(r'path = file\("([^"]+)"\)', gradle)
    listing = (ANDROID / "app" / cmake).read_text()
    (runtime,) = re.findall(r"CMAKE_CURRENT_SOURCE_DIR}/(\S+) CACHE", listing)
    assert (CPP / runtime / "CMakeLists.txt").resolve() == ROOT / "runtime_stub/CMakeLists.txt"
    for name in re.findall(r"(\w+\.cpp)\)", listing):
        assert (CPP / name).is_file()
    script = (IOS / "build_runtime.sh").read_text()
    assert "OC_RUNTIME:-../.." in script
    assert (IOS / "../../CMakeLists.txt").is_file()
    assert (IOS / "module/module.modulemap").is_file()


def test_swift_calls_functions_that_the_interface_has():
    header = (ROOT / "runtime_stub/include/optimum_compile/optimum_compile.h").read_text()
    names = set(re.findall(r"\boc_\w+|\bOC_\w+", (IOS / "Sources/Generator.swift").read_text()))
    assert "oc_session_create_on" in names
    assert {name for name in names if not re.search(rf"\b{name}\b", header)} == set()


def test_samples_travel_in_the_wheel():
    setup = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    assert "samples/**/*" in setup["package-data"]["optimum_compile.runtime_stub"]


def run(*words: object) -> str:
    command = [str(word) for word in words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout
