#!/usr/bin/env python3
"""The series in a directory on a regular grid, for the benchmarks of forecasts.

  forecast_series.py DIR OUT     writes OUT/NAME, lines of `seconds value`

Read are DIR/*.csv (columns t or timestamp, v or value) and of DIR/*.ndjson (id, train and test, hourly) the ids
named in IDS ("all": each), or eight of them. The grid is 5 minutes, or the series' own step where that is longer; several values
in a step are averaged, requests summed; what is missing is filled by a straight line.
"""
import csv, datetime, json, os, pathlib, statistics, sys

def seconds(text):
    return datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.timezone.utc).timestamp()

def points(path):
    for row in csv.DictReader(open(path)):
        try:
            yield int(float(row["t"]) if "t" in row else seconds(row["timestamp"])), float(row["v"] if "v" in row else row["value"])
        except (ValueError, KeyError):
            pass

def grid(values, total):
    step = max(300, int(statistics.median(b[0] - a[0] for a, b in zip(values, values[1:]))))
    slots = {}
    for t, v in values:
        slots.setdefault(t // step, []).append(v)
    known = sorted(slots)
    y = {i: sum(slots[i]) / (1 if total else len(slots[i])) for i in known}
    for a, b in zip(known, known[1:]):
        for i in range(a + 1, b):
            y[i] = y[a] + (y[b] - y[a]) * (i - a) / (b - a)
    return [(i * step, y[i]) for i in sorted(y)]

def main(source, out):
    def write(name, values):
        with open(os.path.join(out, name), "w") as file:
            file.writelines(f"{t} {v:.12g}\n" for t, v in values)
    for path in sorted(pathlib.Path(source).glob("*.csv")):
        values = list(points(path))
        if len(values) > 100:
            write(path.stem, grid(values, "_req_" in path.stem))
    for path in sorted(pathlib.Path(source).glob("*.ndjson")):
        records = [json.loads(line) for line in open(path)]
        ids = os.environ.get("IDS", "").split() or [r["id"] for r in records[:: max(1, len(records) // 8)]]
        for r in records:
            if ids == ["all"] or r["id"] in ids:
                values = r["train"] + r.get("test", [])
                write(f"{path.stem}_{r['id']}", [(3600 * i, v) for i, v in enumerate(values)])

if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
