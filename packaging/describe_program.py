#!/usr/bin/env python3
"""Checks that the manual page and bash's completion have the commands, options and settings of the program; --update writes them there.

usage: describe_program.py --paws-hpc PROGRAM [--update]"""
import argparse
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
PAGE, COMPLETION = HERE / "paws_hpc.1.in", HERE / "paws_hpc.bash"


class Entry(NamedTuple):
    """An option, argument or command as --help lists it."""
    words: str  # "-h,--help", "CONFIG TEXT"
    meaning: str


class Help(NamedTuple):
    summary: str
    sections: dict  # title -> [Entry]

    def options(self):
        return [entry for entries in self.sections.values() for entry in entries if entry.words.startswith("-")]

    def arguments(self):
        return self.sections.get("Positionals", [])


def parse(text):
    """--help's text: titles end with a colon, entries are indented by two spaces, meanings follow two spaces or on the next line."""
    lines = text.splitlines()
    summary = lines[0] if not lines[0].startswith("Usage:") else ""
    sections, current = {}, None
    for line in lines:
        if re.fullmatch(r"\S.*:", line):
            current = sections.setdefault(line[:-1], [])
        elif current is not None and (found := re.match(r"  (\S+(?: \S+)*)(?:\s{2,}(\S.*))?$", line)):
            current.append(Entry(found[1], found[2] or ""))
        elif current and (found := re.match(r"\s{3,}(\S.*)", line)):
            current[-1] = current[-1]._replace(meaning=f"{current[-1].meaning} {found[1]}".strip())
    return Help(summary, sections)


def ask(program, *command):
    return parse(subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout)


def described(program):
    """{command: Help}; '' is a run."""
    run = ask(program)
    commands = [entry.words.split()[0] for entry in run.sections["Subcommands"]]
    return {"": run, **{name: ask(program, name) for name in commands}}


def names(entry):
    """['-h', '--help'] of an option's words."""
    return entry.words.split()[0].split(",")


def takes_value(entry):
    return " " in entry.words


def roff(text):
    # A hyphen that is typed is \-; a line must not begin with a control character.
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def page_entry(entry):
    words, *values = entry.words.split()
    shown = ", ".join(f"\\fB{roff(word)}\\fR" for word in words.split(","))
    if not words.startswith("-"):
        shown = f"\\fI{roff(words)}\\fR"
    elif values:
        value = re.sub(r":.*", "", values[0])
        shown += f" \\fI{roff(value)}\\fR" + (" ..." if "..." in values else "")
    return [".TP", shown, roff(entry.meaning)]


def page_part(programs):
    lines = [".SH OPTIONS", "Of a run, and of those without a command:"]
    for entry in programs[""].options():
        lines += page_entry(entry)
    lines += [".SH COMMANDS"]
    for name, command in programs.items():
        if not name:
            continue
        required = [entry.words.split()[0] for entry in command.arguments()]
        lines += [f".SS {roff(name)}" + "".join(f" {roff(argument)}" for argument in required),
                  roff(command.summary) + ("" if command.summary.endswith((".", ")")) else ".")]
        for entry in command.arguments() + [entry for entry in command.options() if "--help" not in names(entry)]:
            lines += page_entry(entry)
    return lines


def known_keys():
    text = "".join(path.read_text() for path in sorted((HERE.parent / "src/config").glob("*.?pp")))
    return sorted(set(re.findall(r'"((?:meta|criterion|data|optimization|logging|embed)\.[a-z0-9_]+)"', text)))


def folded(name, words, width=140):
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) + 1 > width:
            lines.append(line)
            line = ""
        line += (" " if line else "") + word
    return [f'{name}="' + "\n  ".join([*lines, line]) + '"']


def completion_part(programs):
    flags = sorted({name for each in programs.values() for entry in each.options() if not takes_value(entry) for name in names(entry)})
    lines = folded("_paws_hpc_commands", [name for name in programs if name])
    for command, each in programs.items():
        options = sorted({name for entry in each.options() for name in names(entry) if name.startswith("--")} | {"--help"})
        lines += folded(f"_paws_hpc_options_{command.replace('-', '_')}", options)
    lines += folded("_paws_hpc_without_value", [name for name in flags if name.startswith("--")])
    return "\n".join(lines + folded("_paws_hpc_keys", known_keys())).splitlines()


def with_part(text, mark, part):
    """The text with the lines between its two marks replaced."""
    begin, end = f"{mark} begin: from --help\n", f"{mark} end\n"
    before, rest = text.split(begin)
    return before + begin + "\n".join(part) + "\n" + end + rest.split(end, 1)[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--paws-hpc", required=True, type=lambda name: str(Path(name).resolve()))
    parser.add_argument("--update", action="store_true", help="write the files instead of comparing")
    options = parser.parse_args()
    programs = described(options.paws_hpc)
    old = 0
    for path, mark, part in ((PAGE, '.\\"', page_part(programs)), (COMPLETION, "#", completion_part(programs))):
        wanted = with_part(path.read_text(), mark, part)
        if path.read_text() == wanted:
            continue
        if options.update:
            path.write_text(wanted)
            print(f"wrote {path}")
        else:
            old += 1
            print(f"{path}: is not what --help says; run packaging/describe_program.py --paws-hpc {options.paws_hpc} --update")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main())
