"""What the documents promise: the README's script and commands, the examples, the benchmark's driver."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import pykeras

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()


def run_script(path: Path, *arguments: str, cwd: Path) -> str:
    """Run a script with the pykeras under test and return what it printed."""
    environment = {**os.environ, "PYTHONPATH": str(Path(pykeras.__file__).parent.parent)}
    result = subprocess.run(
        [sys.executable, str(path), *arguments], cwd=cwd, env=environment, capture_output=True, text=True
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_readme_holds_two_commands():
    blocks = re.findall(r"^```sh\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert [block.count("\n") for block in blocks] == [1, 1]
    assert "pykeras digits" in blocks[0]
    assert "pytest" in blocks[1]


PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "examples" / "README.md"]
GUIDE = [page for page in PAGES if page.parent.name == "docs" and "```python" in page.read_text()]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8")):
        path, _, anchor = target.partition("#")
        file = page.parent / path if path else page
        assert file.exists(), f"{page.name} points to {target}"
        if anchor:
            assert anchor in anchors(file), f"{page.name} points to {target}"


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in links, by the rule of repository pages and of MkDocs."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    headings = re.findall(r"^#+ (.+)$", prose, flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", GUIDE, ids=lambda page: page.name)
def test_guide(page, tmp_path):
    """The Python blocks of a page of the user guide, run as one script from top to bottom."""
    blocks = re.findall(r"^```python\n(.*?)^```$", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    (tmp_path / "page.py").write_text("\n".join(blocks))
    run_script(tmp_path / "page.py", cwd=tmp_path)


def test_faq_is_the_same_in_both_languages():
    """As many questions in the same order: the same code, and the same names in each answer."""
    sections = []
    for name in ("faq.md", "faq.zh-TW.md"):
        parts = re.split(r"^## .*\n", (ROOT / "docs" / name).read_text("utf-8"), flags=re.MULTILINE)
        fence = re.compile(r"^```\w+\n.*?^```$", flags=re.MULTILINE | re.DOTALL)
        sections.append(
            [(fence.findall(part), sorted(re.findall(r"`[^`]+`", fence.sub("", part)))) for part in parts]
        )
    english, chinese = sections
    assert len(english) == len(chinese) > 20
    for ours, theirs in zip(english, chinese):
        assert ours == theirs


def test_guide_is_complete():
    """Every page is in the index and in the menu."""
    index, menu = (ROOT / "docs" / "index.md").read_text(), (ROOT / "mkdocs.yml").read_text()
    for page in (ROOT / "docs").glob("*.md"):
        assert page.name == "index.md" or f"({page.name})" in index, f"not in docs/index.md: {page.name}"
        assert page.name in menu, f"not in mkdocs.yml: {page.name}"


def test_readme_script(tmp_path):
    (script,) = re.findall(r"^```python\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    assert script.count("\n") <= 12
    (tmp_path / "script.py").write_text(script)
    output = run_script(tmp_path / "script.py", cwd=tmp_path)
    assert float(output.split("accuracy on new pictures: ")[1]) > 0.93


def test_example_with_two_inputs(tmp_path):
    output = run_script(ROOT / "examples" / "two_inputs.py", cwd=tmp_path)
    assert "features of one picture: (1, 4, 4, 32)" in output
    assert float(re.findall(r"\ndigit_acc: (0\.\d+)", output)[0]) > 0.9


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name)
def test_examples_are_listed(path):
    compile(path.read_text(), str(path), "exec")
    assert f"`{path.name}`" in (ROOT / "examples" / "README.md").read_text()


def test_benchmark_driver(tmp_path):
    """One engine alone, one short round: tables come out, and they are kept where asked for."""
    arguments = ["mlp", "--engines", "pykeras", "--rounds", "1", "--seconds", "0.02", "--write", "table.md"]
    run_script(ROOT / "benchmarks" / "compare.py", *arguments, cwd=tmp_path)
    table = (tmp_path / "table.md").read_text()
    assert re.search(r"^\| mlp \| predict \| 1 \| [\d.]+ (µs|ms) \|", table, flags=re.MULTILINE)
    assert "1,441" in table
