"""What the checks of the documentation must find: python3 -m unittest test_manual"""
import tempfile
import unittest
from pathlib import Path

import check_docs
import manual

TEXT = """# A page: `code` & more

See [here](#a-page-code--more), [there](other.md#two) and [a picture](none.png); not `[this](gone.md)`.
<!-- test: --set a.b=1
  --set c.d=2 -->
```bash
paws_hpc pack --input X \\
  --output Y      # a comment
mpirun -n 2 paws_hpc configs/demo.yaml   # another
```

    indented $ paws_hpc inspect F && true
    of two lines

```text
## no heading
```
## Two
## Two
"""


class FakeHelp:
    subcommands = {"pack", "inspect"}

    def options(self, *command):
        return {"--help", "--input", "--output"} if command else {"--help", "--set"}


class Pages(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = Path(self.folder.name) / "page.md"
        self.path.write_text(TEXT)
        (self.path.parent / "other.md").write_text("# One\n")
        self.page = manual.parse(self.path)

    def tearDown(self):
        self.folder.cleanup()

    def test_headings(self):
        self.assertEqual(self.page.headings, ["A page: `code` & more", "Two", "Two"])
        self.assertEqual(self.page.anchors, {"a-page-code--more", "two", "two-1"})
        self.assertEqual(self.page.site_anchors, {"a-page-code-more", "two", "two_1"})

    def test_links(self):
        wrong = list(manual.broken_links(self.page, manual.parse, False))
        self.assertEqual(len(wrong), 2, wrong)
        self.assertIn("other.md has no heading #two", wrong[0])
        self.assertIn("none.png", wrong[1])
        on_site = list(manual.broken_links(self.page, manual.parse, True))
        self.assertIn("page.md has no heading #a-page-code--more", on_site[0])

    def test_blocks(self):
        first, second, third = self.page.blocks
        self.assertEqual(first.arguments, "--set a.b=1 --set c.d=2")
        self.assertIsNone(second.arguments)
        self.assertIsNone(third.arguments)
        self.assertEqual(second.code, "indented $ paws_hpc inspect F && true\nof two lines\n")

    def test_commands(self):
        found = list(manual.commands(self.page.blocks[0], ("paws_hpc",)))
        self.assertEqual(found, [(7, ["paws_hpc", "pack", "--input", "X", "--output", "Y"]), (9, ["paws_hpc", "configs/demo.yaml"])])
        self.assertEqual(list(manual.commands(self.page.blocks[1], ("paws_hpc",))), [(12, ["paws_hpc", "inspect", "F"])])

    def test_arguments_of_examples(self):
        self.assertEqual(check_docs.with_arguments(self.page.blocks[0]).split("\n")[1],
                         "mpirun -n 2 paws_hpc configs/demo.yaml --set a.b=1 --set c.d=2")

    def test_wrong_commands(self):
        for words, why in ((["pack", "--inptu", "X"], "--inptu"), (["unpack", "--input", "X"], "no command 'unpack'"), (["configs/none.yaml"], "configs/none.yaml"),
                           (["a.yaml", "--stop"], "--stop")):
            self.assertIn(why, check_docs.wrong_command(words, FakeHelp()) or "")
        for words in (["pack", "--input=X"], ["a.yaml", "--set", "a.b=1"], ["configs/demo.yaml"], ["CONFIG.yaml"]):
            self.assertIsNone(check_docs.wrong_command(words, FakeHelp()))


if __name__ == "__main__":
    unittest.main()
