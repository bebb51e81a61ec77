#!/usr/bin/env bash
# Fails where clang-tidy finds something in io/ or kernels/: `tests/check_tidy.sh clang-tidy FLAG...`, with the flags that find the headers of
# Kokkos, MPI and HDF5. The sources of a room are looked at together, which takes a quarter of the time, and so are all kernels.
set -euo pipefail
cd "$(dirname "$0")/.."
tidy=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for room in io/*/; do
  printf '#include "%s"\n' "$room"*.cpp >"$folder/${room//\//_}.cpp"
done
find kernels -name '*.hpp' | sort | sed 's/.*/#include "&"/' >"$folder/kernels.cpp"
# Sources are not included anywhere else.
find "$folder" -name '*.cpp' -print0 | xargs -0 -P "$(nproc)" -I{} "$tidy" --quiet --config-file=.clang-tidy \
  --checks=-bugprone-suspicious-include {} -- -std=c++20 -I. '-DPAWS_VERSION="0"' "$@" 2> >(grep -v 'warnings generated' >&2)
