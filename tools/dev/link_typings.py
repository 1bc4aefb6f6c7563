"""Make `.typings/optimum_compile/` with links to the folders, so that type checkers see the package.

An editable install maps packages through an import hook, which mypy cannot follow.
"""

import tomllib
from pathlib import Path


def main() -> None:
    root = Path(__file__).resolve().parents[2]
    mapping = tomllib.loads((root / "pyproject.toml").read_text())["tool"]["setuptools"][
        "package-dir"
    ]
    top = root / ".typings" / "optimum_compile"
    top.mkdir(parents=True, exist_ok=True)
    for link in top.iterdir():
        link.unlink()
    for file in (root / mapping["optimum_compile"]).iterdir():
        if file.suffix in (".py", ".typed"):
            (top / file.name).symlink_to(file)
    for package, folder in mapping.items():
        if "." in package:
            (top / package.split(".", 1)[1]).symlink_to(root / folder)


if __name__ == "__main__":
    main()
