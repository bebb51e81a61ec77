#!/usr/bin/env python3
"""Checks the recipe against Spack's own, without Spack: that it can be executed, and that every package that it depends on exists, with
the variants and at least one version that it asks for.

usage: check_recipe.py --packages FOLDER      a clone of github.com/spack/spack-packages"""
import argparse
import ast
import contextlib
import re
import sys
import types
from pathlib import Path

RECIPE = Path(__file__).resolve().parent / "spack_repo/paws/packages/paws_hpc/package.py"
LANGUAGES = {"c", "cxx"}


class Recorder:
    """Stands for spack.package: directives are noted, not obeyed."""

    def __init__(self):
        self.calls = []
        self.conditions = []

    def directive(self, name):
        def note(*arguments, **options):
            self.calls.append((name, arguments, options))
        return note

    @contextlib.contextmanager
    def context(self, *_arguments, **_options):
        yield


def execute(recorder):
    """Runs the recipe with modules that stand for Spack's."""
    modules = {name: types.ModuleType(name) for name in
               ("spack", "spack.package", "spack_repo", "spack_repo.builtin", "spack_repo.builtin.build_systems",
                "spack_repo.builtin.build_systems.cmake", "spack_repo.builtin.build_systems.cuda")}
    package = modules["spack.package"]
    for name in ("license", "version", "variant", "depends_on", "requires", "conflicts", "maintainers"):
        setattr(package, name, recorder.directive(name))
    package.when = package.default_args = recorder.context
    package.Executable = object
    modules["spack_repo.builtin.build_systems.cmake"].CMakePackage = type("CMakePackage", (), {})
    modules["spack_repo.builtin.build_systems.cmake"].generator = recorder.directive("generator")
    modules["spack_repo.builtin.build_systems.cuda"].CudaPackage = type("CudaPackage", (), {"cuda_arch_values": ("70", "80", "90")})
    sys.modules.update(modules)
    exec(compile(RECIPE.read_text(), str(RECIPE), "exec"), {"__name__": "recipe"})


def parts(spec):
    """('kokkos', ['3.4:'], {'openmp'}) of 'kokkos@3.4: +openmp'; ^ is left out."""
    spec = spec.lstrip("^")
    name = re.match(r"[a-z0-9-]+", spec)[0]
    rest = spec[len(name):]
    versions = re.findall(r"@([\w.:]+)", rest)
    variants = set(re.findall(r"[+~]\s*(\w+)", rest)) | set(re.findall(r"(\w+)=", rest))
    return name, versions, variants


def numbers(text):
    return tuple(int(part) for part in re.findall(r"\d+", text))


def within(version, wanted):
    """Whether 3.6.1 is in 3.4:, 1.10:1.14, or 2."""
    low, colon, high = wanted.partition(":")
    if not colon:
        high = low
    version = numbers(version)
    return (not low or version >= numbers(low)) and (not high or version[:len(numbers(high))] <= numbers(high))


class Builtin:
    def __init__(self, folder):
        self.folder = folder / "repos/spack_repo/builtin/packages"
        if not self.folder.is_dir():
            sys.exit(f"{self.folder}: there is no such folder; give a clone of spack-packages")

    def text(self, name):
        module = name.replace("-", "_")
        path = self.folder / (f"_{module}" if module[0].isdigit() else module) / "package.py"
        return path.read_text() if path.exists() else None

    def is_virtual(self, name):
        return any(re.search(rf'provides\(\s*"{re.escape(name)}["@]', path.read_text()) for path in self.folder.glob("*/package.py"))


def known_variants(text):
    """Names that `variant` is called with, and keys of dictionaries that are looped over for it, as Kokkos' recipe does."""
    tree = ast.parse(text)
    names = {call.args[0].value for call in ast.walk(tree) if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "variant"
             and call.args and isinstance(call.args[0], ast.Constant)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Dict):
            names |= {key.value for key in each.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
    if "CudaPackage" in text:
        names |= {"cuda", "cuda_arch"}
    return names


def wrong_dependency(spec, builtin):
    name, versions, variants = parts(spec)
    text = builtin.text(name)
    if text is None:
        return None if name in LANGUAGES or builtin.is_virtual(name) else f"{spec}: there is no package {name}"
    known = re.findall(r'version\(\s*"(\d[^"]*)"', text)
    for wanted in versions:
        if not any(within(version, wanted) for version in known):
            return f"{spec}: no version of {name} is in {wanted} ({', '.join(known[:5])}, ...)"
    unknown = variants - known_variants(text) - {"build_type", "generator"}
    return f"{spec}: {name} has no variant {', '.join(sorted(unknown))}" if unknown else None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packages", required=True, type=Path)
    builtin = Builtin(parser.parse_args().packages)
    recorder = Recorder()
    execute(recorder)
    specs = [arguments[0] for name, arguments, _ in recorder.calls if name == "depends_on"]
    specs += [arguments[0] for name, arguments, _ in recorder.calls if name == "requires" and arguments[0].startswith("^")]
    wrong = [why for why in (wrong_dependency(spec, builtin) for spec in dict.fromkeys(specs)) if why]
    print("\n".join(wrong) or f"{len(set(specs))} dependencies are known to Spack")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
