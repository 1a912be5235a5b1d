#!/usr/bin/env python3
"""Makes input for shadow-detect and scores what it says. Standard library only.

  detect.py rows FILE                NAB's timestamp,value rows as metric records
  detect.py nab DIR HALF SCORES      NAB v1.1 (Lavin and Ahmad, 2015) standard and low-FP scores of the
                                     files of DIR; SCORES has one file of scores a row for each, named
                                     as the file with : for /. HALF: all, even or odd of the sorted list
  detect.py inject FILE AGG SEED     t,v rows on a grid of 5 min (AGG: mean or sum), in the last 40 %
                                     24 events of 30 min, x0.5 and x1.5 in turn, as metric records
  detect.py series KIND SEED         40 days of t,v rows each 5 min: link (smooth, with days and weeks),
                                     requests (counts, some hundred), heavy (noise with outliers)
  detect.py surges FILE AGG SEED     recall, delay and false episodes a day of anomalies on stdin
"""
import bisect, csv, datetime, json, math, os, random, sys

STEP, EVENTS, LENGTH = 300, 24, 6

def seconds(text):
    return datetime.datetime.fromisoformat(text[:19]).replace(tzinfo=datetime.timezone.utc).timestamp()

def metric(t, value):
    print('{"type":"metric","v":1,"ts":%d,"series":"bench","value":%r}' % (t * 1000000, value))

def rows(path):
    return [(seconds(r['timestamp']), float(r['value'])) for r in csv.DictReader(open(path))]

def grid(path, agg):
    bins = {}
    for r in csv.DictReader(open(path)):
        bins.setdefault(int(float(r['t'])) // STEP, []).append(float(r['v']))
    first, last, y = min(bins), max(bins), []
    known = sorted(bins)
    for i in range(first, last + 1):
        if i in bins:
            y.append(sum(bins[i]) / (len(bins[i]) if agg == 'mean' else 1))
        else:
            y.append(None)
    for a, b in zip(known, known[1:]):
        for i in range(a + 1, b):
            y[i - first] = y[a - first] + (y[b - first] - y[a - first]) * (i - a) / (b - a)
    return first * STEP, y

def inject(y, seed):
    rng, start, events = random.Random(seed), int(.6 * len(y)), []
    for i in range(EVENTS):
        a = start + int((i + .2 + .6 * rng.random()) * (len(y) - start - 4 * LENGTH) / EVENTS)
        y[a:a + LENGTH] = [v * (1.5 if i % 2 else .5) for v in y[a:a + LENGTH]]
        events.append((a, a + LENGTH))
    return start, events

def surges(path, agg, seed):
    first, y = grid(path, agg)
    start, events = inject(y, seed)
    alarms = set()
    for line in sys.stdin:
        r = json.loads(line)
        if r['type'] == 'anomaly' and r['state'] != 'close':
            alarms.add((r['ts'] // 1000000 - first) // STEP)
    alarms = sorted(a for a in alarms if a >= start)
    delays = []
    for a, b in events:
        caught = [i for i in alarms if a <= i <= b]
        if caught:
            delays.append((caught[0] - a) * STEP / 60)
    false, last = 0, -LENGTH - 1
    for i in alarms:
        if not any(a <= i <= b + LENGTH for a, b in events):
            false += i - last > LENGTH
            last = i
    delays.sort()
    print(json.dumps({'recall': len(delays) / EVENTS, 'delay_min': delays[len(delays) // 2] if delays else None,
                      'false_per_day': false / ((len(y) - start) * STEP / 86400)}))

def noise_of(kind, rng, before, level):
    if kind == 'link':
        return .9 * before + rng.gauss(0, .02)
    if kind == 'requests':
        return rng.gauss(0, 1) / math.sqrt(level)
    return .5 * before + rng.gauss(0, .03) * (4 if rng.random() < .02 else 1)

def series(kind, seed):
    rng, noise = random.Random(seed), 0
    phase, swing, weekend = rng.random(), rng.uniform(.3, .8), rng.uniform(0, .4)
    print('t,v')
    for i in range(288 * 40):
        wave = swing * math.sin(2 * math.pi * (i / 288 + phase)) - (weekend if i // 288 % 7 > 4 else 0)
        level = 400 * math.exp(wave)
        noise = noise_of(kind, rng, noise, level)
        print('%d,%.6g' % (1600000200 + i * STEP, level * math.exp(noise)))

def sigmoid(x):
    return -1. if x > 3 else 2 / (1 + math.exp(5 * x)) - 1

def windows_of(directory, name, t):
    windows = json.load(open(os.path.join(directory, 'windows.json')))[name]
    return [(bisect.bisect_left(t, seconds(a)), bisect.bisect_right(t, seconds(b)) - 1) for a, b in windows]

def points(directory, name, scores, cost):
    """(score, gain, window or None) of each row after probation."""
    t = [t for t, _ in rows(os.path.join(directory, name))]
    windows, out = windows_of(directory, name, t), []
    for i in range(int(min(.15 * len(t), 750)), len(t)):
        inside = [(a, b) for a, b in windows if a <= i <= b]
        before = [(a, b) for a, b in windows if b < i]
        if inside:
            a, b = inside[0]
            out.append((scores[i], sigmoid(-(b - i + 1) / (b - a + 1)) / sigmoid(-1.), (name, a)))
        else:
            a, b = before[-1] if before else (0, 0)
            out.append((scores[i], cost * (sigmoid((i - b) / max(1, b - a)) if before else -1.), None))
    return out, len(windows)

def best_score(directory, names, scores, cost):
    """The best threshold's, 0 for silence and 100 for every window found at its start."""
    all_points, n = [], 0
    for name in names:
        p, w = points(directory, name, scores[name], cost)
        all_points += p
        n += w
    all_points.sort(key=lambda p: -p[0])
    best = now = -n
    found = {}
    for i, (score, gain, window) in enumerate(all_points):
        if window is None:
            now += gain
        elif window not in found:
            now, found[window] = now + 1 + gain, gain
        elif gain > found[window]:
            now, found[window] = now + gain - found[window], gain
        if i + 1 == len(all_points) or all_points[i + 1][0] != score:
            best = max(best, now)
    return round(50 * (best + n) / n, 2)

def nab(directory, half, folder):
    names = sorted(os.path.relpath(os.path.join(d, f), directory)
                   for d, _, files in os.walk(directory) for f in files if f.endswith('.csv'))
    names = {'all': names, 'even': names[::2], 'odd': names[1::2]}[half]
    scores = {n: [float(x) for x in open(os.path.join(folder, n.replace('/', ':')))] for n in names}
    print(json.dumps({'standard': best_score(directory, names, scores, .11),
                      'low_fp': best_score(directory, names, scores, .22), 'files': len(names)}))

def main():
    what, path = sys.argv[1:3]
    if what == 'series':
        return series(path, sys.argv[3])
    if what == 'rows':
        for t, v in rows(path):
            metric(t, v)
    elif what == 'nab':
        nab(path, *sys.argv[3:5])
    elif what == 'inject':
        first, y = grid(path, sys.argv[3])
        inject(y, int(sys.argv[4]))
        for i, v in enumerate(y):
            metric(first + i * STEP, v)
    elif what == 'surges':
        surges(path, sys.argv[3], int(sys.argv[4]))

main()
