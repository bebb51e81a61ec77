"""perf/scaling submit: a study as an array of jobs, by jobs/submit and jobs/scaling_study.sbatch."""

import subprocess
from pathlib import Path

from study.errors import Failed, Refused
from study.launch import ROOT
from study.measure import keep_study, text_to_keep
from study.study_file import read_study


def arguments_of(study, path, output, options):
    """Of jobs/submit. Elements of the array are numbers of nodes; each gets as many as the largest, so that all are on the same kind of place."""
    of_node = max(ranks // nodes for ranks, nodes in zip(study.ranks, study.nodes))
    elements = ",".join(str(nodes) for nodes in sorted(set(study.nodes)))
    cores = options.cpus_per_task or study.threads
    given = ["--template", "scaling_study", "--array", f"{elements}%1", "--nodes", str(max(study.nodes)), "--tasks-per-node", str(of_node),
             "--cpus-per-task", str(cores), "--gpus-per-node", str(0 if study.device == "cpu" else of_node), "--job-name", f"scaling_{study.name}",
             "--let", f"STUDY={path}", "--let", f"OUTPUT={output}", "--folder", str(output / "logs")]
    for name in ("partition", "account", "device", "time", "mem"):
        value = getattr(options, name)
        if value:
            given += [f"--{name}", value]
    return given + (["--dry-run"] if options.dry_run else [])


def submit(options):
    study, text = read_study(options.study)
    path, output = Path(options.study).resolve(), Path(options.output).resolve()
    if not options.dry_run:
        keep_study(text_to_keep(text, study), output, options.study)
    done = subprocess.run([str(ROOT / "jobs/submit")] + arguments_of(study, path, output, options), capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise Refused(done.stderr.strip().removeprefix("jobs/submit: "))
    if done.returncode != 0:
        raise Failed(f"jobs/submit: {(done.stderr.strip().splitlines() or ['it failed'])[-1]}")
    print(done.stdout, end="")
