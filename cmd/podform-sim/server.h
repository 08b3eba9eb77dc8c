/*
 * server.h - HTTP for podform-sim, by libmicrohttpd.
 *
 * An answer that is to come later suspends its connection instead of a
 * thread, so latency never serialises requests.
 */
#ifndef SIM_SERVER_H
#define SIM_SERVER_H

#include "sim.h"

/* Listen on "address:port"; only loopback addresses are taken.  NULL with
 * the reason on standard error. */
struct sim_server *server_start(struct sim *sim, const char *listen);
uint16_t server_port(const struct sim_server *server);
/* Let delayed answers go that are due; ms until the next one, -1 if none. */
int64_t server_release_due(struct sim_server *server);
/* Close everything and free it. */
void server_stop(struct sim_server *server);

#endif
