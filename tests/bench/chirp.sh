#!/bin/bash
# chirp.error_median, chirp.error_p95, chirp.missed_by_interval: available capacity from the trains
#   of one window on simulated links of 5-50 Mbit/s, 20-80 % full of Poisson traffic, against the
#   bars of 5 %, 15 % and 15 %.
set -eu
"$SDW_BUILD/bench/chirp" precision "${RUNS:-200}" "${SEED:-1}"
