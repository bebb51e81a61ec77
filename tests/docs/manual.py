"""The Markdown pages of the project: their headings, links, fenced blocks and command lines."""
import re
import shlex
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

FENCE = re.compile(r"^ {0,3}(```+|~~~+)\s*(\S*)")
HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*\s*$")
LINK = re.compile(r"!?\[(?:[^\]\[]|\[[^\]]*\])*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
MARK = re.compile(r"<!--\s*test\b:?(.*?)-->", re.S)
CODE = re.compile(r"(`+)(.+?)\1")


@dataclass
class Block:
    line: int  # of its first line of code, from 1
    language: str
    code: str
    arguments: str | None = None  # of the mark before it; None without a mark


@dataclass
class Page:
    path: Path
    text: str
    headings: list = field(default_factory=list)
    links: list = field(default_factory=list)  # (line, target)
    blocks: list = field(default_factory=list)
    spans: list = field(default_factory=list)  # (line, inline code)

    @property
    def anchors(self):
        return anchors_of(self.headings, github_slug)

    @property
    def site_anchors(self):
        return anchors_of(self.headings, site_slug)


def plain(heading):
    """A heading as it is read: without the marks of code and links."""
    return re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")


def github_slug(heading):
    kept = [c for c in plain(heading).lower() if c.isalnum() or c in " -_"]
    return "".join(kept).replace(" ", "-")


def site_slug(heading):
    """As mkdocs makes it."""
    text = unicodedata.normalize("NFKD", plain(heading)).encode("ascii", "ignore").decode()
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", text).strip().lower())


def anchors_of(headings, slug):
    found, count = set(), {}
    for heading in headings:
        name = slug(heading)
        number = count.get(name, 0)
        count[name] = number + 1
        separator = "_" if slug is site_slug else "-"
        found.add(f"{name}{separator}{number}" if number else name)
    return found


def parse(path):
    page = Page(Path(path), Path(path).read_text(encoding="utf-8"))
    mark, fence, lines = None, None, page.text.split("\n")
    comment, indented = [], None
    for number, line in enumerate(lines, 1):
        if fence:
            if line.strip().startswith(fence) and not line.strip().strip(fence[0]):
                fence = None
            else:
                page.blocks[-1].code += line + "\n"
            continue
        if comment or line.startswith("<!--"):
            comment.append(line)
            if "-->" in line:
                found = MARK.fullmatch("\n".join(comment).strip())
                mark, comment = (" ".join(found.group(1).split()) if found else None), []
            continue
        start = FENCE.match(line)
        if start:
            fence = start.group(1)
            page.blocks.append(Block(number + 1, start.group(2), "", mark))
            mark, indented = None, None
            continue
        previous = lines[number - 2] if number > 1 else ""
        if line.startswith("    ") and (indented or not previous.strip()):
            if not indented:
                indented = Block(number, "", "")
                page.blocks.append(indented)
            indented.code += line[4:] + "\n"
            continue
        if line.strip():
            indented = None
            mark = None
        heading = HEADING.match(line)
        if heading:
            page.headings.append(heading.group(2))
        page.spans += [(number, found.group(2)) for found in CODE.finditer(line)]
        page.links += [(number, found.group(1)) for found in LINK.finditer(CODE.sub("", line))]
    return page


def broken_links(page, parsed, on_site):
    """Relative links of `page` that lead nowhere, as messages. `parsed` gives a page for a path; `on_site`: mkdocs shows it."""
    for line, target in page.links:
        if re.match(r"[a-z][a-z0-9+.-]*:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        other = (page.path.parent / name).resolve() if name else page.path.resolve()
        if not other.exists():
            yield f"{page.path}:{line}: there is no {target}"
        elif anchor and other.suffix == ".md":
            linked = parsed(other)
            if anchor not in linked.anchors or (on_site and anchor not in linked.site_anchors):
                yield f"{page.path}:{line}: {other.name} has no heading #{anchor}"


def commands(block, programs):
    """The command lines of a block that start one of `programs`: (line, words from the program on)."""
    for number, line in joined_lines(block):
        try:
            words = shlex.split(line, comments=True)
        except ValueError:
            continue
        for place, word in enumerate(words):
            if word in programs or word.removeprefix("./") in programs or (word.startswith("$(") and word[2:] in programs):
                rest = words[place + 1:]
                ends = [i for i, w in enumerate(rest) if w in ("&&", "||", "|", ";", "<<<")]
                yield number, [word.removeprefix("$(").removeprefix("./")] + [w.rstrip(")") for w in (rest[:ends[0]] if ends else rest)]
                break
            if place > 12:
                break


def joined_lines(block):
    text, first = "", block.line
    for number, line in enumerate(block.code.split("\n"), block.line):
        if not text:
            first = number
        if line.endswith("\\"):
            text += line[:-1] + " "
            continue
        yield first, text + line
        text = ""
