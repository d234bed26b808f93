"The shape of the package: order of its packages, names that are there once, the front door, the README"
import ast
import importlib
import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import nbformat
import pytest

import portfolio_research

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "portfolio_research"
# Each imports from those before it.
ORDER = ("core", "plotting", "protocols", "plugins", "data", "metrics", "validation", "execution",
         "estimation", "optimization",
         "management", "risk", "policy", "experiments", "reporting", "live", "studies", "settings", "cli")
MODULES = {".".join(path.relative_to(PACKAGE).with_suffix("").parts): path
           for path in sorted(PACKAGE.rglob("*.py"))
           if not path.name.startswith("_")}

def imports(path):
    "The modules of this package that a module imports when it is imported or run, not for its types alone."
    here = ("portfolio_research", *path.relative_to(PACKAGE).parts)
    def walk(node):
        if isinstance(node, ast.If) and getattr(node.test, "id", "") == "TYPE_CHECKING": return
        if isinstance(node, ast.ImportFrom):
            base = ".".join(here[:-node.level]) if node.level else ""
            full = f"{base}.{node.module}".strip(".") if node.module else base
            if full.startswith("portfolio_research."): yield full.removeprefix("portfolio_research.")
        for child in ast.iter_child_nodes(node): yield from walk(child)
    return set(walk(ast.parse(path.read_text())))

def test_each_package_imports_from_those_before_it():
    place = {name: i for i, name in enumerate(ORDER)}
    wrong = [f"{name} -> {other}" for name, path in MODULES.items() for other in imports(path)
             if place[other.split(".")[0]] > place[name.split(".")[0]]]
    assert not wrong

def test_exported_lines_fit():
    exported = [(path, cell) for path in sorted((ROOT / "nbs").rglob("*.ipynb"))
                for cell in nbformat.read(path, 4).cells if cell.source.startswith("#| export")]
    long = [f"{path.relative_to(ROOT)} [{cell.id}]: {line}" for path, cell in exported
            for line in cell.source.split("\n") if len(line) > 110]
    assert not long

def test_no_circle():
    graph, done = {name: imports(path) & MODULES.keys() for name, path in MODULES.items()}, set()
    def visit(name, above):
        assert name not in above, " -> ".join([*above, name])
        if name in done: return
        for other in sorted(graph[name]): visit(other, (*above, name))
        done.add(name)
    for name in graph: visit(name, ())

def test_no_public_name_twice():
    where = defaultdict(set)
    for name in MODULES.keys() - {"cli"}:                          # whose names are commands
        module = importlib.import_module(f"portfolio_research.{name}")
        for public in module.__all__:
            where[public].add(getattr(getattr(module, public), "__module__", module.__name__))
    assert {name: found for name, found in where.items() if len(found) > 1} == {}

def test_the_front_door_is_typed_and_resolves():
    """Each name of the facade is in the block for type checkers, from the module that it comes from, and is a
    public name there."""
    tree = ast.parse((PACKAGE / "__init__.py").read_text())
    block = next(node for node in tree.body if isinstance(node, ast.If))
    typed = {alias.asname: node.module for node in block.body for alias in node.names}
    assert typed == portfolio_research._MODULE_OF
    for name, module in typed.items():
        found = importlib.import_module(f"portfolio_research.{module}")
        assert getattr(portfolio_research, name) is getattr(found, name) and name in found.__all__, name
    assert set(typed) <= set(dir(portfolio_research))
    with pytest.raises(AttributeError, match="no attribute 'Polciy'"): _ = portfolio_research.Polciy

def test_importing_it_loads_nothing():
    code = ("import sys, portfolio_research; heavy = ('numpy', 'pandas', 'typing'); "
            "print([m for m in sys.modules if m.split('.')[0] in heavy])")
    plain = subprocess.run([sys.executable, "-S", "-c",
                            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {code}"],
                           capture_output=True, text=True, check=True)
    assert plain.stdout.strip() == "[]"

def test_parts_of_the_front_door_can_be_named_in_settings():
    from portfolio_research.settings import known_parts
    known, parts = known_parts(), {"optimization.allocators", "execution.triggers", "management.strategies",
                                   "management.regimes",
                                   "management.regime_overlay", "risk.stop_loss", "risk.moving_average",
                                   "risk.autocorrelation",
                                   "risk.regime_rules", "risk.exposure_scaling", "risk.placement",
                                   "estimation.estimates", "optimization.steering", "execution.moves",
                                   "management.trade_limits", "management.diversification",
                                   "management.concentration", "management.monitoring",
                                   "management.metric_triggers", "management.no_trade_band"}
    missing = [name for name, module in portfolio_research._MODULE_OF.items() if module in parts
               and name not in known]
    assert set(missing) == {"plot_regimes", "strategy", "exposure", "concentration", "monitor"}

def test_chapters_mirror_modules():
    "nbs/risk/03_stop_loss.ipynb exports risk.stop_loss, and every module has its chapter."
    chapters = {}
    for path in sorted((ROOT / "nbs").rglob("[0-9]*.ipynb")):
        text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code")
        exported = re.search(r"^#\| default_exp ([\w.]+)$", text, re.M)[1]
        chapters[exported] = path
        assert exported == ".".join([*path.relative_to(ROOT / "nbs").parts[:-1], path.stem.partition("_")[2]])
    assert chapters.keys() == MODULES.keys()

def test_every_page_has_its_own_title():
    titles = defaultdict(list)
    for path in (ROOT / "nbs").rglob("*.ipynb"):
        text = "\n".join(cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "markdown")
        titles[re.search(r"^# (.+)$", text, re.M)[1].strip().lower()].append(path.name)
    assert {title: found for title, found in titles.items() if len(found) > 1} == {}
    assert not {"search", "genindex", "index"} & {path.stem.partition("_")[2]
                                                  for path in (ROOT / "nbs").rglob("[0-9]*.ipynb")}

def test_the_index_names_every_chapter():
    text = "\n".join(cell.source for cell in nbformat.read(ROOT / "nbs" / "index.ipynb", 4).cells)
    for path in (ROOT / "nbs").rglob("[0-9]*.ipynb"):
        assert f"({path.relative_to(ROOT / 'nbs')})" in text, path

@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_a_page_runs_as_pasted(page, tmp_path):
    "Every Python block of a page, top to bottom, in a plain interpreter, from anywhere."
    blocks = re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)
    assert len(blocks) > 5
    (tmp_path / "pasted.py").write_text("\n".join(blocks))
    run = subprocess.run([sys.executable, "pasted.py"], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr[-3000:]
