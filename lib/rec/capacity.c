#include "rec/capacity.h"
#include "rec/table.h"

static const char *const hop_states[] = {"tight", "clear", "inconclusive", "void", NULL};
static const char *const verdict_states[] = {"bottleneck", "clear", "inconclusive", "void", NULL};

#define OF sdw_gradient
static const struct sdw_field gradient_fields[] = {
    F(SDW_STR, path_id, SDW_F_REQUIRED, NULL, "the path"),
    FN(SDW_INT, window, SDW_F_COLUMN, 0, 0, NULL, "number of the verdict window"),
    FN(SDW_INT, hop, SDW_F_REQUIRED | SDW_F_COLUMN, 1, 255, NULL, "the hop"),
    F(SDW_STR, addr, SDW_F_NULL | SDW_F_COLUMN, NULL, "address of the hop"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, hop_states, "what the window says of this hop"),
    F(SDW_MODEL, delay_gradient_us_per_mbps, SDW_F_NULL | SDW_F_COLUMN, "us per Mbit/s",
      "change of delay at this hop for a change of injected rate"),
    F(SDW_MODEL, loss_gradient_per_mbps, SDW_F_NULL | SDW_F_COLUMN, "share per Mbit/s",
      "change of loss for a change of injected rate"),
    F(SDW_MODEL, capacity_gradient, SDW_F_NULL | SDW_F_COLUMN, NULL,
      "the Capacity Gradient: both gradients, each times its weight, added"),
    F(SDW_MODEL, delay_weight, 0, NULL, "weight of the delay gradient in the sum"),
    F(SDW_MODEL, loss_weight, 0, NULL, "weight of the loss gradient in the sum"),
    F(SDW_RANGE, ci95, SDW_F_NULL, "us per Mbit/s",
      "95 % bootstrap interval of the delay gradient"),
    FN(SDW_MODEL, p_value, SDW_F_NULL | SDW_F_COLUMN, 0, 1, NULL,
       "randomisation test over slot pairs, Holm-adjusted over hops"),
    F(SDW_MODEL, effect_us, SDW_F_NULL | SDW_F_COLUMN, "us", "delay added by the injection"),
    FN(SDW_INT, pairs, 0, 0, 1e9, NULL, "slot pairs that were used"),
    {0},
};
#undef OF

#define OF sdw_verdict
static const struct sdw_field verdict_fields[] = {
    F(SDW_STR, path_id, SDW_F_REQUIRED | SDW_F_COLUMN, NULL, "the path"),
    FN(SDW_INT, window, SDW_F_COLUMN, 0, 0, NULL, "number of the verdict window"),
    FV(state, SDW_F_REQUIRED | SDW_F_COLUMN, verdict_states, "the answer"),
    FN(SDW_INT, bottleneck_hop, SDW_F_NULL | SDW_F_COLUMN, 1, 255, NULL, "the tight hop"),
    F(SDW_STR, addr, SDW_F_NULL | SDW_F_COLUMN, NULL, "address of the tight hop"),
    F(SDW_RANGE, available_bps, SDW_F_NULL | SDW_F_COLUMN, "bit/s",
      "available IP-layer capacity over the window (RFC 5136), 90 % interval; mid is null when "
      "only a bound is known"),
    FN(SDW_MODEL, capacity_bps, SDW_F_NULL | SDW_F_COLUMN, 0, 1e13, "bit/s",
       "IP-layer capacity of the tight link"),
    FN(SDW_MODEL, p_value, SDW_F_NULL, 0, 1, NULL, "p-value of the tight hop"),
    FN(SDW_INT, window_us, 0, 0, 1e12, "us", "length of the window"),
    FN(SDW_INT, injected_bytes, SDW_F_COLUMN, 0, 1e15, "bytes", "IP bytes injected in the window"),
    FN(SDW_INT, slots, 0, 0, 1e9, NULL, "slots in the window"),
    FN(SDW_INT, void_slots, 0, 0, 1e9, NULL, "slots that were void"),
    F(SDW_STR, reason, SDW_F_COLUMN, NULL, "why, in words"),
    {0},
};
#undef OF

const struct sdw_schema sdw_gradient_schema = {"gradient", "the Capacity Gradient of one hop",
                                               sizeof(struct sdw_gradient), gradient_fields};
const struct sdw_schema sdw_verdict_schema = {"verdict", "where the path is tight, and how near",
                                              sizeof(struct sdw_verdict), verdict_fields};
