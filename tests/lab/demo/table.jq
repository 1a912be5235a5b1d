# The closing table, from the arms' scores (-s).
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def left($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def fixed($d): . * pow(10; $d) | round / pow(10; $d)
    | tostring | if $d > 0 and (contains(".") | not) then . + "." + ("0" * $d) else . end;
def seconds: if . == null then "never" else (. / 1e6 | fixed(1)) + " s" end;
def share($of): if $of > 0 then (100 * . / $of | fixed(2)) + " %" else "-" end;
def name: {nothing: "nothing", utilisation: "80 % of nominal", reactive: "tuned reactive",
           shadow: "shadow"}[.] // .;
(map(select(.arm == "nothing"))[0].first_hurt_us) as $hurt
| "",
  (["arm" | pad(18), ("lost live packets" | left(24)), ("bad seconds" | left(12)),
    ("lead" | left(9)), ("moves" | left(6)), ("shadow bytes" | left(13))] | add),
  (.[] | . as $a | [(.arm | name | pad(18)),
          ("\(.lost_live) of \(.sent) (\($a.lost_live | share($a.sent)))" | left(24)),
          (.bad_seconds | left(12)),
          ((if .first_move_us == null or $hurt == null then "-"
            else $hurt - .first_move_us | seconds end) | left(9)),
          (.moves | left(6)),
          ((if .shadow_bytes == null then "-"
            else $a.shadow_bytes | share($a.live_bytes) end) | left(13))] | add),
  "",
  "lost: gaps in UDP sequences and TCP retransmissions; bad: 99 % delay above base + 20 ms;",
  "lead: from the first move to the first loss that traffic suffers when nothing is done."
