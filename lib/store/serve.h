/* A server of the Prometheus read API on the loopback of this machine. */
#ifndef SDW_STORE_SERVE_H
#define SDW_STORE_SERVE_H

#include "io/tool.h"

/* Answers on 127.0.0.1 and ::1 until asked to stop. Says on standard error where (port 0: any that
 * is free). Each request sees what is durable when it comes. Ends with an `end` record. SDW_ESYS
 * when the port is taken. */
int sdw_store_serve(struct sdw_ctx *ctx, const char *path, uint16_t port);

#endif
