#!/usr/bin/env python3
"""Times Ray, Dask and ipyparallel on empty tasks, beside our own coordinator.

    task_systems.py [--alongside COMMAND] [--json]

Tasks per second: TASKS tasks that do nothing are handed in at once to two workers, processes on
this machine, and the clock runs until the last result is there. Dask's scheduler is a process of
its own, reached over TCP on this host; tasks are distinct, so that none is answered from memory.
Every figure is the median (least - most) of repeats that take turns: whatever else the machine
does strikes all alike. A system that is not installed is left out. COMMAND runs once a repeat and
prints one JSON object on its last line, {"blocks_per_second_workers_2": {"median": x}, ...}, as
"rrr-coordinator bench --json --repeats 1" does: "ours" are its empty blocks with two rrr-worker
processes, "ours, simulated" those with two workers that compute nothing at all, which is the
coordinator alone.
"""
import argparse
import contextlib
import json
import logging
import os
import shlex
import statistics
import subprocess
import sys
import time

OURS = {"ours": "blocks_per_second_workers_2", "ours, simulated": "blocks_per_second_simulated_2"}


def nothing(number):
    return number


@contextlib.contextmanager
def ray_pool():
    """A function that runs so many tasks on two workers of Ray."""
    import ray

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    task = ray.remote(num_cpus=1)(nothing)
    try:
        yield lambda count: ray.get([task.remote(i) for i in range(count)])
    finally:
        ray.shutdown()


@contextlib.contextmanager
def dask_pool():
    """The same for Dask: worker processes of one thread, TCP."""
    from distributed import Client, SubprocessCluster

    with SubprocessCluster(
        host="127.0.0.1", n_workers=2, threads_per_worker=1, silence_logs=logging.ERROR,
        scheduler_kwargs={"dashboard": False}, worker_kwargs={"dashboard": False},
    ) as cluster, Client(cluster) as client:
        client.wait_for_workers(2)
        yield lambda count: client.gather(client.map(nothing, range(count), pure=False))


@contextlib.contextmanager
def ipyparallel_pool():
    """The same for ipyparallel's load-balanced view."""
    import ipyparallel

    with ipyparallel.Cluster(n=2, log_level=logging.ERROR) as client:
        view = client.load_balanced_view()
        yield lambda count: view.map_sync(nothing, range(count))


POOLS = {"Ray": ray_pool, "Dask": dask_pool, "ipyparallel": ipyparallel_pool}


def tasks_per_second(run, count):
    start = time.perf_counter()
    results = run(count)
    elapsed = time.perf_counter() - start
    if list(results) != list(range(count)):
        sys.exit("a task's result is not what was handed in")
    return count / elapsed


def run_alongside(command):
    """One run of our own benchmark: {name of OURS: figure}, and the whole report."""
    done = subprocess.run(shlex.split(command), stdout=subprocess.PIPE, text=True)
    try:
        report = json.loads(done.stdout.splitlines()[-1])
        return {name: report[key]["median"] for name, key in OURS.items()}
    except (IndexError, KeyError, TypeError, ValueError) as problem:
        sys.exit(f"{command}: status {done.returncode}, and no report as --help describes it ({problem!r})")


def measure(options):
    """The medians and spreads, {who: {...}}, and ratios of medians, {"ours / Ray": x, ...}."""
    found = {}
    for repeat in range(options.repeats):
        print(f"repeat {repeat + 1} of {options.repeats}", file=sys.stderr)
        for name, pool in POOLS.items():
            # One pool at a time: what waits must not take time from what runs.
            try:
                with pool() as run:
                    run(options.tasks // 10)
                    found.setdefault(name, []).append(tasks_per_second(run, options.tasks))
            except ImportError as missing:
                if repeat == 0:
                    print(f"{name} is left out: {missing}.", file=sys.stderr)
        for name, figure in run_alongside(options.alongside).items() if options.alongside else ():
            found.setdefault(name, []).append(figure)
    spread = lambda x: {"median": statistics.median(x), "least": min(x), "most": max(x)}
    report = {name: spread(values) for name, values in found.items()}
    pairs = [(ours, peer) for ours in OURS if ours in report for peer in POOLS if peer in report]
    ratios = {f"{ours} / {peer}": report[ours]["median"] / report[peer]["median"] for ours, peer in pairs}
    return {"tasks_per_second": report, "ratios": ratios}


def show(report):
    number = lambda x: f"{x:,.0f}" if x >= 100 else f"{x:.1f}"
    print(f"{'':<30}{'tasks/s':>10}")
    for name, x in report["tasks_per_second"].items():
        print(f"{name:<30}{number(x['median']):>10}  ({number(x['least'])} - {number(x['most'])})")
    for name, ratio in report["ratios"].items():
        print(f"{name:<30}{number(ratio):>10}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alongside", metavar="COMMAND", help="our own benchmark, run once a repeat")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--tasks", type=int, default=5000, help="tasks handed in at once")
    options = parser.parse_args()
    # What these systems write to standard output is not a result.
    with open(os.dup(1), "w") as output:
        os.dup2(2, 1)
        report = measure(options)
        sys.stdout.flush()
        os.dup2(output.fileno(), 1)
    print(json.dumps(report)) if options.json else show(report)


if __name__ == "__main__":
    main()
