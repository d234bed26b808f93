"What nbs/conftest.py makes of notebooks that pass, fail, stop, crash and hang: they must never be silently green"
import os, re, shutil, subprocess, sys
from pathlib import Path

import nbformat
import pytest

NBS = Path(__file__).parents[1] / "nbs"
PROJECT = '[project]\nname = "scratch"\n[tool.nbdev]\ntst_flags = "notest slow"\nexec_profile = false\n'
MODULE = "def circle(r): return math.pi * r * r\n"
NOTEBOOKS = {  # cells; one that starts with a # and a blank is markdown
    "00_good": ["# Good", "#| default_exp good", "#| export\nimport math\nfrom math import tau as _tau", "#| export\n" + MODULE,
                "## Area", "assert circle(0) == 0", "#| eval: false\nassert False", "#| slow\nassert circle(2) < 0, 'ran slowly'",
                "## Private", "assert _tau > 6"],
    "01_unexported": ["#| default_exp unexported", "#| hide\nimport math", "#| export\n" + MODULE, "## Area", "assert circle(0) == 0"],
    "02_wrong": ["# Wrong", "def half(x): return x // 2", "## Halves", "x = 3\nassert half(x) == 1.5, 'a half is lost'", "assert half(4) == 2"],
    "03_stops": ["## Before", "assert True", "no_such_name + 1", "## After", "assert True", "assert 1 == 1"],
    "04_killed": ["assert True", "import os, sys\nprint('last words', file=sys.__stderr__)\nos.kill(os.getpid(), 9)", "assert True"],
    "05_hangs": ["assert True", "import time\ntime.sleep(60)"],
    "06_leaves": ["import builtins, os\nbuiltins.left, os.environ['LEFT'] = 1, '1'\nassert True"],
    "07_finds": ["import builtins, os\nassert not hasattr(builtins, 'left') and 'LEFT' not in os.environ",
                 "assert os.path.basename(os.getcwd()) == 'nbs' and os.environ['MPLBACKEND'] == 'agg' and os.environ['IN_TEST']"],
    "_draft": ["assert False"],
}

def write_notebook(path, sources):
    kinds = {True: nbformat.v4.new_markdown_cell, False: nbformat.v4.new_code_cell}
    cells = [kinds[bool(re.match("#+ ", source))](source, id=f"c{i}") for i, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)

def run_pytest(folder, *arguments, **env):
    "Test outcomes by node id, and what pytest printed."
    command = [sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *arguments]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "NB_"))} | env
    text = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True).stdout
    return {name.removeprefix("nbs/"): outcome for outcome, name in re.findall(r"^(PASSED|FAILED) (\S+)", text, re.M)}, text

@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    for name in ("nbs", "scratch"): (root / name).mkdir()
    for name in ("conftest.py", "_run_notebook.py"): shutil.copy(NBS / name, root / "nbs")
    for name, sources in NOTEBOOKS.items(): write_notebook(root / "nbs" / f"{name}.ipynb", sources)
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "scratch" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    (root / "scratch" / "good.py").write_text("import math\nfrom math import tau as _tau\n" + MODULE)
    (root / "scratch" / "unexported.py").write_text(MODULE)
    return root

@pytest.fixture(scope="module")
def outcome(scratch): return run_pytest(scratch, "--ignore", "nbs/05_hangs.ipynb")

def of(outcome, notebook): return {k.partition("::")[2]: v for k, v in outcome[0].items() if k.startswith(notebook)}

def test_items_are_asserting_cells_in_both_modes(outcome):
    wanted = ["area[c5]", "private[c9]", "runs_to_end"]
    assert of(outcome, "00_good") == {f"{mode}::{name}": "PASSED" for mode in ("notebook", "package") for name in wanted}
    assert "flagged slow" in outcome[1] and not of(outcome, "_draft")

def test_slow_cells_run_when_asked_for(scratch):
    results, text = run_pytest(scratch, "nbs/00_good.ipynb", NB_FLAGS="slow")
    assert results["00_good.ipynb::package::area[c7]"] == "FAILED" and "ran slowly" in text

def test_missing_export_fails_in_package_mode_only(outcome):
    assert of(outcome, "01") == {"notebook::area[c4]": "PASSED", "notebook::runs_to_end": "PASSED",
                                 "package::area[c4]": "FAILED", "package::runs_to_end": "PASSED"}
    assert "NameError: name 'math' is not defined" in outcome[1]

def test_failing_assertion_shows_its_cell_and_the_next_still_runs(outcome):
    assert of(outcome, "02") == {"notebook::halves[c3]": "FAILED", "notebook::halves[c4]": "PASSED", "notebook::runs_to_end": "PASSED"}
    assert "02_wrong.ipynb, mode notebook, cell 3 [c3], section 'Halves'\n\nx = 3\nassert half(x) == 1.5" in outcome[1]
    assert 'File cell 3, line 2' in outcome[1] and "AssertionError: a half is lost" in outcome[1]

def test_error_in_a_plain_cell_fails_what_follows(outcome):
    assert of(outcome, "03") == {"notebook::before[c1]": "PASSED", "notebook::after[c4]": "FAILED", "notebook::runs_to_end": "FAILED"}
    assert "cell 2 [c2], section 'Before'\n\nno_such_name + 1" in outcome[1] and "NameError: name 'no_such_name'" in outcome[1]
    assert "not run: 03_stops.ipynb, mode notebook, cell 2" in outcome[1]

def test_killed_notebook_fails_with_its_last_words(outcome):
    assert of(outcome, "04") == {"notebook::top[c0]": "PASSED", "notebook::top[c2]": "FAILED", "notebook::runs_to_end": "FAILED"}
    assert "status -9\nlast words" in outcome[1]

def test_hanging_notebook_fails_and_shows_where(scratch):
    results, text = run_pytest(scratch, "nbs/05_hangs.ipynb", NB_TIMEOUT="5")
    assert results["05_hangs.ipynb::notebook::runs_to_end"] == "FAILED" and "Timeout (0:00:05)!" in text

def test_notebooks_share_no_state(outcome):
    assert set(of(outcome, "06").values()) == set(of(outcome, "07").values()) == {"PASSED"}
    assert len(of(outcome, "07")) == 3

def test_a_single_test_runs_what_it_needs_and_fails_by_itself(scratch):
    results, _ = run_pytest(scratch, "nbs/03_stops.ipynb::notebook::after[c5]")
    assert results == {"03_stops.ipynb::notebook::after[c5]": "FAILED"}
