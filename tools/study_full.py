# ruff: noqa: E501
"""Run the whole study of placements afresh, print what it finds, and write it to a page: `python tools/study_full.py
[DATA]`; with a folder of data, first try the prediction on every set and write the tables that the chapters read"""
import os, re, sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbconvert import HTMLExporter

sys.path.insert(0, str(Path(__file__).parents[1] / "nbs"))
import _numba_cache

STUDY = Path(__file__).parents[1] / "nbs" / "studies" / "portfolio_vs_strategy.ipynb"


def printed(output) -> str:
    "An output as text; figures are on the page."
    data = output.get("data", {})
    if "image/png" in data: return ""
    return data.get("text/markdown") or data.get("text/plain") or output.get("text", "")


def show(cell, cell_index: int = 0, execute_reply=None) -> None:
    "Print a cell's outputs as soon as they are there, under the heading that it stands below."
    for output in cell.outputs:
        text = printed(output).strip()
        if text and not re.fullmatch(r"<.*>", text): print(f"\n{text}", flush=True)


if __name__ == "__main__":
    _numba_cache.use()
    if len(sys.argv) > 1 and sys.argv[1]:
        import placement_evidence
        for what in ("predict", "try"): placement_evidence.main(what, sys.argv[1])
    os.environ |= {"CI": "1", "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    nb = nbformat.read(STUDY, 4)
    for cell in nb.cells:
        if cell.cell_type == "code": cell.outputs = []
    headings = {i: cell.source for i, cell in enumerate(nb.cells) if cell.cell_type == "markdown"
                and cell.source.startswith("## ")}
    client = NotebookClient(nb, timeout=1800, extra_arguments=["--log-level=40"],
                            resources={"metadata": {"path": STUDY.parent}},
                            on_cell_start=lambda cell,
                            cell_index: print(f"\n{headings[cell_index]}", flush=True)
                            if cell_index in headings else None,
                            on_cell_executed=show)
    client.execute()
    page = Path("report") / "portfolio_vs_strategy.html"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(HTMLExporter(exclude_input=True).from_notebook_node(nb)[0], encoding="utf-8")
    print(f"\nWith its figures: {page}")
