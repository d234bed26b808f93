"""numba's cache in a folder of the checkout, `.numba_cache`, where nothing outlives the code that it was made
of.

numba asks whether the file or the cell of a function has changed, not whether what the function calls has: a
cached kernel
would go on with the old code. Here a kernel is found again while all of the package's sources are what they
were and, for
a function of a cell, all cells that ran before it. numba itself looks at its version, Python's and the
processor.
"""
import hashlib, os, shutil, sys, time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HOUR = 3600

def digest(*texts: bytes) -> str: return hashlib.sha256(b"\0".join(texts)).hexdigest()[:16]

def package_digest(seen={}) -> str:  # noqa: B006
    "A digest of the project's modules, which are read again when one of them was written."
    paths = sorted(path for init in ROOT.glob("*/__init__.py") for path in init.parent.rglob("*.py"))
    stamp = tuple((path, (stat := path.stat()).st_mtime_ns, stat.st_size) for path in paths)
    if stamp not in seen:
        seen[stamp] = digest(*(part for path in paths for part in (bytes(path), path.read_bytes())))
    return seen[stamp]

def cells() -> list[str]:
    "The cells that this session has run, the present one included."
    shell = sys.modules["IPython"].get_ipython() if "IPython" in sys.modules else None
    return list(shell.user_ns["In"]) if shell else []

class Locator:
    """Where one function's kernels are, and what they depend on: the methods that `numba.core.caching` asks
    for."""
    def __init__(self, function, file):
        code = [bytes(Path(file)),
                Path(file).read_bytes()] if os.path.exists(file) else map(str.encode, cells())
        self._py_file, self.line, self.code = file, function.__code__.co_firstlineno, digest(*code)
        self.folder = Path(os.environ["NUMBA_CACHE_DIR"]) / package_digest()

    @classmethod
    def from_function(cls, function, file): return cls(function, file)
    def ensure_cache_path(self): self.folder.mkdir(parents=True, exist_ok=True)
    def get_cache_path(self): return str(self.folder)
    def get_disambiguator(self): return f"{self.line}-{self.code}"
    def get_source_stamp(self): return self.code

def use() -> None:
    """Have this process and its children use the folder, or the one that NUMBA_CACHE_DIR names; must come
    before numba."""
    path = dict.fromkeys([str(Path(__file__).parent),
                          *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))])
    os.environ |= {"NUMBA_CACHE_LOCATOR_CLASSES": f"{__name__}.{Locator.__name__}",
                   "PYTHONPATH": os.pathsep.join(path)}
    os.environ.setdefault("NUMBA_CACHE_DIR", str(ROOT / ".numba_cache"))

def tidy() -> None:
    "Remove what was made of other code, unless it may still be in use."
    for folder in Path(os.environ["NUMBA_CACHE_DIR"]).glob("*/"):
        with suppress(FileNotFoundError):  # another session tidies as well
            if folder.name != package_digest() and time.time() - folder.stat().st_mtime > HOUR:
                shutil.rmtree(folder, ignore_errors=True)
