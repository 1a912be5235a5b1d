# What the live traffic of one arm went through, from its records (-s: all of them in one array).
# $arm, $started (us), $changes (array), $probed (the end records of shadow-probe, or []).
def final: map(select(.type == "traffic" and .final and (.flow | contains("/") | not)));
def interval: map(select(.type == "traffic" and (.final | not)));

# A second is bad when the 99th percentile of delay is above the base by 20 ms.
def bad_seconds:
    interval | map(select(.delay_p50_us != null)) | group_by(.protocol)
    | map((map(.delay_p50_us) | min) as $base
          | map(select(.delay_p99_us > $base + 20000) | .ts / 1000000 | floor))
    | add // [] | unique | length;

($changes | map(select(.type == "change" and .applied and .from != {} and .from != .to))) as $moves
| (interval | map(select(.lost + .retransmitted > 0) | .ts) | min) as $hurt
| {type: "arm", v: 1, ts: (map(.ts) | max), arm: $arm,
   sent: (final | map(.sent) | add),
   lost: (final | map(.lost) | add),
   retransmitted: (final | map(.retransmitted) | add),
   bad_seconds: bad_seconds,
   moves: ($moves | length),
   first_move_us: (if $moves == [] then null else ($moves | map(.ts) | min) - $started end),
   first_hurt_us: (if $hurt == null then null else $hurt - $started end),
   shadow_bytes: ($probed | map(.counts.bytes) | add),
   live_bytes: (final | map(.rate_bps * .duration_us / 8e6) | add | floor)}
| .lost_live = .lost + .retransmitted
