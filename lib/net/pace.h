/* Sending on time: the scheduling class of the sender, and waiting that sleeps, then spins. */
#ifndef SDW_NET_PACE_H
#define SDW_NET_PACE_H

#include "core/base.h"

enum {
    SDW_SPIN_NS = 80000,  /* spin this long before each packet: sleeping alone is 20-100 us late */
    SDW_LATE_NS = 100000, /* a packet sent later than this after its time is late */
    /* This long without running although it should: the host stalled. A train is measured by when
     * its packets really left and survives more than a ladder does. */
    SDW_STALL_NS = 1000000,
    SDW_TRAIN_STALL_NS = 4000000,
};

/* Ask for SCHED_FIFO and the finest timer. Returns whether the kernel gave the class (it needs
 * CAP_SYS_NICE); without it late packets are more frequent, and void more slots. */
bool sdw_pace_realtime(void);

#endif
