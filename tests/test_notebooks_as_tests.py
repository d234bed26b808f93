"""What nbs/conftest.py makes of notebooks that pass, fail, stop, crash and hang: they must never be silently
green"""
import os, re, shutil, subprocess, sys
from pathlib import Path

import nbformat
import pytest

NBS = Path(__file__).parents[1] / "nbs"
PROJECT = '[project]\nname = "scratch"\n[tool.nbdev]\ntst_flags = "notest slow"\nexec_profile = false\n'
MODULE = "def circle(r): return math.pi * r * r\n"
NOTEBOOKS = {  # cells; one that starts with a # and a blank is markdown
    "00_good": ["# Good", "#| default_exp good", "#| export\nimport math\nfrom math import tau as _tau",
                "#| export\n" + MODULE,
                "## Area", "assert circle(0) == 0", "#| eval: false\nassert False",
                "#| slow\nassert circle(2) < 0, 'ran slowly'",
                "## Private", "assert _tau > 6", "## Checks", "### An oracle", "assert circle(1) > 3"],
    "01_unexported": ["#| default_exp unexported", "#| hide\nimport math", "#| export\n" + MODULE, "## Area",
                      "assert circle(0) == 0"],
    "02_wrong": ["# Wrong", "def half(x): return x // 2", "## Halves",
                 "x = 3\nassert half(x) == 1.5, 'a half is lost'", "assert half(4) == 2"],
    "03_stops": ["## Before", "assert True", "no_such_name + 1", "## After", "assert True", "assert 1 == 1"],
    "04_killed": ["assert True",
                  "import os, sys\nprint('last words', file=sys.__stderr__)\nos.kill(os.getpid(), 9)",
                  "assert True"],
    "05_hangs": ["assert True", "import time\ntime.sleep(60)"],
    "06_leaves": ["import builtins, os\nbuiltins.left, os.environ['LEFT'] = 1, '1'\nassert True"],
    "07_finds": ["import builtins, os\nassert not hasattr(builtins, 'left') and 'LEFT' not in os.environ",
                 "assert os.path.basename(os.getcwd()) == 'nbs' and os.environ['MPLBACKEND'] == 'agg' "
                  "and os.environ['IN_TEST']"],
    "_draft": ["assert False"],
}
FEW = {"NB_LIBRARIES": "execnb.shell nbdev.test"}  # what these notebooks need: others take seconds to import
COPIED = ("conftest.py", "_run_notebook.py", "_fork_server.py", "_numba_cache.py")

def write_notebook(path, sources):
    kinds = {True: nbformat.v4.new_markdown_cell, False: nbformat.v4.new_code_cell}
    cells = [kinds[bool(re.match("#+ ", source))](source, id=f"c{i}") for i, source in enumerate(sources)]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)

def run_pytest(folder, *arguments, **env):
    "Test outcomes by node id, and what pytest printed."
    command = [sys.executable, "-m", "pytest", "-rA", "-q", "-p", "no:cacheprovider", "-p", "no:xdist",
               *arguments]
    env = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "NB_", "NUMBA_"))} | FEW | env
    text = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True).stdout
    return {name.removeprefix("nbs/"): outcome for outcome,
            name in re.findall(r"^(PASSED|FAILED) (\S+)", text, re.M)}, text

def make_project(root):
    for name in ("nbs", "scratch"): (root / name).mkdir()
    for name in COPIED: shutil.copy(NBS / name, root / "nbs")
    (root / "pyproject.toml").write_text(PROJECT)
    (root / "scratch" / "__init__.py").write_text('__version__ = "0.0.1"\n')
    return root

@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    root = make_project(tmp_path_factory.mktemp("project"))
    for name, sources in NOTEBOOKS.items(): write_notebook(root / "nbs" / f"{name}.ipynb", sources)
    (root / "scratch" / "good.py").write_text("import math\nfrom math import tau as _tau\n" + MODULE)
    (root / "scratch" / "unexported.py").write_text(MODULE)
    return root

@pytest.fixture(scope="module")
def outcome(scratch): return run_pytest(scratch, "--ignore", "nbs/05_hangs.ipynb")

def of(outcome, notebook): return {k.partition("::")[2]: v for k,
                                   v in outcome[0].items() if k.startswith(notebook)}

def test_items_are_asserting_cells_in_both_modes(outcome):
    wanted = ["area[c5]", "private[c9]", "runs_to_end"]
    assert of(outcome, "00_good") == {f"{mode}::{name}": "PASSED" for mode in ("notebook", "package")
                                      for name in wanted} | {"package::an_oracle[c12]": "PASSED"}
    assert "flagged slow" in outcome[1] and not of(outcome, "_draft")

def test_slow_cells_and_checks_in_the_notebook_run_when_asked_for(scratch):
    results, text = run_pytest(scratch, "nbs/00_good.ipynb", NB_FLAGS="slow checks")
    assert results["00_good.ipynb::package::area[c7]"] == "FAILED" and "ran slowly" in text
    assert results["00_good.ipynb::notebook::an_oracle[c12]"] == "PASSED"

def test_missing_export_fails_in_package_mode_only(outcome):
    assert of(outcome, "01") == {"notebook::area[c4]": "PASSED", "notebook::runs_to_end": "PASSED",
                                 "package::area[c4]": "FAILED", "package::runs_to_end": "PASSED"}
    assert "NameError: name 'math' is not defined" in outcome[1]

def test_failing_assertion_shows_its_cell_and_the_next_still_runs(outcome):
    assert of(outcome, "02") == {"notebook::halves[c3]": "FAILED", "notebook::halves[c4]": "PASSED",
                                 "notebook::runs_to_end": "PASSED"}
    where = "02_wrong.ipynb, mode notebook, cell 3 [c3], section 'Halves'"
    assert f"{where}\n\nx = 3\nassert half(x) == 1.5" in outcome[1]
    assert 'File cell 3, line 2' in outcome[1] and "AssertionError: a half is lost" in outcome[1]

def test_error_in_a_plain_cell_fails_what_follows(outcome):
    assert of(outcome, "03") == {"notebook::before[c1]": "PASSED", "notebook::after[c4]": "FAILED",
                                 "notebook::runs_to_end": "FAILED"}
    assert "cell 2 [c2], section 'Before'\n\nno_such_name + 1" in outcome[1]
    assert "NameError: name 'no_such_name'" in outcome[1]
    assert "not run: 03_stops.ipynb, mode notebook, cell 2" in outcome[1]

def test_killed_notebook_fails_with_its_last_words(outcome):
    assert of(outcome, "04") == {"notebook::top[c0]": "PASSED", "notebook::top[c2]": "FAILED",
                                 "notebook::runs_to_end": "FAILED"}
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

def test_where_nothing_forks_runs_are_new_processes(scratch):
    names = ["00_good", "04_killed", "06_leaves", "07_finds"]
    results, text = run_pytest(scratch, *(f"nbs/{name}.ipynb" for name in names), NB_FORK="0")
    assert [k for k, v in results.items() if v == "FAILED"] == [f"04_killed.ipynb::notebook::{name}"
                                                                for name in ("top[c2]", "runs_to_end")]
    assert len(results) == 15 and "status -9\nlast words" in text

def run_python(code, **env):
    "What a program says that runs beside the notebooks."
    done = subprocess.run([sys.executable, "-c", code], cwd=NBS, env=os.environ | env, capture_output=True,
                          text=True)
    return done.stdout.strip() or done.stderr

def test_what_forks_has_one_thread_and_nothing_of_the_project():
    code = """import _fork_server, os, sys
_fork_server.import_libraries()
print(len(os.listdir("/proc/self/task")), "numba" in sys.modules, [m for m in sys.modules if
m.startswith("portfolio")])"""
    if sys.platform != "linux": pytest.skip("elsewhere nothing forks")
    one_core = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    assert run_python(code, **one_core, JE_ARROW_MALLOC_CONF="background_thread:false") == "1 True []"

def test_what_forks_is_replaced_when_it_ends_and_says_so(tmp_path):
    write_notebook(tmp_path / "a.ipynb",
                   ["import os, random, numpy\nprint(os.getppid(), random.random(), numpy.random.rand())"])
    code = f"""import os, signal, tempfile, _fork_server
from pathlib import Path
def run():
    with tempfile.TemporaryFile("w+") as errors:
        process = _fork_server.start(Path({str(tmp_path / "a.ipynb")!r}), "notebook", errors, dict(os.environ,
        NB_TIMEOUT="60"))
        print(process.stdout.read().count("cell"), process.wait())
        process.kill()
run()
first = _fork_server.Fork.server.process
os.kill(first.pid, signal.SIGKILL)
first.wait()
run()
print(_fork_server.Fork.server.process.pid != first.pid)
_fork_server.stop()"""
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    if sys.platform != "linux": pytest.skip("elsewhere nothing forks")
    assert run_python(code, **FEW).split() == ["2", "0", "2", "0", "True"]

RATES = "import numba\n@numba.njit(cache=True)\ndef rate(x): return {} * x\n"
KERNELS = ["import numba, os\nfrom scratch.rates import rate", "@numba.njit\ndef own(x): return {} * x",
           "@numba.njit(cache=True)\ndef both(x): return rate(x) + own(x)",
           "assert both(1.0) == rate.py_func(1.0) + own.py_func(1.0), 'old code'",
           "assert sum(both.stats.cache_hits.values()) == int(os.environ['HITS'])"]

def test_a_kernel_is_kept_until_something_that_it_calls_has_changed(tmp_path):
    root = make_project(tmp_path)
    # `both` itself is always the same
    for in_module, in_cell, hits in ((2, 3, 0), (2, 3, 1), (5, 3, 0), (5, 7, 0), (5, 7, 1)):
        (root / "scratch" / "rates.py").write_text(RATES.format(in_module))
        write_notebook(root / "nbs" / "kernels.ipynb", [cell.replace("{}", str(in_cell)) for cell in KERNELS])
        results, text = run_pytest(root, HITS=str(hits), NB_FORK="0")
        assert len(results) == 3 and set(results.values()) == {"PASSED"}, text
    assert len(list((root / ".numba_cache").iterdir())) == 2 and not list((root / "scratch").rglob("*.nbi"))
    old, new = sorted((root / ".numba_cache").iterdir(), key=lambda folder: folder.stat().st_mtime)
    os.utime(old, (0, 0))
    run_pytest(root, HITS="1", NB_FORK="0")
    assert [*(root / ".numba_cache").iterdir()] == [new]

def test_make_and_the_tests_keep_kernels_in_one_place():
    if not shutil.which("make"): pytest.skip("make is not installed")
    names = ("NUMBA_CACHE_DIR", "NUMBA_CACHE_LOCATOR_CLASSES", "PYTHONPATH")
    clean = {k: v for k, v in os.environ.items() if k not in names and not k.startswith("MAKE")}
    said = lambda *command: subprocess.run(command, cwd=NBS, env=clean, capture_output=True, text=True,
                                           check=True).stdout
    ours = said(sys.executable, "-c",
                f"import _numba_cache, os; _numba_cache.use(); print([os.environ[name] for name in {names}])")
    recipe = f'ask: ; @{sys.executable} -c "import os; print([os.environ[name] for name in {names}])"'
    assert said("make", "-C", "..", "--no-print-directory", "--eval", recipe, "ask") == ours
