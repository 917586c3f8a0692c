"""Run all benchmarks: python -m benchmarks."""

import runpy
from pathlib import Path

for path in sorted(Path(__file__).parent.glob("bench_*.py")):
    print(f"== {path.name}")
    runpy.run_path(str(path), run_name="__main__")
