#!/usr/bin/env bash
# `compile_header.sh COMPILER ARGUMENT...`, for a source that ends with static_assert(false, "the header ends here"): succeeds if that is the
# first error. Whatever a compiler does after the last line, for LibTorch five seconds of instantiating templates, a header has no need of.
set -u
for argument in "$@"; do
  # What is to be precompiled is a header as it is.
  [ "$argument" != c++-header ] || exec "$@"
done
output= dependencies=
for ((i = 1; i < $#; ++i)); do
  next=$((i + 1))
  case "${!i}" in
    -o) output=${!next} ;;
    -MF) dependencies=${!next} ;;
  esac
done
said=$("$@" -fsyntax-only -Wfatal-errors -H 2>&1)
# -H lists the files that are included, which no compiler writes to -MF after an error.
first_error=$(grep -m 1 'error:' <<<"$said")
if [[ "$first_error" != *"the header ends here"* ]]; then
  grep -vE '^(\.+|!|x) ' <<<"$said" >&2
  exit 1
fi
if [ -n "$dependencies" ]; then
  { printf '%s:' "$output"; sed -nE 's/^\.+ / /p' <<<"$said" | tr -d '\n'; echo; } >"$dependencies"
fi
touch "$output"
