"""What a study's folder holds: of each run, its repetitions; of links, the fastest call of each size."""

import json
import statistics
from dataclasses import dataclass, field
from pathlib import Path

from study import bench_comm
from study.errors import Refused
from study.model.profile import profile_of, read_timings, spread_of
from study.runs import points_of
from study.study_file import parse_study

PHASES = ("data_wait", "forward", "loss", "backward", "communication", "update", "checkpoint", "other")


@dataclass
class Repetition:
    """One start of a run. `documents`: the timings of the ranks together, or of each that is apart."""

    documents: list
    paths: list
    load: float = 0
    date: str = ""

    @property
    def step(self):
        """Median step in seconds."""
        return statistics.mean(document["step"]["median"] for document in self.documents)


@dataclass
class Measured:
    """All repetitions of a run. A machine that is disturbed only gets slower, so the fastest repetition counts; all of them
    make the spread."""

    repetitions: list = field(default_factory=list)

    @property
    def best(self):
        return min(self.repetitions, key=lambda repetition: repetition.step)

    @property
    def step(self):
        return self.best.step

    @property
    def range(self):
        steps = [repetition.step for repetition in self.repetitions]
        return min(steps), max(steps)

    def phase(self, name):
        documents = self.best.documents
        return statistics.mean(document["phases"].get(name, {"median": 0.0})["median"] for document in documents)

    def profile(self):
        """Of a run on one rank."""
        best = self.best
        return profile_of(best.documents[0], spread_of(best.paths[0]), best.paths[0])


class Results:
    """Of the folder of perf/scaling run, or what of it is there yet. Throws Refused."""

    def __init__(self, folder):
        self.folder = Path(folder)
        study = self.folder / "study.yaml"
        if not study.exists():
            raise Refused(f"{folder}: there is no study.yaml; name a folder that perf/scaling run --output wrote")
        self.text = study.read_text()
        self.study = parse_study(self.text, str(study))
        self.machine = json.loads((self.folder / "machine.json").read_text())
        self.measured = {}
        self.links = {}
        for done in sorted(self.folder.glob("runs/*/*/done.json")):
            self._read(done)
        self.points = [point for point in points_of(self.study) if point.run.name in self.measured]
        if not self.points:
            raise Refused(f"{folder}: nothing is measured yet; perf/scaling run goes on with it")

    def _read(self, done):
        folder, facts = done.parent, json.loads(done.read_text())
        name = folder.parent.name
        if name.startswith("links-"):
            self._read_links(folder / "links.json")
            return
        paths = sorted(folder.glob("p*/study-timings.json")) or [folder / "study-timings.json"]
        repetition = Repetition([read_timings(path) for path in paths], paths, max(facts["load_before"], facts["load_after"]), facts["date"])
        self.measured.setdefault(name, Measured()).repetitions.append(repetition)

    def _read_links(self, path):
        document = json.loads(path.read_text())
        fastest = self.links.setdefault(document["ranks"], {})
        for call, times in document["seconds"].items():
            of_call = fastest.setdefault(call, {})
            for size, seconds in times.items():
                of_call[int(size)] = min(seconds, of_call.get(int(size), seconds))

    def of(self, run):
        """Measured, or None."""
        return self.measured.get(run.name) if run is not None else None

    def link_fits(self):
        """{ranks: {call: (latency, bandwidth)}}."""
        return {ranks: bench_comm.fits_of(times) for ranks, times in self.links.items()}

    def settings(self):
        return dict(self.study.settings)

    def loads(self):
        return [repetition.load for measured in self.measured.values() for repetition in measured.repetitions]

    def dates(self):
        return sorted(repetition.date for measured in self.measured.values() for repetition in measured.repetitions)
