"""Print `name==version` of everything that this environment holds because the project with its `dev` or
`bench` extra needs it."""
from importlib.metadata import distribution

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name


def needed(
    name: str,               # distribution that is installed
    extra: str = "",         # one of its extras
    seen: dict | None = None,  # (name, extra) -> version, filled on the way
) -> dict:
    "Follow requirements from `name`, markers and extras included."
    seen, name = {} if seen is None else seen, canonicalize_name(name)
    if (name, extra) in seen: return seen
    seen[name, extra] = distribution(name).version
    for requirement in map(Requirement, distribution(name).requires or ()):
        if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
            for wanted in ("", *requirement.extras): needed(requirement.name, wanted, seen)
    return seen


if __name__ == "__main__":
    pins = {name: version for extra in ("dev", "bench") for (name, _),
            version in needed("portfolio-research", extra).items()}
    del pins["portfolio-research"]
    for name in sorted(pins): print(f"{name}=={pins[name]}")
