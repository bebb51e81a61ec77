"""The model of perf/study/model against closed forms: python3 -m unittest test_model, in this folder."""

import math
import sys
import unittest
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent / "perf"))

from made_up import timings  # noqa: E402
from study.bench_comm import BUSY, NORM, fit, norm_seconds, switch_seconds  # noqa: E402
from study.model.buckets import make_buckets  # noqa: E402
from study.model.collectives import Delay, Links, Measured, Network, World, ring_all_reduce, tree_all_reduce  # noqa: E402
from study.model.profile import profile_of  # noqa: E402
from study.model.simulate import AGREEMENT_BYTES, Setting, step_seconds, step_times, terms  # noqa: E402
from study.networks import forward_flops  # noqa: E402

SLOW = Links(latency_inside=1e-4, bandwidth_inside=1e9, latency_between=3e-4, bandwidth_between=2e8)
EIGHT = World(8)


def profile(**settings):
    return profile_of(timings(**settings))


def without_calls(made):
    """Nothing to say but gradients."""
    return replace(made, norms=(), gather_forward=0, gather_backward=0)


class Buckets(unittest.TestCase):
    def test_fill_up_in_order_of_readiness(self):
        self.assertEqual(make_buckets([(4, 1.0), (4, 2.0), (4, 3.0), (9, 4.0), (1, 5.0)], 8), [(8, 2.0), (4, 3.0), (9, 4.0), (1, 5.0)])

    def test_one_that_is_larger_than_a_bucket_has_its_own(self):
        self.assertEqual(make_buckets([(100, 1.0)], 8), [(100, 1.0)])

    def test_no_bucket_starts_before_the_one_in_front(self):
        self.assertEqual(make_buckets([(8, 5.0), (8, 3.0)], 8), [(8, 5.0), (8, 5.0)])

    def test_all_bytes_are_reduced(self):
        gradients = [(size, 0.1 * size) for size in range(1, 60)]
        for limit in (1, 7, 64, 1 << 20):
            self.assertEqual(sum(size for size, _ in make_buckets(gradients, limit)), sum(size for size, _ in gradients))


class Collectives(unittest.TestCase):
    def test_ring_formula(self):
        self.assertAlmostEqual(ring_all_reduce(8e6, SLOW, EIGHT), 14 * (1e-4 + 1e6 / 1e9), 12)

    def test_ring_over_nodes_is_as_slow_as_its_slowest_hop(self):
        self.assertAlmostEqual(ring_all_reduce(8e6, SLOW, World(8, 2)), 14 * (3e-4 + 1e6 / 2e8), 12)

    def test_tree_formula(self):
        self.assertAlmostEqual(tree_all_reduce(8e6, SLOW, World(64, 8)), 2 * (3 * 3e-4 + 3 * 1e-4 + 8e6 / 2e8), 12)

    def test_small_messages_take_the_tree_large_ones_the_ring(self):
        network = Network(SLOW)
        self.assertEqual(network.all_reduce(100, EIGHT), tree_all_reduce(100, SLOW, EIGHT))
        self.assertEqual(network.all_reduce(1e9, EIGHT), ring_all_reduce(1e9, SLOW, EIGHT))

    def test_one_rank_pays_nothing(self):
        network = Network(SLOW)
        self.assertEqual((network.all_reduce(1e6, World(1)), network.gather(1e6, World(1))), (0, 0))

    def test_gather_formula(self):
        self.assertAlmostEqual(Network(SLOW).gather(1e6, EIGHT), 7 * (1e-4 + 1e6 / 1e9), 12)


class Steps(unittest.TestCase):
    def test_one_rank_computes_only(self):
        made = profile()
        self.assertAlmostEqual(step_seconds(made, Setting()), made.compute(), 9)

    def test_links_without_cost_leave_compute(self):
        made = profile()
        self.assertAlmostEqual(step_seconds(made, Setting(EIGHT, Network(Links()))), made.compute(), 9)

    def test_nothing_to_hide_behind_is_a_sum(self):
        """All gradients ready at the end: every reduction is added to the compute time."""
        made = replace(profile(), gradients=((1e6, 0.2), (3e6, 0.2)))
        network, setting = Network(SLOW), Setting(EIGHT, Network(SLOW), bucket_bytes=1e6)
        calls = 10 * 2 * network.all_reduce(1024, EIGHT) + 2 * network.gather(20480, EIGHT) + network.all_reduce(40, EIGHT)
        gradients = network.all_reduce(1e6, EIGHT) + network.all_reduce(3e6, EIGHT)
        self.assertAlmostEqual(step_seconds(made, setting), made.compute() + calls + gradients + network.all_reduce(AGREEMENT_BYTES, EIGHT), 9)

    def test_one_bucket_is_seen_whole(self):
        """It starts with the last gradient, at the end of the backward pass."""
        made = without_calls(profile())
        network, setting = Network(SLOW), Setting(EIGHT, Network(SLOW), bucket_bytes=1e12, gathers=False)
        whole = network.all_reduce(made.gradient_bytes(), EIGHT)
        small = network.all_reduce(40, EIGHT) + network.all_reduce(AGREEMENT_BYTES, EIGHT)
        self.assertAlmostEqual(step_seconds(made, setting), made.compute() + whole + small, 9)

    def test_buckets_that_fit_beside_the_backward_pass_show_the_last_one_only(self):
        made = without_calls(profile(gradient_bytes=1000))
        network, setting = Network(SLOW), Setting(EIGHT, Network(SLOW), bucket_bytes=1000, gathers=False)
        small = network.all_reduce(40, EIGHT) + network.all_reduce(AGREEMENT_BYTES, EIGHT)
        self.assertAlmostEqual(step_seconds(made, setting), made.compute() + network.all_reduce(1000, EIGHT) + small, 9)

    def test_a_busy_link_makes_buckets_wait_for_each_other(self):
        """Slow links: the step ends with the first bucket's start and all of their times."""
        made = without_calls(profile(gradient_bytes=50e6))
        network, setting = Network(SLOW), Setting(EIGHT, Network(SLOW), bucket_bytes=1, gathers=False)
        first = made.phases["forward"] + made.phases["loss"] + made.gradients[0][1] + network.all_reduce(40, EIGHT)
        after = made.phases["update"] + made.phases["other"] + network.all_reduce(AGREEMENT_BYTES, EIGHT)
        self.assertAlmostEqual(step_seconds(made, setting), first + 10 * network.all_reduce(50e6, EIGHT) + after, 9)

    def test_ranks_that_move_bytes_themselves_hide_nothing(self):
        made = without_calls(profile(gradient_bytes=1e6))
        network = Measured({8: {"all_reduce": (1e-4, 1e9), "all_gather": (1e-4, 1e9)}})
        setting = Setting(EIGHT, network, bucket_bytes=1e6, gathers=False)
        small = network.all_reduce(40, EIGHT) + network.all_reduce(AGREEMENT_BYTES, EIGHT)
        self.assertAlmostEqual(step_seconds(made, setting), made.compute() + 10 * network.all_reduce(1e6, EIGHT) + small, 9)

    def test_a_step_is_never_shorter_on_slower_links(self):
        made = profile()
        for change in ("latency_inside", "latency_between", "call"):
            steps = [step_seconds(made, Setting(World(16, 2), Network(replace(SLOW, **{change: value})))) for value in (0, 1e-6, 1e-5, 1e-4, 1e-3)]
            self.assertEqual(steps, sorted(steps), change)
            self.assertGreater(steps[-1], steps[0])
        for change in ("bandwidth_inside", "bandwidth_between"):
            steps = [step_seconds(made, Setting(World(16, 2), Network(replace(SLOW, **{change: value})))) for value in (1e11, 1e9, 1e8, 1e7)]
            self.assertEqual(steps, sorted(steps), change)

    def test_shared_cores_multiply_compute(self):
        made = profile()
        self.assertAlmostEqual(step_seconds(made, Setting(World(4), sharing=2, slowdown=1.1)), 2.2 * made.compute(), 9)

    def test_ranks_of_a_core_take_turns_that_cost(self):
        """One turn for each of the two ranks of a core between calls: 20 batch norms, 2 gathers, mean and agreement make 25 pieces, of
        which that between the gather and the mean, and that before the gradient's gather, hold no work."""
        made = profile()
        with_turns, free = (step_seconds(made, Setting(World(4), sharing=2, switch_seconds=seconds)) for seconds in (1e-4, 0))
        self.assertGreater(with_turns - free, 2 * 20 * 1e-4)
        self.assertLess(with_turns - free, 2 * 26 * 1e-4)

    def test_statistics_over_ranks_cost_arithmetic(self):
        made = profile()
        with_it, free = (step_seconds(made, Setting(World(2), norm_seconds=seconds)) for seconds in (1e-4, 0))
        self.assertAlmostEqual(with_it - free, 20 * 1e-4, 9)
        self.assertAlmostEqual(step_seconds(made, Setting(World(1), norm_seconds=1e-4)), made.compute(), 9)

    def test_delays_hide_behind_the_turns_of_others(self):
        """Two ranks of a core: while one waits for its delay, the other computes."""
        made = replace(without_calls(profile()), gradients=())
        made = replace(made, norms=profile().norms)
        delayed = Setting(World(2), sharing=2, delay=Delay(1e-3), gathers=False)
        step = step_seconds(made, delayed)
        self.assertGreater(step, 2 * made.compute())
        self.assertLess(step, 2 * made.compute() + 24 * 1e-3)

    def test_input_sets_the_pace_where_it_is_slower(self):
        made = profile()
        self.assertAlmostEqual(step_seconds(made, Setting(World(2), input_seconds=1.5)), 1.5, 9)
        self.assertAlmostEqual(step_seconds(made, Setting(World(2), input_seconds=0.01)), made.compute(), 9)

    def test_an_artificial_delay_hides_behind_nothing_but_compute(self):
        """Blocking calls take the delay; the one bucket takes it after the backward pass."""
        made = replace(profile(), gradients=((1e6, 0.2),))
        delay = Delay(1e-3, 1e9)
        received = 2 * 10 * 1024 + 2 * 20480 + 40 + AGREEMENT_BYTES + 1e6
        calls = 20 + 2 + 1 + 1 + 1
        self.assertAlmostEqual(step_seconds(made, Setting(World(2), delay=delay)), made.compute() + 1e-3 * calls + received / 1e9, 9)

    def test_stragglers_are_waited_for(self):
        made = replace(profile(), spread=(0.9, 1.0, 1.1))
        many, few = (step_seconds(made, Setting(World(ranks), steps=200)) for ranks in (256, 1))
        self.assertAlmostEqual(many, 1.1 * made.compute(), 3)
        self.assertAlmostEqual(few, made.compute(), 3)
        self.assertEqual(step_seconds(made, Setting(World(256), stragglers=False)), step_seconds(made, Setting(World(1), stragglers=False)))

    def test_the_same_seed_draws_the_same_steps(self):
        made = replace(profile(), spread=(0.9, 1.0, 1.1))
        self.assertTrue((step_times(made, Setting(World(3), seed=5)) == step_times(made, Setting(World(3), seed=5))).all())
        self.assertFalse((step_times(made, Setting(World(3), seed=5)) == step_times(made, Setting(World(3), seed=6))).all())

    def test_terms_are_what_a_step_is_shorter_without(self):
        made = profile()
        found = terms(made, Setting(EIGHT, Network(SLOW), save_seconds=0.003, sharing=2))
        self.assertAlmostEqual(found["batch norms"], 20 * Network(SLOW).all_reduce(1024, EIGHT), 6)
        self.assertAlmostEqual(found["checkpoints"], 0.003, 9)
        self.assertGreater(found["shared cores"], 0.9 * made.compute())
        self.assertEqual(found["input"], 0)


class BenchComm(unittest.TestCase):
    def test_fit_finds_latency_and_bandwidth(self):
        sizes = (256, 16384, 1 << 20, 8 << 20)
        latency, bandwidth = fit(sizes, [2e-6 + size / 3e9 for size in sizes])
        self.assertAlmostEqual(latency, 2e-6, 12)
        self.assertAlmostEqual(bandwidth / 3e9, 1, 9)

    def test_a_turn_costs_what_shared_cores_add(self):
        alone, four = {BUSY: {2: 1e-4, 5: 2e-4, 20: 8e-4}}, {BUSY: {2: 3e-4, 5: 5e-4, 20: 17e-4}}
        self.assertAlmostEqual(switch_seconds(four, alone, 2), 5e-5)
        self.assertEqual(switch_seconds(four, alone, 1), 0)
        self.assertEqual(switch_seconds(four, {}, 2), 0)

    def test_merging_is_what_a_batch_norm_takes_longer(self):
        alone, two = {NORM: {32: 4e-5, 64: 4e-5}}, {NORM: {32: 14e-5, 64: 14e-5}}
        self.assertAlmostEqual(norm_seconds(two, alone, 1, 1e-6), 49e-6)
        self.assertAlmostEqual(norm_seconds(two, alone, 2, 5e-6), 10e-6)
        self.assertEqual(norm_seconds(two, {}, 1, 0), 0)


class Profiles(unittest.TestCase):
    def test_longer_phases_keep_places(self):
        made = profile().with_phases(forward=0.4, backward=0.1)
        self.assertAlmostEqual(made.norms[-1].forward_at, 0.4)
        self.assertAlmostEqual(made.gradients[-1][1], 0.1)

    def test_more_supports_lengthen_the_loss_and_what_comes_before_the_first_gradient(self):
        before = profile()
        made = before.with_supports(4)
        self.assertAlmostEqual(made.phases["loss"], 4 * before.phases["loss"])
        lead = min(before.gradients[0][1], min(norm.backward_at for norm in before.norms))
        self.assertAlmostEqual(made.phases["backward"], before.phases["backward"] + 3 * lead)
        self.assertEqual(before.with_supports(4, 0.0), before)

    def test_operations_of_a_known_network(self):
        self.assertAlmostEqual(forward_flops("resnet50", 224) / 2e9, 4.087, 2)
        self.assertAlmostEqual(forward_flops("resnet18", 224) / 2e9, 1.814, 2)

    def test_no_infinite_step(self):
        self.assertTrue(math.isfinite(step_seconds(profile(), Setting(World(1024, 128), Network(SLOW)))))


if __name__ == "__main__":
    unittest.main()
