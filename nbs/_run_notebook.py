"""Run one notebook from top to bottom in this process: `python _run_notebook.py NOTEBOOK MODE` writes a line
of JSON a cell.

In mode `package` the exported cells do not run; what the exported module holds takes their place, so that a
name which the module lacks is missed here although the notebook has it. A chapter's section `Checks`, its
oracles and large counts, runs in this mode alone, against what people import; `NB_FLAGS=checks` runs it in
the notebook too. Where nothing is exported there is one mode, `notebook`, and all of it runs.
"""
import ast, faulthandler, json, os, re, sys, traceback
from pathlib import Path

from fastcore.nbio import read_nb
from nbdev.config import get_config
from nbdev.test import nb_test_cells

CHECK = re.compile(r"test(_\w+)?|expect_fail|assert_\w+")
EXPORTS = {"export", "exports", "exporti"}
NAMES_OF = ("globals().update({{k: v for k, v in vars(__import__('importlib').import_module({!r})).items() "
            "if k[:2] != '__'}})")

def asserts(source: str) -> bool:
    """Whether a cell asserts something: by `assert`, or by a call such as `test_eq(...)` or
    `assert_causal(...)`."""
    try: nodes = list(ast.walk(ast.parse(source)))
    except SyntaxError: return False
    called = [getattr(n.func, "attr", getattr(n.func, "id", "")) for n in nodes if isinstance(n, ast.Call)]
    return any(isinstance(n, ast.Assert) for n in nodes) or any(map(CHECK.fullmatch, called))

def read_cells(path: Path, mode: str) -> list:
    """The code cells to run, each with `section` (its heading), `check`, `exported` and `skipped` (the flag,
    or '')."""
    config, section, part, sections, parts = get_config(path.parent), "top", "", {}, {}
    for i, cell in enumerate(read_nb(path).cells):
        if cell.cell_type == "markdown":
            section = (re.findall(r"^#{1,4} (.+)", cell.source, re.M) or [section])[-1]
            part = (re.findall(r"^## (.+)", cell.source, re.M) or [part])[-1].strip()
        sections[i], parts[i] = section, part
    flags = set(config.tst_flags.split()) - set(os.environ.get("NB_FLAGS", "").split())
    cells = nb_test_cells(path)
    for cell in cells:
        cell.section, cell.exported = sections[cell.idx_], bool(EXPORTS & cell.directives_.keys())
        cell.check = not cell.exported and asserts(cell.source)
        cell.skipped = " ".join(flags & cell.directives_.keys())
    if mode == "notebook":
        whole = not module_of(path) or "checks" in os.environ.get("NB_FLAGS", "").split()
        return [cell for cell in cells if whole or cell.exported or parts[cell.idx_] != "Checks"]
    first = next((cell for cell in cells if cell.exported), None)
    if first: first.source = NAMES_OF.format(f"{config.lib_path.name}.{module_of(path)}")
    return [cell for cell in cells if cell is first or not cell.exported]

def module_of(path: Path) -> str | None:
    "The module that a notebook exports."
    return next((name for cell in read_nb(path).cells if (name := cell.directive("default_exp"))), None)

def describe(cell, error: BaseException, names: dict) -> str:
    """Where an error is, the cell, and the traceback from the cell on; `names` says which cell was run as
    which."""
    frames = error.__traceback__
    while frames and not frames.tb_frame.f_code.co_filename.startswith("<ipython-input"):
        frames = frames.tb_next
    text = "".join(traceback.format_exception(type(error), error, frames))
    text = re.sub(r'"<ipython-input-(\d+)-\w+>"', lambda run: names.get(int(run[1]), run[0]), text)
    return f"cell {cell.idx_} [{cell.id}], section {cell.section!r}\n\n{cell.source}\n\n{text}"

def run(path: Path, mode: str, out) -> None:
    "Run the cells; a failing check is written down, any other failing cell is written down and ends the run."
    from execnb.shell import CaptureShell
    say = lambda **result: print(json.dumps(result), file=out, flush=True)
    sys.path.insert(0, str(get_config(path.parent).config_path))
    drawn = "png" if mode == "notebook" else None       # figures are made in both modes, and rendered in one
    shell, names = CaptureShell(path, mpl_format=drawn, profile=False), {}
    for cell in read_cells(path, mode):
        if cell.skipped: continue
        names[shell.execution_count] = f"cell {cell.idx_}"
        shell.cell(cell)
        if not drawn and (plt := sys.modules.get("matplotlib.pyplot")): plt.close("all")
        error = describe(cell, shell.exc, names) if shell.exc else ""
        say(cell=cell.id, error=error, fatal=bool(error) and not cell.check)
        if error and not cell.check: return
    say(cell="end", error="", fatal=False)

def main(arguments: list) -> None:
    "Run a notebook in this process: results go to its output, what the cells print goes to its errors."
    faulthandler.enable()
    faulthandler.dump_traceback_later(float(os.environ.get("NB_TIMEOUT", 600)), exit=True)
    out = os.fdopen(os.dup(1), "w")  # ours alone: whatever a cell prints goes to stderr
    os.dup2(2, 1)
    run(Path(arguments[0]), arguments[1], out)

if __name__ == "__main__": main(sys.argv[1:])
