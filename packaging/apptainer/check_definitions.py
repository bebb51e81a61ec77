#!/usr/bin/env python3
"""Checks Apptainer's definitions as far as Debian 12 can without Apptainer: sections, stages, shell syntax, and that apt knows the packages.

usage: check_definitions.py        needs apt's lists of packages (apt-get update); NVIDIA's packages are named, not looked for"""
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SECTIONS = {"arguments", "files", "post", "environment", "runscript", "test", "labels", "help"}
NVIDIA = re.compile(r"cuda-|lib(cublas|cufft|curand|cusolver|cusparse)-dev-")


def stages(text):
    """[(header, {section: [lines]})]"""
    found = []
    for part in re.split(r"(?m)^(?=Bootstrap:)", text):
        if not part.strip():
            continue
        header, sections, current = {}, {}, None
        for line in part.splitlines():
            if title := re.match(r"%(\w+)(.*)", line):
                current = sections.setdefault(title[1], [])
                if title[2].strip():
                    header["from stage"] = title[2].split()[-1]
            elif current is not None:
                current.append(line)
            elif line.strip() and not line.startswith("#"):
                key, value = line.split(":", 1)
                header[key] = value.strip()
        found.append((header, sections))
    return found


def filled(lines, arguments):
    return re.sub(r"\{\{ (\w+) \}\}", lambda name: arguments[name[1]], "\n".join(lines))


def installed(script):
    """Packages after `apt-get install`, lines joined."""
    for line in script.replace("\\\n", " ").splitlines():
        if "apt-get install" in line:
            yield from (word for word in line.split("install", 1)[1].split() if not word.startswith("-"))


def wrong(path):
    names = set()
    for header, sections in stages(path.read_text()):
        if {"Bootstrap", "From", "Stage"} - set(header):
            yield "a stage lacks Bootstrap, From or Stage"
        if header.get("from stage", None) not in names | {None}:
            yield f"%files from {header['from stage']}: there is no such stage before"
        names.add(header.get("Stage"))
        if unknown := set(sections) - SECTIONS:
            yield f"unknown sections: {', '.join(sorted(unknown))}"
        arguments = dict(line.strip().split("=", 1) for line in sections.get("arguments", []) if line.strip())
        for name in ("post", "runscript", "test", "environment"):
            script = filled(sections.get(name, []), arguments)
            # Apptainer hands them to /bin/sh.
            checked = subprocess.run(["sh", "-n"], input=script, capture_output=True, text=True, check=False)
            if checked.returncode != 0:
                yield f"%{name}: {checked.stderr.strip()}"
            packages = [package for package in installed(script) if "/" not in package]
            theirs = [package for package in packages if NVIDIA.match(package)]
            if theirs:
                print(f"{path.name}: not looked for: {' '.join(theirs)}")
            ours = [package for package in packages if package not in theirs]
            simulated = subprocess.run(["apt-get", "install", "--simulate", "--no-install-recommends", "-qq", *ours], capture_output=True, text=True,
                                       check=False)
            if ours and simulated.returncode != 0:
                yield simulated.stderr.strip()


def main():
    failures = 0
    for path in sorted(HERE.glob("*.def")):
        for what in wrong(path):
            print(f"{path.name}: {what}")
            failures += 1
    print(f"{failures} things are wrong" if failures else "the definitions are as far as this can tell in order")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
