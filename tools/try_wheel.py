"""Install the wheel in dist/ into an empty environment and use it there, away from the checkout:
`python tools/try_wheel.py`"""
import json, os, subprocess, sys, tempfile, venv
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "portfolio_research"
OURS = ("NUMBA", "PYTHON", "VIRTUAL_ENV")  # what the checkout's own runs set


def missing(wheel: Path) -> list[str]:
    "Modules and data of the package that the wheel lacks."
    wanted = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.suffix == ".py"
              or path.name == "py.typed"}
    return sorted(wanted - set(ZipFile(wheel).namelist()))


def run(*command, folder: Path, may_end_with=(0,)) -> str:
    "What a command prints that runs in a folder, as a user would run it; exits with that where it fails."
    print("$", *(Path(word).name if os.path.isabs(word) else word for word in map(str, command)), flush=True)
    env = {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
    done = subprocess.run([str(word) for word in command], cwd=folder, env=env, text=True,
                          capture_output=True)
    if done.returncode not in may_end_with:
        sys.exit(f"{done.stdout}{done.stderr}\nended with status {done.returncode}")
    return done.stdout


if __name__ == "__main__":
    [wheel] = (ROOT / "dist").glob("*.whl")
    if lacking := missing(wheel): sys.exit(f"{wheel.name} lacks {', '.join(lacking)}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        venv.create(folder / "env", with_pip=True)
        programs, use = folder / "env" / ("Scripts" if os.name == "nt" else "bin"), folder / "use"
        use.mkdir()
        run(programs / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt",
            wheel, folder=use)
        program = programs / "portfolio-research"
        wrong = json.loads(run(program, "doctor", "--json", folder=use, may_end_with=(0, 1)))["wrong"]
        if wrong != ["book"]: sys.exit(f"doctor finds wrong: {wrong}")  # there is no book yet
        run(program, "study", folder=use)
        if not (use / "report" / "index.html").exists(): sys.exit("study wrote no report")
    print(f"{wheel.relative_to(ROOT)} works")
