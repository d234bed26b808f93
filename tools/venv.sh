# Make an environment: `sh tools/venv.sh FOLDER PYTHON...` takes the first PYTHON for which all packages have wheels
# (3.11 to 3.13), else the first that is newer: there, a package may have to be compiled.
folder=$1; shift
"$folder/bin/python" -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exit

for newest in 13 99; do
    for candidate; do
        "$candidate" -c "import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null || continue
        "$candidate" -c 'import venv, ensurepip' 2>/dev/null || { incomplete=$candidate; continue; }
        echo "Making $folder with $("$candidate" --version) ($(command -v "$candidate"))"
        exec "$candidate" -m venv --clear "$folder"
    done
done

if [ -n "$incomplete" ]; then
    echo "$incomplete is new enough but cannot make environments: its venv or ensurepip module is missing." >&2
    echo "Install them (Debian and Ubuntu: apt install python3-venv), or name another Python:" >&2
else
    echo "No Python 3.11 or newer among: $*. Install one, or name one:" >&2
fi
echo "    make PYTHON=/path/to/python" >&2
exit 1
