#!/usr/bin/env python3
"""The same table from the same log by byzlab, polars and DuckDB: time, memory, and whether they agree.

    cargo build --release -p byzlab
    python3 analysis/benches/peers.py RESULTS --install         # a folder with runs.csv and events.csv
    python3 analysis/benches/peers.py /tmp/peers --write 1000   # writes a log of 1000 MB there first (needs the example log_scale)

The table: for each cell the mean, over its completed runs, of the run's mean `all_commit` latency: of each batch (sequence number and
digest) from its first `propose` to the last `committed` of an honest replica. A cell is a combination of swept parameters.

Each program runs in a process of its own, with all cores and with one, several times; the best time counts. What counts for polars and DuckDB
is the query alone, for byzlab the whole process, start and all. Both get the types of all columns, read only what
they need and scan the file once (a second scan looks for corrupted nodes if `runs.csv` says that there are any). polars runs with its streaming engine
and with the other one; the faster counts. Memory is the peak of the process, imports included. byzlab checks every
field of every row meanwhile, the others the fields that they need.

`--install` makes a virtual environment in `--venv` and installs polars and duckdb there with pip; without it the script uses what is there, or
the modules of the Python that runs it.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

VERSIONS = ["polars", "duckdb"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="results folder with runs.csv and events.csv")
    parser.add_argument("--byzlab", default="target/release/byzlab", help="the program, or the example log_scale")
    parser.add_argument("--install", action="store_true", help="install polars and duckdb with pip")
    parser.add_argument("--venv", type=Path, default=Path("/tmp/byzlab-peers-venv"))
    parser.add_argument("--write", type=int, metavar="MB", help="write a log of so many megabytes into the folder first")
    parser.add_argument("--generator", default="target/release/examples/log_scale")
    parser.add_argument("--times", type=int, default=5, help="runs of each program; the best counts")
    parser.add_argument("--query", choices=["polars", "polars-streaming", "duckdb"], help=argparse.SUPPRESS)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.query:
        return query(arguments.query, arguments.folder, arguments.threads)

    python = arguments.venv / "bin" / "python"
    if arguments.install:
        subprocess.run([sys.executable, "-m", "venv", arguments.venv], check=True)
        subprocess.run([python, "-m", "pip", "install", "--quiet", *VERSIONS], check=True)
    if not python.exists():
        python = Path(sys.executable)
    if arguments.write:
        subprocess.run([arguments.generator, "write", arguments.folder, str(arguments.write)], check=True)

    size = (arguments.folder / "events.csv").stat().st_size
    versions = "import polars, duckdb; print('polars', polars.__version__, 'DuckDB', duckdb.__version__)"
    versions = subprocess.run([python, "-c", versions], check=True, capture_output=True, text=True).stdout.strip()
    print(f"{size / 1e6:.0f} MB; {versions}; best of {arguments.times}\n")
    agree = True
    for threads in sorted({1, os.cpu_count()}, reverse=True):
        results = {"byzlab": []}
        # In turn, so that whatever else the machine does hits all of them.
        for _ in range(arguments.times):
            results["byzlab"].append(run_byzlab(arguments, threads))
            for engine in ["polars-streaming", "polars", "duckdb"]:
                results.setdefault(engine, []).append(run_query(python, engine, arguments.folder, threads))
        best = {name: min(runs, key=lambda run: run[0]) for name, runs in results.items()}
        reference = best["byzlab"]
        print(f"{threads} thread{'s' if threads > 1 else ''}")
        print("  program            best s  median s     MB/s  times byzlab  peak MB")
        for name, (seconds, peak, _) in best.items():
            median = statistics.median(run[0] for run in results[name])
            print(
                f"  {name:<17} {seconds:7.3f}  {median:8.3f}  {size / 1e6 / seconds:7.0f}"
                f"  {seconds / reference[0]:12.2f}  {peak / 1e6:7.0f}"
            )
        for name, (_, _, table) in best.items():
            agree &= same(reference[2], table, name)
    print("\nall tables agree to 1e-9" if agree else "\nTHE TABLES DIFFER")
    return 0 if agree else 1


def measured(command, environment=None):
    """Seconds, peak memory in bytes, standard output."""
    before = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - before
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"failed: {' '.join(map(str, command))}")
    return seconds, usage.ru_maxrss * 1024, output


def run_byzlab(arguments, threads):
    command = [arguments.byzlab, "analyze", arguments.folder, "--format", "json", "--jobs", str(threads)]
    if Path(arguments.byzlab).name == "byzlab":
        command += ["--metric", "all_commit", "--by", "cell"]
    seconds, peak, output = measured(command)
    return seconds, peak, [group["mean"]["estimate"] for group in json.loads(output)]


def run_query(python, engine, folder, threads):
    command = [python, __file__, folder, "--query", engine, "--threads", str(threads)]
    _, peak, output = measured(command, {**os.environ, "POLARS_MAX_THREADS": str(threads)})
    result = json.loads(output)
    return result["seconds"], peak, result["table"]


def same(expected, found, name):
    is_same = len(expected) == len(found) and all(
        a == b or (a is not None and b is not None and abs(a - b) <= 1e-9 * abs(a)) for a, b in zip(expected, found)
    )
    if not is_same:
        print(f"  {name}: {found[:3]} … instead of {expected[:3]} …")
    return is_same


def query(engine, folder, threads):
    events, runs = str(folder / "events.csv"), str(folder / "runs.csv")
    if engine == "duckdb":
        seconds, table = duckdb_table(events, runs, threads)
    else:
        seconds, table = polars_table(events, runs, "streaming" if engine == "polars-streaming" else "in-memory")
    print(json.dumps({"seconds": seconds, "table": table}))
    return 0


def polars_table(events, runs, engine):
    import polars as pl

    number, text = pl.UInt64, pl.String
    types = {
        "cell": pl.UInt32, "run": pl.UInt32, "time_ns": number, "node": pl.UInt32, "event": text, "view": number,
        "seq": number, "digest": text, "peer": pl.UInt32, "message": text, "bytes": number, "value": text,
    }
    before = time.perf_counter()
    table = pl.scan_csv(runs).select("cell", "run", "corrupted", "outcome").collect()
    log = pl.scan_csv(events, schema=types, quote_char=None)
    rows = log.filter(pl.col("event").is_in(["propose", "committed"]))
    if table["corrupted"].max() > 0:
        corrupted = log.filter(pl.col("event") == "corrupt").select("cell", "run", "node").unique()
        corrupted = corrupted.with_columns(event=pl.lit("committed"))
        rows = rows.join(corrupted, on=["cell", "run", "node", "event"], how="anti")
    proposed = pl.col("time_ns").filter(pl.col("event") == "propose").min()
    committed = pl.col("time_ns").filter(pl.col("event") == "committed").max()
    batches = rows.group_by("cell", "run", "seq", "digest").agg(proposed=proposed, committed=committed)
    values = batches.drop_nulls().group_by("cell", "run").agg(value=(pl.col("committed") - pl.col("proposed")).mean() / 1e6)
    completed = table.lazy().filter(pl.col("outcome") == "completed")
    completed = completed.select(pl.col("cell").cast(pl.UInt32), pl.col("run").cast(pl.UInt32))
    cells = values.join(completed, on=["cell", "run"]).group_by("cell").agg(mean=pl.col("value").mean()).sort("cell")
    means = cells.collect(engine=engine)["mean"].to_list()
    return time.perf_counter() - before, means


def duckdb_table(events, runs, threads):
    import duckdb

    number = "UBIGINT"
    types = {
        "cell": "UINTEGER", "run": "UINTEGER", "time_ns": number, "node": "UINTEGER", "event": "VARCHAR", "view": number,
        "seq": number, "digest": "VARCHAR", "peer": "UINTEGER", "message": "VARCHAR", "bytes": number, "value": "VARCHAR",
    }
    before = time.perf_counter()
    database = duckdb.connect()
    database.execute(f"SET threads = {threads}")
    database.execute("SET preserve_insertion_order = false")
    database.execute(f"CREATE TABLE runs AS SELECT cell, run, corrupted, outcome FROM read_csv('{runs}')")
    log = f"read_csv('{events}', header = true, delim = ',', quote = '', escape = '', auto_detect = false, columns = {types})"
    honest = ""
    if database.execute("SELECT max(corrupted) FROM runs").fetchone()[0] > 0:
        database.execute(f"CREATE TABLE liars AS SELECT DISTINCT cell, run, node FROM {log} WHERE event = 'corrupt'")
        honest = "AND (event = 'propose' OR (cell, run, node) NOT IN (SELECT (cell, run, node) FROM liars))"
    rows = database.execute(f"""
        WITH batches AS (
            SELECT cell, run, min(time_ns) FILTER (event = 'propose') AS proposed, max(time_ns) FILTER (event = 'committed') AS committed
            FROM {log}
            WHERE event IN ('propose', 'committed') {honest}
            GROUP BY cell, run, seq, digest
        ), run_values AS (
            SELECT cell, run, avg(committed - proposed) / 1e6 AS value
            FROM batches WHERE proposed IS NOT NULL AND committed IS NOT NULL GROUP BY cell, run
        )
        SELECT avg(value) FROM run_values JOIN runs USING (cell, run) WHERE outcome = 'completed' GROUP BY cell ORDER BY cell
    """).fetchall()
    return time.perf_counter() - before, [mean for (mean,) in rows]


if __name__ == "__main__":
    sys.exit(main())
