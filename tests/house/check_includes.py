# SPDX-License-Identifier: Apache-2.0
"""Fail when a module includes what ARCHITECTURE.md forbids it to know.

usage: check_includes.py PROJECT_FOLDER
"""
import pathlib
import re
import sys

# module -> the modules whose public headers it may include
MAY_INCLUDE = {
    "base": set(),
    "structure": {"base"},
    "io": {"base", "structure"},
    "ml": {"base", "structure"},
    "md": {"base", "structure"},
    "tb": {"base", "structure"},
    "dft": {"base", "structure", "tb/tables"},
    "calculators": {"base", "structure", "io", "tb"},
    "settings": {"base", "structure", "io", "md", "ml"},
    "app": {"base", "structure", "io", "ml", "md", "tb", "dft", "calculators", "settings"},
    "python": {"base", "structure", "io", "ml", "md", "tb", "dft", "calculators", "settings"},
    "validation": {"base", "structure", "io", "md", "tb", "dft", "calculators", "settings"},
    "examples": {"base", "structure", "io", "md", "tb"},
}
# third-party header -> the only folders that may include it, of those above
THIRD_PARTY = {
    r"(torch|ATen|c10)/": {"ml/src/torch"},
    r"xc\.h": {"dft/src"},
    r"(lapacke|cblas|metis)\.h": {"tb/src"},
    r"Spectra/": {"tb/src"},
    r"(cuda|cusolver|cublas)\w*\.h": {"tb/src/density/cuda", "ml/src/torch"},
    r"(hdf5|tiffio|png|zlib|lzma)\.h": {"io/src"},
    r"mpi\.h": {"base/src/ranks_mpi.cpp", "tb/src/density/elpa"},
    r"elpa/": {"tb/src/density/elpa"},
    r"openssl/": {"io/src"},
    r"pugixml\.hpp": {"io/src"},
    r"nlohmann/": {"io/src", "settings/src", "app/src", "validation/src"},
    r"CLI/": {"app/src", "validation/src"},
    r"spdlog/": {"app/src"},
    r"fmt/": {f"{m}/src" for m in MAY_INCLUDE} | {"tb/tables/src", "examples"},
    r"toml\+\+/": {"io/src"},
    r"pybind11/": {"python/src"},
}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
FEATURE_IF = re.compile(r"^\s*#\s*(if|ifdef|ifndef|elif)\b.*\b(STEMBRIDGE_|USE_|HAVE_|WITH_|__CUDACC__)")


def problems(root):
    for module, allowed in MAY_INCLUDE.items():
        for path in sorted((root / module).rglob("*")):
            if path.suffix not in {".hpp", ".cpp", ".h", ".cu", ".cuh"}:
                continue
            name = path.relative_to(root).as_posix()
            for number, line in enumerate(path.read_text().splitlines(), 1):
                if FEATURE_IF.match(line):
                    yield f"{name}:{number}: feature switch in an algorithm: {line.strip()}"
                found = INCLUDE.match(line)
                if not found:
                    continue
                header = found.group(1)
                own = re.match(r"stembridge/(\w+)/", header)
                if own and own.group(1) != module and own.group(1) not in {a.split("/")[0] for a in allowed}:
                    yield f"{name}:{number}: {module}/ may not include {header}"
                if own and own.group(1) == "tb" and module == "dft" and not header.startswith("stembridge/tb/tables"):
                    yield f"{name}:{number}: dft/ may include only stembridge/tb/tables*, not {header}"
                if "../" in header or re.search(r"(^|/)src/", header):
                    yield f"{name}:{number}: include reaches into a source folder: {header}"
                for pattern, folders in THIRD_PARTY.items():
                    if re.match(pattern, header) and not any(name.startswith(f) for f in folders):
                        yield f"{name}:{number}: {header} belongs to {', '.join(sorted(folders))} only"
            if "/include/" in name and re.search(r"std::shared_ptr", path.read_text()):
                yield f"{name}: shared_ptr in a public header"


found = list(problems(pathlib.Path(sys.argv[1])))
print("\n".join(found) if found else "every include is allowed")
sys.exit(bool(found))
