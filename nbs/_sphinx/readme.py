"Write README.md from the stored outputs of nbs/index.ipynb; its figures go to .github/readme/"
import re, shutil, sys
from pathlib import Path

import nbformat
from nbconvert import MarkdownExporter
from nbdev.config import get_config

FIGURES = ".github/readme"

def readable(cell) -> bool:
    "Whether a reader of the page sees a cell; takes nbdev's directives and the HTML of tables out of it."
    if cell.cell_type == "markdown":
        cell.source = re.sub(r"\]\(((?:\w+/)*\w+\.ipynb)", r"](nbs/\1", cell.source)
        return True
    if re.search(r"^#\|\s*(hide|default_exp|exporti?)\b", cell.source, re.M): return False
    if re.search(r"^#\|\s*echo:\s*false", cell.source, re.M):
        cell.metadata["transient"] = {"remove_source": True}
    caption = re.search(r"^#\|\s*fig-cap:\s*(.+)", cell.source, re.M)
    cell.metadata["captions"] = ["image/png" in o.get("data", {}) and (caption[1] if caption else "figure")
                                 for o in cell.outputs]
    cell.source = "\n".join(line for line in cell.source.splitlines() if not line.startswith("#|")).strip()
    # GitHub drops the style of a pandas table
    for output in cell.outputs: output.get("data", {}).pop("text/html", None)
    return True

def main() -> None:
    config = get_config(Path(__file__).parent)
    root, source = config.config_path, config.nbs_path / "index.ipynb"
    if not source.exists(): sys.exit("nbs/index.ipynb is not there: README.md is written from it")
    nb = nbformat.read(source, 4)
    nb.metadata["language_info"] = {"name": "python"}  # nbdev-clean drops it, ```python needs it
    nb.cells = [cell for cell in nb.cells if readable(cell)]
    text, resources = MarkdownExporter().from_notebook_node(nb,
                                                            {"output_files_dir": FIGURES,
                                                             "unique_key": "figure"})
    shutil.rmtree(root / FIGURES, ignore_errors=True)
    for name, data in resources["outputs"].items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    captions = iter([caption for cell in nb.cells for caption in cell.metadata.get("captions", [])
                     if caption])
    text = re.sub(r"!\[png\]\(", lambda _: f"![{next(captions)}](", text)
    text = re.sub(r"\n{3,}", "\n\n", re.sub(r"[ \t]+\n", "\n", text)).strip()
    origin = "<!-- written by `make readme` from nbs/index.ipynb: edit that -->"
    (root / "README.md").write_text(f"{origin}\n\n{text}\n")

if __name__ == "__main__": main()
