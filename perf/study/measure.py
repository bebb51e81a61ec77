"""perf/scaling run: the runs of a study, repetition after repetition, so that what disturbs the machine for a while disturbs
all of them. What is measured stays; the same command goes on with what is missing."""

import json
import os
import shutil
import time
from pathlib import Path

import yaml

from study import bench_comm, launch, machine, run_config
from study.errors import Failed, Refused
from study.runs import points_of, runs_of
from study.study_file import read_study

TAG = "study"


def text_to_keep(text, study):
    """With its name, and the configuration's whole path, since the copy lies elsewhere."""
    named = {"name": study.name} | ({"config": study.config} if study.config else {})
    return yaml.safe_dump({**yaml.safe_load(text), **named}, sort_keys=False)


def keep_study(text, output, name):
    """The study that a folder belongs to. Throws Refused if it is another one."""
    path = output / "study.yaml"
    if path.exists():
        if yaml.safe_load(path.read_text()) != yaml.safe_load(text):
            before, now = yaml.safe_load(path.read_text()), yaml.safe_load(text)
            key = next(key for key in list(now) + list(before) if now.get(key) != before.get(key))
            raise Refused(f"--output {output}: holds the measurements of another study than {name} ({key} differs); name another folder")
        return
    try:
        output.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    except OSError as error:
        raise Refused(f"--output {output}: {error.strerror}; name a folder that you may write to") from None


def write_whole(path, text):
    """All of it or nothing, whenever this process is killed."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text)
    os.replace(partial, path)


class Links:
    """bench_comm on some ranks, as one item of a repetition."""

    def __init__(self, ranks, nodes):
        self.ranks, self.nodes = ranks, nodes
        self.name = f"links-r{ranks}" + (f"-n{nodes}" if nodes > 1 else "")


def items_of(study, only_nodes=None):
    items = list(runs_of(points_of(study)))
    if study.links and launch.beside_program("perf", "bench_comm"):
        items += [Links(ranks, nodes) for ranks, nodes in dict.fromkeys([(1, 1), *zip(study.ranks, study.nodes)])]
    return [item for item in items if only_nodes is None or item.nodes == only_nodes]


def _measure_run(run, study, folder):
    configurations, logs, folders = [], [], []
    for number in range(run.ranks if run.apart else 1):
        place = folder / f"p{number}" if run.apart else folder
        place.mkdir(parents=True, exist_ok=True)
        path = place / "run.yaml"
        run_config.write(run_config.configuration(study, run, place, TAG), path)
        configurations.append(path)
        logs.append(place / "output.log")
        folders.append(place)
    started = [command + ["--resume", "never"] for command in launch.commands(run, study, configurations)]
    launch.execute(started, logs, study.threads, study.minutes)
    for place, log in zip(folders, logs):
        if not (place / f"{TAG}-timings.json").exists():
            raise Failed(f"{log}: the run ended without {TAG}-timings.json; is paws_hpc older than logging.timings?")
        for file in place.iterdir():
            if file.name not in ("run.yaml", "output.log") and "timings" not in file.name:
                shutil.rmtree(file) if file.is_dir() else file.unlink()


def measure_item(item, study, folder):
    """One measurement into `folder`, which is there only when it is whole."""
    if folder.exists():
        shutil.rmtree(folder)  # of one that was interrupted
    folder.mkdir(parents=True)
    load = machine.load()
    start = time.time()
    if isinstance(item, Links):
        bench_comm.measure(item.ranks, item.nodes, study.threads, study.minutes, folder)
    else:
        _measure_run(item, study, folder)
    write_whole(folder / "done.json", json.dumps({"load_before": load, "load_after": machine.load(), "seconds": time.time() - start,
                                                  "date": time.strftime("%Y-%m-%d %H:%M:%S")}))


def run(options):
    study, text = read_study(options.study)
    output = Path(options.output).resolve()
    # Bad input is told before anything is measured.
    program = launch.program()
    if any(not delay.is_none for delay in study.delays):
        launch.delay_variables(study.delays[0])
    if not os.environ.get("PAWS_SCALING_LAUNCH") and max(study.nodes) > 1:
        raise Refused(f"{options.study}: nodes: {max(study.nodes)} nodes need a job of SLURM: perf/scaling submit")
    keep_study(text_to_keep(text, study), output, options.study)
    if not (output / "machine.json").exists():
        write_whole(output / "machine.json", json.dumps(machine.describe(program), indent=1))
    items = items_of(study, options.nodes)
    if not items:
        raise Refused(f"--nodes {options.nodes}: the study has no run on so many nodes; it has runs on {', '.join(map(str, sorted(set(study.nodes))))}")
    total, done = len(items) * study.repetitions, 0
    for repetition in range(study.repetitions):
        for item in items:
            done += 1
            folder = output / "runs" / item.name / str(repetition)
            if (folder / "done.json").exists():
                continue
            start = time.time()
            measure_item(item, study, folder)
            print(f"{done}/{total} {item.name}, repetition {repetition + 1}: {time.time() - start:.1f} s", flush=True)
    print(f"measured: {output}; perf/scaling report {options.output} shows it")
