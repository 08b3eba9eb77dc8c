/*
 * holder_client.h - podform's side of the holder: start_holder() of a world.
 *
 * A guest of the loop.  An open starts a holder if none runs; a list and a
 * close never do: without a holder there is no tunnel.
 */
#ifndef CMD_HOLDER_CLIENT_H
#define CMD_HOLDER_CLIENT_H

#include "app.h"
#include "base/tunnel.h"

struct holder_client;

/* Attach to the app's world; the app owns it. */
struct holder_client *holder_client_new(struct app *app);
void holder_client_free(struct holder_client *client);	/* NULL: harmless */

/*
 * Ask and wait: for commands.  False with *why for no answer; the answer is
 * in the app's arena.  Signals end the wait, as usual before
 * io_world_take_signals().
 */
bool holder_ask(struct app *app, const struct holder_request *request,
    struct holder_answer *answer, struct str *why);

/*
 * Tell the holder, of whatever version, to close all and end; true when none
 * is left.
 */
bool holder_end(struct app *app, struct str *why);

/* Tunnels that are held now, in the arena: none where no holder runs. */
bool holder_list(struct app *app, struct tunnel_status **tunnels, size_t *n,
    struct str *why);

#endif
