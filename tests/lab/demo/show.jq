# The records of the shadow pipeline, as lines for people, while they come (-n).
def fixed($d): . * pow(10; $d) | round / pow(10; $d)
    | tostring | if $d > 0 and (contains(".") | not) then . + "." + ("0" * $d) else . end;
def mbit: if . == null then "?" else (. / 1e6 | fixed(1)) + " Mbit/s" end;
def seconds: if . == null then "later" else (. / 1e6 | fixed(1)) + " s" end;
def left($n): tostring | (" " * ([$n - length, 0] | max)) + .;

foreach inputs as $r (
    {start: null, path: {}, said: {}};
    .start = (.start // $r.ts)
    | .line = null
    | if $r.type == "path" then
          .path[$r.path_id] = $r.dst
          | .line = "path \($r.path_id) to \($r.dst): \($r.hops // "?") hops"
      elif $r.type == "metric" and ($r.series | test("^path/.*/available_bps$")) then
          ($r.series | split("/")[1]) as $id
          | if $r.ts >= (.said[$id] // 0) + 2000000 then
                .said[$id] = $r.ts
                | .line = "available by \(.path[$id] // $id): \($r.value | mbit)"
            else . end
      elif $r.type == "verdict" then
          .line = "verdict on \(.path[$r.path_id] // $r.path_id): \($r.state)"
              + (if $r.bottleneck_hop != null then " at hop \($r.bottleneck_hop), \($r.addr)" else "" end)
              + (if $r.available_bps.mid? != null then
                     ", \($r.available_bps.mid | mbit) of \($r.capacity_bps | mbit) available" else "" end)
      elif $r.type == "breach" and $r.severity >= 3 and $r.ts >= (.said[$r.series] // 0) + 2000000 then
          .said[$r.series] = $r.ts
          | .line = "breach of \(.path[$r.path_id] // $r.series): severity \($r.severity), below "
              + "\($r.capacity | mbit) in \($r.eta_us.mid? | seconds), odds "
              + ($r.horizons | map("\(.p * 100 | round) % in \(.horizon_us / 1000000) s") | join(", "))
      elif $r.type == "change" and $r.from != $r.to then
          .line = ">>> \($r.state): " + ($r.to | to_entries? // [] | map("\(.value * 100 | round) % by \(.key)") | join(", "))
              + " (\($r.why))"
      elif $r.type == "held" and $r.ts >= (.said[$r.guard] // 0) + 15000000 then
          .said[$r.guard] = $r.ts
          | .line = "held by \($r.guard): \($r.reason)"
      elif $r.type == "event" then .line = "event: \($r.kind) \($r.reason // "")"
      else . end;
    if .line == null or $r.ts == null then empty
    else "    " + (($r.ts - .start) / 1e6 | fixed(1) | left(6)) + " s  " + .line end)
