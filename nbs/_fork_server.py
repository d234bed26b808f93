"""Runs of notebooks, each in a process of its own: a fork of one that has imported the libraries which most
of them use.

The process that forks has one thread, and has not imported the project's package: nothing of a run reaches
another.
Where forks are not safe (other systems than Linux) or not wanted (NB_FORK=0), `start` begins a new Python
instead.
"""
import gc, json, os, signal, socket, subprocess, sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

from _run_notebook import main

# Those whose import changes settings of other libraries (riskfolio-lib, vectorbt, hmmlearn) are left to who
# uses them.
LIBRARIES = ["numpy", "pandas", "scipy.optimize", "scipy.stats", "matplotlib.pyplot",
             "matplotlib_inline.backend_inline",
             "numba.typed", "execnb.shell", "nbdev.test", "fastcore.test", "sqlalchemy", "jsonschema",
             "plotly.graph_objects",
             "skfolio.datasets", "clarabel", "highspy", "daqp"]
# pyarrow, which pandas imports, has one otherwise
ONE_THREAD = {"JE_ARROW_MALLOC_CONF": "background_thread:false"}

# The process that forks

def import_libraries() -> None:
    "Import those that are installed, for good: forks share their memory. NB_LIBRARIES names others."
    for name in os.environ.get("NB_LIBRARIES", " ".join(LIBRARIES)).split():
        with suppress(ImportError): import_module(name)
    with suppress(ImportError): import_module("numba").njit(lambda x: x)(0.)  # loads what compiling needs
    gc.collect()
    gc.freeze()

def serve(
    control: socket.socket,  # brings a request and two files; takes the number of the fork, then its status
) -> list[str]:              # in a fork: the arguments of its run; its output and its errors go to the files
    "Fork for one request after the other; exit when the other side does."
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while True:
        request, files, *_ = socket.recv_fds(control, 1 << 16, 2)
        if not request: sys.exit()
        if not (pid := os.fork()): break
        for file in files: os.close(file)
        control.sendall(b"%d\n" % pid)
        control.sendall(b"%d\n" % os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    control.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for standard, file in enumerate(files, 1):
        os.dup2(file, standard)
        os.close(file)
    if "numpy" in sys.modules: sys.modules["numpy"].random.seed()  # Python's own generator does so by itself
    arguments, folder = json.loads(request)
    os.chdir(folder)
    return arguments

# The process that has notebooks run

class Server:
    "A process that forks."
    def __init__(self, env: dict):
        self.control, theirs = socket.socketpair()
        with theirs: self.process = subprocess.Popen([sys.executable, __file__, str(theirs.fileno())],
                                                     pass_fds=[theirs.fileno()],
                                                     stdin=subprocess.DEVNULL, env=env | ONE_THREAD)
        self.answers = self.control.makefile()

    def ask(self, arguments: list[str], folder: str, *files: int):
        with suppress(BrokenPipeError):
            socket.send_fds(self.control, [json.dumps([arguments, folder]).encode()], files)

    def answer(self) -> int:
        if line := self.answers.readline(): return int(line)
        status = self.process.wait()
        raise ChildProcessError(f"the process that forks for notebooks ended with status {status}")

    def close(self):
        self.answers.close()
        self.control.close()
        self.process.wait()

class Fork:
    "A run in a fork: as much of `subprocess.Popen` as is needed."
    server = None

    def __init__(self, arguments: list[str], folder: str, stderr, env: dict):
        if not Fork.server or Fork.server.process.poll() is not None: Fork.server = Server(env)
        reading, writing = os.pipe()
        self.stdout, self.returncode = os.fdopen(reading), None
        with os.fdopen(writing): self.server.ask(arguments, folder, writing, stderr.fileno())
        self.pid = self.server.answer()

    def wait(self) -> int:
        if self.returncode is None: self.returncode = self.server.answer()
        return self.returncode

    def kill(self):
        with suppress(ProcessLookupError):
            if self.returncode is None: os.kill(self.pid, signal.SIGKILL)

def start(
    path: Path,  # notebook; it runs in its folder
    mode: str,   # "notebook" or "package"
    stderr,      # file that takes its errors and what its cells print
    env: dict,   # environment variables, the same for all runs
):               # a process: `stdout` has its results, `wait()` gives its exit status
    "Start a run of a notebook."
    arguments, folder = [str(path), mode], str(path.parent)
    if sys.platform == "linux" and env.get("NB_FORK") != "0": return Fork(arguments, folder, stderr, env)
    return subprocess.Popen([sys.executable, main.__code__.co_filename, *arguments], cwd=folder, env=env,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True)

def stop() -> None:
    "End the process that forks."
    if Fork.server: Fork.server.close()

if __name__ == "__main__":
    import_libraries()
    main(serve(socket.socket(fileno=int(sys.argv[1]))))
