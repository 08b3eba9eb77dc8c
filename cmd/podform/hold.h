/*
 * hold.h - `podform tunnel hold`: the process that keeps tunnels up.
 *
 * Carries out what pkg/tunnel decides.  hold.c is the process and its loop,
 * hold_door.c the socket where clients come in, hold_links.c SSH.
 */
#ifndef CMD_HOLD_H
#define CMD_HOLD_H

#include "app.h"
#include "io/io_listen.h"
#include "tunnel/holder.h"

struct hold;

/* ------------------------------------------------------------- hold.c --- */

/* Tell the machine, and do what follows. */
void hold_event(struct hold *hold, struct holder_event event);
void hold_say(struct hold *hold, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Of accept(): nobody can be let in before something else is closed. */
bool hold_is_full(int error);

/* -------------------------------------------------------- hold_door.c --- */

struct hold_door;

/* NULL, with *why, when nobody could come in. */
struct hold_door *hold_door_open(struct hold *hold, struct app *app,
    struct str *why);
/* The socket goes; who waits is hung up on.  NULL is harmless. */
void hold_door_close(struct hold_door *door);
void hold_door_reply(struct hold_door *door, uint64_t client,
    const struct holder_answer *answer);
/* Directory of the project's key, as clients said; absent before that. */
struct str hold_door_keys(const struct hold_door *door);

/* ------------------------------------------------------- hold_links.c --- */

struct hold_links;

struct hold_links *hold_links_new(struct hold *hold, struct app *app);
void hold_links_free(struct hold_links *links);	/* NULL is harmless */
void hold_links_open(struct hold_links *links, uint32_t link,
    const struct ssh_target *target, struct str key_directory);
void hold_links_close(struct hold_links *links, uint32_t link);
void hold_links_forward(struct hold_links *links, uint32_t link,
    uint32_t tunnel, const struct tunnel_config *config, int listener);
void hold_links_unforward(struct hold_links *links, uint32_t link,
    uint32_t tunnel);
void hold_links_suspended(struct hold_links *links);

#endif
