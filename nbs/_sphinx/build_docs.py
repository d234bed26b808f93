"""Build the site without Quarto: nbdev processes each notebook, Sphinx publishes it as `_docs/index.html`.

    python nbs/_sphinx/build_docs.py    # a warning, such as a link that leads nowhere, fails the build
"""
import ast, dataclasses, inspect, os, re, shutil, subprocess, sys
from importlib import import_module
from inspect import getdoc
from pathlib import Path

import yaml
from fastcore.basics import listify
from fastcore.docments import DocmentTbl
from fastcore.nbio import mk_cell, read_nb, write_nb
from nbdev.config import get_config, nbpath2html
from nbdev.doclinks import nbglob
from nbdev.processors import FilterDefaults, _default_exp, add_show_docs, exec_show_docs, mv_exports

HERE = Path(__file__).parent
SECTIONS = {  # folder of nbs/ -> its part of the contents, in reading order
    "": "Core", "data": "Data", "metrics": "Metrics", "validation": "Validation", "execution": "Execution",
    "estimation": "Estimation", "optimization": "Optimization", "optimization/solvers": "Solvers",
    "management": "Management", "risk": "Risk management", "policy": "Policy", "experiments": "Experiments",
    "reporting": "Reporting", "live": "Live", "studies": "Studies"}
REFERENCE = [Path("names"), Path("glossary"), Path("architecture")]
LAST = ("settings", "cli")  # at the top of the package, and at the end of the book
OPTION = re.compile(r"^#\|\s*([\w-]+)\s*:?\s*(.*)$")
LONG = 30  # lines; longer sources are folded

def signature(name: str, symbol) -> str:
    "A signature as a person would write it: short type names, and a line a parameter where it is long."
    try: sig = inspect.signature(symbol)
    except (TypeError, ValueError): return name
    shorten = lambda text: re.sub(r"\b(?:[a-z_]\w*\.)+([A-Za-z]\w*)", r"\1", text)
    parts = [shorten(str(p)) for key, p in sig.parameters.items() if key != "self"]
    returns = "" if sig.return_annotation in (inspect.Signature.empty,
                                              None) else shorten(str(sig).rpartition(")")[2])
    line = f"{name}({', '.join(parts)}){returns}"
    return line if len(line) <= 88 else f"{name}(\n" + "".join(f"    {part},\n"
                                                               for part in parts) + f"){returns}"

def one_line(text: str | None) -> str:
    "A docstring as the cell of a table."
    return " ".join((text or "").split()).replace("|", "\\|")

def members(cls: type) -> str:
    "A table of the public methods and properties of a class that say what they do."
    fields = {f.name for f in dataclasses.fields(cls)} if dataclasses.is_dataclass(cls) else set()
    rows = []
    for name, value in vars(cls).items():
        inner = getattr(value, "__func__", getattr(value, "fget", None) or getattr(value, "func", None)
                        or value)
        if name.startswith("_") or name in fields or not callable(inner) or not inner.__doc__: continue
        shown = f"{name}()" if callable(value) or isinstance(value, classmethod | staticmethod) else name
        anchor = f'<a id="{cls.__name__.lower()}.{name.lower()}"></a>'
        rows.append(f"| {anchor}`{shown}` | {one_line(inner.__doc__)} |")
    return "| **Method** | **What it does** |\n| --- | --- |\n" + "\n".join(rows) if rows else ""

def reference(name: str, symbol) -> str:
    "The reference of one exported name: signature, docstring, parameters, methods."
    symbol = getattr(symbol, "py_func", symbol)  # what numba has compiled
    parameters = re.sub(r"\b(?:pandas|numpy|pathlib|collections\.abc|portfolio_research(?:\.\w+)+)\.", "",
                        DocmentTbl(symbol)._repr_markdown_())
    parts = [f'<a id="{name.lower()}"></a>\n\n{{.name}}\n### {name}',
             f"```python\n{signature(name, symbol)}\n```", getdoc(symbol), parameters]
    return "\n\n".join(filter(None, [*parts, members(symbol) if isinstance(symbol, type) else ""]))

def errors(classes: dict) -> str:
    "A table of error classes, which have a name and a meaning and nothing else."
    bases = lambda cls: ", ".join(f"`{base.__name__}`" for base in cls.__bases__)
    rows = [f'| <a id="{name.lower()}"></a>`{name}` | {bases(cls)} | {one_line(getdoc(cls))} |'
            for name, cls in classes.items()]
    return "| **Error** | **Is a** | **Raised for** |\n| --- | --- | --- |\n" + "\n".join(rows)

def add_references(nb, module) -> None:
    "Put the reference of what an exported cell defines before it; a cell of errors is replaced by a table."
    cells = []
    for cell in nb.cells:
        exported = cell.cell_type == "code" and {"export", "exports"} & cell.directives.keys()
        if exported and "hide" not in cell.directives:
            names = [n.name for n in ast.parse(cell.source).body
                     if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name[0] != "_"]
            symbols = {name: getattr(module, name) for name in names}
            if symbols and all(isinstance(s, type) and issubclass(s, Exception) for s in symbols.values()):
                cells.append(mk_cell(errors(symbols), "markdown"))
                continue
            cells += [mk_cell(reference(*pair), "markdown") for pair in symbols.items()]
        cells.append(cell)
    nb.cells = cells

class Processors(FilterDefaults):
    """nbdev's processors without those that make references by running cells: the exported module has all
    that is needed."""
    def base_procs(self): return [p for p in super().base_procs()
                                  if p not in (add_show_docs, exec_show_docs, mv_exports)]

def localise(text: str, config, root: str) -> str:
    """Turn nbdev's links to this site, and links to `NN_name.ipynb`, into links between pages; `root` leads
    to the top."""
    base = re.escape(f"{config.doc_host}{config.doc_baseurl.rstrip('/')}/")
    text = re.sub(rf"\[`([^`]+)`\]\({base}([\w./]+\.html#[^)]+)\)",
                  rf'<a href="{root}\2"><code class="docutils literal">\1</code></a>', text)
    return re.sub(r"\]\(((?:\.\./|\w+/)*)(?:\d+[a-z]?_)?(\w+)\.ipynb", r"](\1\2.ipynb", text)

def convert(cell, config, root: str):
    "One processed cell, with myst-nb's options for Quarto's; `None` drops it."
    if cell.cell_type == "raw":
        head = yaml.safe_load(cell.source.strip().strip("-")) or {}
        return mk_cell(f"# {head.get('title', '')}\n\n{{.subtitle}}\n{head.get('description', '')}".strip(),
                       "markdown")
    if cell.cell_type == "markdown":
        if cell.source.startswith("<!-- WARNING"): return None
        cell.source = localise(cell.source, config, root)
        return cell
    lines = cell.source.splitlines()
    options = {m[1]: m[2] for line in lines if (m := OPTION.match(line))}
    cell.source = "\n".join(line for line in lines if not OPTION.match(line)).strip("\n")
    if options.get("echo") == "false": cell.metadata.update(tags=["remove-input"])
    elif "code-fold" in options and len(lines) > LONG:
        cell.metadata.update(tags=["hide-input"],
                             mystnb=dict(code_prompt_show="Show source", code_prompt_hide="Hide source"))
    if "fig-cap" in options: return [cell, mk_cell(f"{{.caption}}\n{options['fig-cap']}", "markdown")]
    return cell

def stage(config, out: Path) -> list[Path]:
    "Write the processed notebooks to `out`; returns (notebook, page) relative to their folders, in order."
    pages = []
    for path in sorted(nbglob(config.nbs_path, as_path=True)):
        relative = path.relative_to(config.nbs_path)
        page = Path(nbpath2html(relative)).with_suffix("")
        nb = read_nb(path)
        exported = _default_exp(nb)
        module = import_module(f"{config.lib_path.name}.{exported}") if exported else None
        add_references(nb, module)
        Processors()(nb)
        nb.cells = [new for old in nb.cells
                    for new in listify(convert(old, config, "../" * len(relative.parts[1:])))]
        nb.metadata["kernelspec"] = dict(name="python3", display_name="python3", language="python")
        (out / page).parent.mkdir(parents=True, exist_ok=True)
        write_nb(nb, out / f"{page}.ipynb")
        pages.append((relative, page))
    return pages

def contents(pages: list) -> str:
    """The table of contents: a section a folder; what belongs to no folder and stands last in reading order
    comes last."""
    parts = {folder: [] for folder in SECTIONS}
    for relative, page in pages:
        if relative.name != "index.ipynb": parts[relative.parent.as_posix().strip(".")].append(page)
    last = [page for page in parts[""] if page.name in LAST]
    parts[""] = [page for page in parts[""] if page not in last]
    sections = {SECTIONS[folder]: found for folder,
                found in parts.items()} | {"Command line": last, "Reference": REFERENCE}
    return "\n\n".join(f"```{{toctree}}\n:hidden:\n:caption: {caption}\n\n"
                       + "\n".join(p.as_posix() for p in found) + "\n```"
                       for caption, found in sections.items() if found)

def names_page(pages: list, package: str) -> str:
    "Every public name, with what it is and the chapter that defines it."
    rows = []
    for relative, page in pages:
        room = page.as_posix().replace("/", ".")
        module = import_module(f"{package}.{room}") if re.match(r"\d", relative.name) else None
        for name in getattr(module, "__all__", ()):
            symbol = getattr(module, name)
            if getattr(symbol, "__module__", "") != module.__name__: continue
            link = f'<a href="{page}.html#{name.lower()}">{name}</a>'
            rows.append((name, f"{link} | {one_line(getdoc(symbol))} | `{room}`"))
    table = "\n".join(f"| {row} |" for _, row in sorted(rows, key=lambda r: r[0].lower()))
    said = f"Every public name of the package; those of its front door are imported from `{package}` itself."
    return f"# All names\n\n{said}\n\n| name | what it is | module |\n|---|---|---|\n{table}\n"

def main() -> int:
    config = get_config(HERE)
    os.environ["IN_TEST"] = "1"
    os.chdir(config.config_path)
    sys.path.insert(0, str(config.config_path))
    if not (config.nbs_path / "index.ipynb").exists():
        sys.exit("nbs/index.ipynb is not there: it is the first page")
    source, site = config.config_path / "_proc", config.doc_path
    shutil.rmtree(source, ignore_errors=True)
    pages = stage(config, source)
    for path in (HERE / "pages").glob("*.md"): shutil.copy(path, source)
    (source / "names.md").write_text(names_page(pages, config.lib_path.name))
    index = read_nb(source / "index.ipynb")
    index.cells.append(mk_cell(contents(pages), "markdown"))
    write_nb(index, source / "index.ipynb")
    shutil.copytree(HERE / "_static", source / "_static")
    html = source / "_build" / "html"  # myst-nb leaves a folder of its own beside it
    if status := subprocess.call([sys.executable, "-m", "sphinx", "-E", "-W", "--keep-going", "-q", "-b",
                                  "html", "-c", HERE, source, html]):
        return status
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(html, site, ignore=shutil.ignore_patterns(".doctrees", ".buildinfo"))
    print(f"{site.relative_to(config.config_path)}/index.html")
    return 0

if __name__ == "__main__": sys.exit(main())
