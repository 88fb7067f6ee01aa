"""Decides that no engine dodges the conformance suite: every folder in src/engines is registered there, and has its README."""

REGISTRY = "test/conformance/registry.cpp"
SHARED = {"net"}  # sockets and TLS for all engines; no engine itself


def violations(files):
    engines = {path.split("/")[2] for path in files if path.startswith("src/engines/") and path.count("/") > 2} - SHARED
    registry = files.get(REGISTRY, "")
    found = [f"src/engines/{name}: not registered in {REGISTRY}" for name in sorted(engines) if f'"{name}"' not in registry]
    found += [f"src/engines/{name}: README.md is missing: who arbitrates, and what breaks it"
              for name in sorted(engines) if f"src/engines/{name}/README.md" not in files]
    return found
