"""What is wrong with studies, machines and links, and the line that must say so."""

GOOD = {"networks": ["wide_resnet16w1"], "ranks": [1, 2], "batch": {"pictures": 4, "classes": 5, "images_per_class": 2}}

#: (change of GOOD: a value of None takes the key away; pattern of the line)
STUDIES = [
    ({"network": ["resnet50"]}, r"network: there is no such key; did you mean networks\?"),
    ({"zzz": 1}, r"zzz: there is no such key; there are name, networks"),
    ({"networks": None}, r"networks is missing; give a list of resnet18"),
    ({"networks": ["resnet5"]}, r"networks: \['resnet5'\] will not do; give a list of resnet18"),
    ({"networks": []}, r"networks: \[\] will not do"),
    ({"precision": "fp8"}, r"precision: 'fp8' will not do; give a list of fp32"),
    ({"scaling": ["weak", "wide"]}, r"scaling: .* give weak, strong"),
    ({"ranks": None}, r"ranks is missing; give a list of numbers above 0"),
    ({"ranks": [0, 1]}, r"ranks: \[0, 1\] will not do"),
    ({"ranks": [1, 2, 2]}, r"ranks: a number is there twice"),
    ({"ranks": [True]}, r"ranks: \[True\] will not do"),
    ({"nodes": [1, 1, 1]}, r"nodes: 3 entries for 2 of ranks"),
    ({"ranks": [1, 3], "nodes": [1, 2]}, r"nodes: 3 ranks do not fill 2 nodes evenly"),
    ({"threads": 0}, r"threads: 0 will not do"),
    ({"device": "tpu"}, r"device: 'tpu' will not do; give auto, cpu or cuda"),
    ({"steps": 2}, r"steps: 2 will not do; give steps of a run, at least 3"),
    ({"repetitions": "many"}, r"repetitions: 'many' will not do"),
    ({"data": "made"}, r"data: 'made' will not do; give synthetic, or real"),
    ({"data": "real"}, r"data: real needs config"),
    ({"config": "nowhere.yaml"}, r"config: there is no file .*nowhere.yaml"),
    ({"batch": 4}, r"batch must be a mapping with keys of pictures, classes, images_per_class"),
    ({"batch": {"classes": 5}}, r"batch.pictures is missing"),
    ({"batch": {"pictures": 4, "classes": 1}}, r"batch.classes: 1 will not do"),
    ({"batch": {"pictures": 4, "picture": 1}}, r"batch.picture: there is no such key; did you mean batch.pictures\?"),
    ({"scaling": "strong", "ranks": [1, 3]}, r"batch.pictures: 4 in all do not fill 3 ranks evenly"),
    ({"scaling": "strong", "ranks": [1, 4]}, r"batch.images_per_class: 2 in all do not fill 4 ranks evenly"),
    ({"views": {"large": 4}}, r"views.large: 4 will not do; give pixels"),
    ({"delays": [{"latency_ms": 1}]}, r"delays: .* give a list of \{latency_us: NUMBER, mb_per_s: NUMBER\}"),
    ({"delays": [{"latency_us": -1}]}, r"delays: .* will not do"),
    ({"apart": "no"}, r"apart: 'no' will not do; give true or false"),
    ({"minutes": 0}, r"minutes: 0 will not do"),
    ({"settings": {"bucket_mb": 1}}, r"settings: .* give a mapping of section.key"),
]

MACHINE = "perf/machines/v100.yaml"
#: (section, key, value; pattern)
MACHINES = [
    ("compute", "sustained", 0.25, r"compute.sustained must be \{value: NUMBER, source: TEXT\}"),
    ("compute", "sustained", {"value": 0.25}, r"compute.sustained names no source"),
    ("compute", "peak_tflops", {"value": 0, "source": "x"}, r"compute.peak_tflops must be above 0"),
    ("links", "call_us", {"value": "few", "source": "x"}, r"links.call_us must be"),
    (None, "ranks_per_node", 0, r"ranks_per_node must be a number above 0"),
]

LINKS = {"ranks_per_node": 8, "latency_inside_us": 2, "bandwidth_inside_gb_s": 100, "latency_between_us": 5, "bandwidth_between_gb_s": 20}
BAD_LINKS = [
    ({"latency_us": 2}, r"latency_us: there is no such key; there are ranks_per_node"),
    ({"bandwidth_inside_gb_s": 0}, r"bandwidth_inside_gb_s: 0 will not do; give a number above 0"),
    ({"latency_between_us": None}, r"latency_between_us is missing; give a number"),
]
