"""Run notebooks as JupyterLab would and store their outputs: `python tools/run_notebooks.py WORKERS
[NOTEBOOK...]`"""
import os, sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbdev.doclinks import nbglob

sys.path.insert(0, str(Path(__file__).parents[1] / "nbs"))
import _numba_cache
from _run_notebook import read_cells


def run(path: Path) -> str:
    """Run one notebook but for its cells that do not evaluate or are flagged, which keep their outputs; '' or
    the error."""
    nb, due = nbformat.read(path, 4), {cell.id for cell in read_cells(path, "notebook") if not cell.skipped}
    asleep = [(cell, cell.source, cell.outputs) for cell in nb.cells if cell.cell_type == "code"
              and cell.id not in due]
    for cell, *_ in asleep: cell.source = ""
    try: NotebookClient(nb, timeout=600, extra_arguments=["--log-level=40"],
                        resources={"metadata": {"path": path.parent}}).execute()
    except Exception as error: return f"{path}: {error}"
    for cell, source, outputs in asleep: cell.source, cell.outputs = source, outputs
    nbformat.write(nb, path)
    return ""


if __name__ == "__main__":
    _numba_cache.use()
    os.environ |= {"CI": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    paths = [Path(name).resolve() for name in sys.argv[2:]] or sorted(nbglob(None, as_path=True))
    with ProcessPoolExecutor(int(sys.argv[1])) as pool: errors = [*filter(None, pool.map(run, paths))]
    sys.exit("\n".join(errors) or 0)
