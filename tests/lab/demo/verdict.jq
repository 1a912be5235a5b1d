# True when the shadow arm lost no more than a tenth of what the best of the others lost (-s).
(map(select(.arm == "shadow"))[0].lost_live) as $ours
| (map(select(.arm != "shadow") | .lost_live) | min) as $best
| $ours != null and $ours <= $best / 10
