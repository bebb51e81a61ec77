#!/usr/bin/env bash
# Fails and names the files that clang-format would change: `tests/check_format.sh clang-format [--fix]`.
set -euo pipefail
cd "$(dirname "$0")/.."
formatter=${1:-clang-format}
mode=(--dry-run --Werror)
[ "${2:-}" != --fix ] || mode=(-i)
find src kernels io tests perf -name '*.cpp' -o -name '*.hpp' | sort | xargs "$formatter" --style=file "${mode[@]}"
