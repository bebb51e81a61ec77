#!/usr/bin/env python3
"""Checks README, CONTRIBUTING and the manual: links and anchors resolve, commands, options, keys and paths in them exist, quoted messages
are the program's, and the examples that are marked `<!-- test -->` run.

usage: check_docs.py --paws-hpc PROGRAM [--only links|commands|settings|version|messages|site|examples] [--page NAME] [--unquoted]"""
import argparse
import functools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from manual import Page, broken_links, commands, joined_lines, parse

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "jobs/README.md", "perf/README.md", "packaging/README.md",
                                "packaging/spack/README.md", "packaging/apptainer/README.md")]
MANUAL = sorted((ROOT / "docs").glob("*.md"))
FOR_USERS = [ROOT / "README.md", *MANUAL]  # whose lines, commands, keys and paths are checked
LONGEST_README, LONGEST_LINE = 120, 160
GENERATED = {ROOT / "docs/configuration.md": ("--print-settings", "markdown")}  # by the program; tables have long rows
KEY = re.compile(r"^(?:meta|criterion|data|optimization|logging|embed)\.(?!yaml$)[a-z0-9_]+$")
FOLDERS = ("configs/", "jobs/", "perf/", "tests/", "src/", "io/", "kernels/", "subsets/", "docs/")

parsed = functools.cache(parse)


class Help:
    """What the program's --help says of a command."""

    def __init__(self, program):
        self.program = program
        self.main = self.text()
        self.subcommands = set(re.findall(r"^  ([a-z][a-z-]*) {2,}", self.main.split("Subcommands:")[1], re.M))

    @functools.cache
    def text(self, *command):
        return subprocess.run([*self.program, *command, "--help"], capture_output=True, text=True, check=True).stdout

    def options(self, *command):
        return set(re.findall(r"(?<![\w-])(--?[a-z][a-z0-9-]*)", self.text(*command).lower())) | {"--help"}


def check_links(_options):
    wrong = []
    for path in PAGES + MANUAL:
        wrong += broken_links(parsed(path), parsed, path in MANUAL)
    if len(parsed(ROOT / "README.md").text.splitlines()) > LONGEST_README:
        wrong.append(f"README.md: has more than {LONGEST_README} lines")
    for path in set(FOR_USERS) - set(GENERATED):
        wrong += [f"{path}:{number}: has {len(line)} characters, more than {LONGEST_LINE}"
                  for number, line in enumerate(parsed(path).text.splitlines(), 1) if len(line) > LONGEST_LINE and "](" not in line]
    linked = {(ROOT / "docs" / target.partition("#")[0]).resolve() for _, target in parsed(ROOT / "docs/index.md").links}
    return wrong + [f"docs/index.md: has no link to {path.name}" for path in MANUAL if path not in linked and path.name != "index.md"]


def wrong_command(words, program_help):
    """Why the words after paws_hpc are none of its command lines, or nothing."""
    if not words or words[0].isupper():
        return None
    plain = [word for word in words if not word.startswith("-")]
    command = ()
    if not words[0].startswith("-") and "." not in words[0]:
        if words[0] not in program_help.subcommands:
            return f"there is no command '{words[0]}'"
        command = (words[0],)
    known = program_help.options(*command)
    unknown = [word for word in words if word.startswith("--") and word.partition("=")[0] not in known]
    if unknown:
        return f"paws_hpc {' '.join(command)} has no option {unknown[0]}"
    missing = [word for word in plain if word.startswith("configs/") and not (ROOT / word).exists()]
    return f"there is no {missing[0]}" if missing else None


def known_keys():
    text = "".join(path.read_text() for path in (ROOT / "src/config").glob("*.?pp"))
    return set(re.findall(r'"((?:meta|criterion|data|optimization|logging|embed)\.[a-z0-9_]+)"', text))


def check_commands(options):
    program_help = Help([options.paws_hpc])
    submit = set(re.findall(r"--[a-z-]+", subprocess.run([sys.executable, ROOT / "jobs/submit", "--help"], capture_output=True, text=True).stdout))
    keys = known_keys()
    wrong = []
    for path in FOR_USERS:
        page: Page = parsed(path)
        spans = [(line, text) for line, text in page.spans]
        lines = [(line, words) for block in page.blocks for line, words in commands(block, ("paws_hpc", "jobs/submit"))]
        for line, words in lines:
            at = f"{path}:{line}"
            if words[0] == "paws_hpc":
                why = wrong_command(words[1:], program_help)
                wrong += [f"{at}: {why}"] if why else []
            else:
                of_submit = words[:words.index("--")] if "--" in words else words
                wrong += [f"{at}: jobs/submit has no option {word}" for word in of_submit
                          if word.startswith("--") and word.partition("=")[0] not in submit]
            spans += [(line, word.partition("=")[0]) for word in words if KEY.match(word.partition("=")[0]) and "=" in word]
        for line, text in spans:
            name = re.split(r"[:=\s]", text)[0]
            if KEY.match(name) and name not in keys:
                wrong.append(f"{path}:{line}: there is no key {name}")
            if text.startswith("paws_hpc "):
                why = wrong_command(text.split("`")[0].split()[1:], program_help)
                wrong += [f"{path}:{line}: {why}"] if why else []
            place = text.split()[0] if text.strip() else ""
            if place.startswith(FOLDERS) and re.fullmatch(r"[\w./-]+", place) and "." in Path(place).name and not (ROOT / place).exists():
                wrong.append(f"{path}:{line}: there is no {place}")
    return wrong


def check_settings(options):
    """Pages that the program prints are what it prints."""
    wrong = []
    for path, arguments in GENERATED.items():
        printed = subprocess.run([options.paws_hpc, *arguments], capture_output=True, text=True, check=True).stdout
        if printed.strip() != path.read_text().strip():
            differing = next((number for number, (ours, theirs) in enumerate(zip(path.read_text().splitlines(), printed.splitlines()), 1)
                              if ours != theirs), "its end")
            wrong.append(f"{path}: is not what the program prints, from line {differing} on; "
                         f"update it: build/cpu/paws_hpc {' '.join(arguments)} > {path.relative_to(ROOT)}")
    return wrong


def check_version(options):
    """CMakeLists.txt says the version; the program, CITATION.cff and the newest entry of CHANGELOG.md have the same."""
    version = re.search(r"^project\(paws_hpc VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text(), re.M)[1]
    printed = subprocess.run([options.paws_hpc, "--version"], capture_output=True, text=True, check=True).stdout
    found = {"paws_hpc --version": printed.split()[1],
             "CITATION.cff": re.search(r"^version: (\S+)", (ROOT / "CITATION.cff").read_text(), re.M)[1],
             "CHANGELOG.md": re.search(r"^## \[([0-9.]+)\]", (ROOT / "CHANGELOG.md").read_text(), re.M)[1]}
    return [f"{place}: has version {other}, but CMakeLists.txt {version}" for place, other in found.items() if other != version]


def source_text():
    """All string literals of the program, neighbours joined, one a line."""
    texts = []
    for folder in ("src", "io"):
        for path in sorted((ROOT / folder).rglob("*.?pp")):
            code = re.sub(r'"\s*\n?\s*"', "", re.sub(r"^\s*//.*$", "", path.read_text(), flags=re.M))
            texts += re.findall(r'"((?:[^"\\\n]|\\.)*)"', code)
    return "\n".join(texts).replace('\\"', '"').replace("\\\\", "\\")


def check_messages(_options):
    """Each message that troubleshooting.md quotes, `like … this`: its words between the dots are words of the program."""
    said = source_text()
    wrong = []
    page = parsed(ROOT / "docs/troubleshooting.md")
    for line, text in page.spans:
        if "…" not in text:
            continue
        for part in text.split("…"):
            part = part.strip(" :;,()'.[]")
            if part and part not in said:
                wrong.append(f"{page.path}:{line}: the program says nowhere '{part}'")
    return wrong


def unquoted_messages():
    """Texts of the program that look like a message with a remedy and that troubleshooting.md does not quote."""
    quoted = [part.strip(" :;,()'.[]") for _, text in parsed(ROOT / "docs/troubleshooting.md").spans for part in text.split("…")]
    quoted = [part for part in quoted if len(part) > 7]
    for text in dict.fromkeys(source_text().split("\n")):
        if "; " in text and len(text) > 25 and not any(part in text or text.strip(" ;:") in part for part in quoted):
            yield text


def check_site(_options):
    if not shutil.which("mkdocs"):
        print("mkdocs is not installed: the site is not built")
        return []
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(["mkdocs", "build", "--strict", "--quiet", "--site-dir", folder], cwd=ROOT, capture_output=True, text=True)
        return [] if done.returncode == 0 else [done.stdout + done.stderr]


def make_images(folder):
    """Two classes that differ in colour, of various sizes, JPEG and PNG."""
    import numpy
    from PIL import Image
    random = numpy.random.default_rng(0)
    for split, count in (("train", 8), ("val", 2)):
        for tone, name in enumerate(("cat", "dog")):
            (folder / split / name).mkdir(parents=True)
            for number in range(count):
                pixels = random.integers(0, 128, (36 + number, 40, 3), dtype=numpy.uint8) + numpy.uint8(100 * tone)
                Image.fromarray(pixels).save(folder / split / name / f"{number}.{'png' if number % 2 else 'jpg'}")


def with_arguments(block):
    """The code of a block, with the arguments of its mark at the end of each line that has a configuration."""
    lines = []
    for _, line in joined_lines(block):
        bare = re.sub(r"\s+#.*$", "", line)
        lines.append(f"{bare} {block.arguments}" if re.search(r"paws_hpc (views )?\S+\.yaml", bare) else bare)
    return "\n".join(lines)


def check_examples(options):
    wrong = []
    for path in FOR_USERS:
        blocks = [block for block in parsed(path).blocks if block.arguments is not None]
        if not blocks or (options.page and options.page not in path.name):
            continue
        with tempfile.TemporaryDirectory(prefix="paws-docs-") as name:
            folder = Path(name)
            for linked in ("configs", "perf", "subsets"):
                (folder / linked).symlink_to(ROOT / linked)
            (folder / "cifar-10-batches-py").symlink_to(ROOT / "tests/inputs/cifar-10-batches-py")
            make_images(folder / "my_images")
            (folder / "bin").mkdir()
            (folder / "bin/python3").symlink_to(sys.executable)
            (folder / "bin/paws_hpc").symlink_to(options.paws_hpc)
            environment = {**os.environ, "PATH": f"{folder}/bin:{os.environ['PATH']}", "MPLBACKEND": "Agg", "TMPDIR": name,
                           "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", "OMPI_MCA_rmaps_base_oversubscribe": "1",
                           "OMP_WAIT_POLICY": "passive"}
            for block in blocks:
                began = time.monotonic()
                done = subprocess.run(["bash", "-exo", "pipefail", "-c", with_arguments(block)], cwd=folder, env=environment,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
                print(f"{path.name}:{block.line}: {time.monotonic() - began:.1f} s", flush=True)
                if done.returncode != 0:
                    wrong.append(f"{path}:{block.line}: exit code {done.returncode}\n{done.stdout}")
                    break
    return wrong


CHECKS = {"links": check_links, "commands": check_commands, "settings": check_settings, "version": check_version,
          "messages": check_messages, "site": check_site, "examples": check_examples}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True, type=lambda name: str(Path(name).resolve()))
    parser.add_argument("--only", choices=CHECKS)
    parser.add_argument("--page", help="examples of the pages with this in their name only")
    parser.add_argument("--unquoted", action="store_true", help="only list messages that troubleshooting.md does not quote; some are no errors")
    options = parser.parse_args()
    if options.unquoted:
        print("\n".join(unquoted_messages()))
        return 0
    wrong = []
    for name, check in CHECKS.items():
        if options.only in (None, name):
            wrong += check(options)
    print("\n".join(wrong) or "the documentation is whole")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
