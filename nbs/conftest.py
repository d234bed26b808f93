"""Collect notebooks as tests: each cell that asserts something is one test, named after its section and its
id.

Each notebook runs in a process of its own (see `_fork_server.py`), and a second time against the exported
module where it
exports one (see `_run_notebook.py`). A last test, `runs_to_end`, fails where the notebook did not get to its
last cell.
"""
import json, os, re, tempfile
from collections import Counter

import _numba_cache
import pytest
from _fork_server import start, stop
from _run_notebook import module_of, read_cells

# a core for each worker
ENV = dict(MPLBACKEND="agg", IN_TEST="1", PYTHONUNBUFFERED="1", OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")

SECONDS = Counter()  # of the runs of this session

def pytest_configure(config):
    _numba_cache.use()
    if not hasattr(config, "workerinput"): _numba_cache.tidy()

def pytest_unconfigure(): stop()

def run_of(nodeid: str) -> str: return nodeid.rpartition("::")[0]

def pytest_collection_modifyitems(config, items):
    """Begin with what took longest the last time: no worker is left with a long notebook when the others have
    finished."""
    seconds = config.cache.get("seconds", {}) if hasattr(config, "cache") else {}
    items.sort(key=lambda item: -seconds.get(run_of(item.nodeid), 0))

def pytest_runtest_logreport(report): SECONDS[run_of(report.nodeid)] += report.duration

def pytest_sessionfinish(session):
    config = session.config
    if hasattr(config, "cache") and not hasattr(config, "workerinput"):
        config.cache.set("seconds", config.cache.get("seconds", {}) | SECONDS)

def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb" and not file_path.name.startswith(("_", ".")):
        return Notebook.from_parent(parent, path=file_path)

class Notebook(pytest.File):
    def collect(self):
        yield Run.from_parent(self, name="notebook")
        if module_of(self.path): yield Run.from_parent(self, name="package")

class Run(pytest.Collector):
    "One run of one notebook: its process, started when its first test is due and killed after its last."
    def collect(self):
        self.cells = read_cells(self.path, self.name)
        for cell in self.cells:
            title = re.sub(r"\W+", "_", cell.section).strip("_").lower()
            if cell.check: yield Cell.from_parent(self, name=f"{title}[{cell.id}]", cell=cell)
        yield Cell.from_parent(self, name="runs_to_end", cell=None)

    def setup(self):
        self.results, self.stopped, self.stderr = {}, "", tempfile.TemporaryFile("w+", errors="replace")
        self.process = start(self.path, self.name, self.stderr, os.environ | ENV)

    def teardown(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.stderr.close()

    def result(self, wanted):
        "The error of a cell, '' where it passed; `None` where the run ended before it."
        while wanted not in self.results and (line := self.process.stdout.readline()):
            result = json.loads(line)
            error = result["error"] and f"{self.path.name}, mode {self.name}, {result['error']}"
            self.results[result["cell"]] = error
            if result["fatal"]: self.stopped = error
        return self.results.get(wanted)

    def crash(self):
        "What there is to say about a process that ended before its notebook did, or not well."
        status = self.process.wait()
        self.stderr.seek(0)
        if "end" in self.results and not status: return f"{self.path.name} was changed while it was tested"
        said = f"{self.path.name}, mode {self.name}: the process ended with status {status}"
        return f"{said}\n{self.stderr.read()[-8000:]}"

class Cell(pytest.Item):
    def __init__(self, cell, **kwargs):
        super().__init__(**kwargs)
        self.cell = cell

    def runtest(self):
        if self.cell and self.cell.skipped: pytest.skip(f"flagged {self.cell.skipped}; NB_FLAGS runs it")
        run, error = self.parent, self.parent.result(self.cell.id if self.cell else "end")
        if error: raise CellError(error)
        if error is None: self.not_run(run)
        if not self.cell and run.process.wait(): raise CellError(run.crash())

    def not_run(self, run):
        "The first test that a stopped run leaves without a result says why, and `runs_to_end` always fails."
        reason, told = run.stopped or run.crash(), getattr(run, "told", False)
        run.told = True
        if told and self.cell: pytest.skip("not run: " + reason.partition("\n")[0] + " failed")
        raise CellError(reason.partition("\n")[0] + " failed, see above" if told else reason)

    def repr_failure(self, excinfo, style=None):
        if excinfo.errisinstance(CellError): return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self): return self.path, None, f"{self.path.name} {self.parent.name} {self.name}"

class CellError(Exception): pass
