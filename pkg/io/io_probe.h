/*
 * io_probe.h - does a web server answer there?  For `check` of a tunnel.
 *
 * http: GET, and any answer with a status below 500 will do: what asks for a
 * password or has no page at / is there nevertheless.  https: that the
 * connection is accepted and still open after a second; whose certificate it
 * is means nothing at the end of a tunnel.
 *
 * A guest of a loop (io_guest): one descriptor to wait for, turned when it is
 * readable or its time has come.  done() is called from io_probes_turn()
 * alone.
 */
#ifndef IO_PROBE_H
#define IO_PROBE_H

#include "base/seams.h"

struct io_probes;

/* The clock is borrowed. */
struct io_probes *io_probes_new(const struct clock *clock,
    void (*done)(void *ctx, uint64_t token, bool ok, struct str reason),
    void *ctx);
void io_probes_free(struct io_probes *probes);	/* NULL is harmless */

void io_probes_start(struct io_probes *probes, uint64_t token,
    struct str url, int64_t timeout_ms);
bool io_probes_cancel(struct io_probes *probes, uint64_t token);

int io_probes_fd(const struct io_probes *probes);
int64_t io_probes_next_ms(const struct io_probes *probes);
void io_probes_turn(struct io_probes *probes);

#endif
