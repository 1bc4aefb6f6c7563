"""What the documents tell people to type must exist."""

import re
import shlex
from pathlib import Path

import pytest

from optimum_compile.tools import compile as compile_tool
from optimum_compile.tools.cli import COMMANDS, main

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "models/reference/README.md",
    *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
)
TEXT = {name: (ROOT / name).read_text() for name in DOCUMENTS}


def commands() -> list[str]:
    lines = re.sub(r"\\\n\s*", "", "\n".join(TEXT.values())).splitlines()
    found = [line.strip() for line in lines if line.startswith("    optimum-compile ")]
    return [re.split(r"\s{2,}#", line)[0] for line in found]


def test_there_are_commands_to_check():
    assert len(commands()) >= 5


@pytest.mark.parametrize("command", commands())
def test_every_option_that_is_shown_exists(command, capsys):
    words = shlex.split(command)[1:]
    shown = {word for word in words if word.startswith("-")}
    if words[0] not in COMMANDS:
        words = ["compile", *words]
    with pytest.raises(SystemExit) as ended:
        main([words[0], "--help"])
    assert ended.value.code == 0
    known = re.findall(r"(?<![\w-])--?[a-z][a-z-]*", capsys.readouterr().out)
    assert shown - set(known) == set()
    if words[0] == "compile":
        _, options = compile_tool.parse(words[1:])  # values that are not allowed would raise
        assert options.target


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_make_target_that_is_shown_exists(document):
    makefile = (ROOT / "Makefile").read_text()
    for target in re.findall(r"(?:`|    )make ([a-z][a-z-]+)\b", TEXT[document]):
        if target in ("and", "targets", "venv"):
            continue
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), f"make {target}"


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_path_that_is_shown_exists(document):
    for path in re.findall(
        r"`((?:compiler|passes|backends|runtime_stub|tests|models|tools)/[\w/.]+)`", TEXT[document]
    ):
        assert (ROOT / path).exists(), path


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_link_leads_somewhere(document):
    """Files by their paths, headings of the same or another document by their anchors."""
    home = (ROOT / document).parent
    for path, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", TEXT[document]):
        target = home / path if path else ROOT / document
        assert target.exists(), path
        if anchor:
            assert anchor in anchors(target.read_text()), f"{path}#{anchor}"


def anchors(text: str) -> set[str]:
    titles = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def test_python_in_the_readme_is_python_that_imports_what_exists():
    import optimum_compile

    for block in re.findall(r"```python\n(.*?)```", TEXT["README.md"], re.DOTALL):
        compile(block, "README.md", "exec")
        for name in re.findall(r"\boc\.(\w+)", block):
            assert hasattr(optimum_compile, name)
