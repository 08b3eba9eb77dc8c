/* tunnel_show.h - tunnels as people and programs read them. */
#ifndef CMD_TUNNEL_SHOW_H
#define CMD_TUNNEL_SHOW_H

#include "app.h"
#include "base/json.h"
#include "base/tunnel.h"

/* A table; nothing without tunnels. */
void tunnel_show_text(struct app *app, struct strbuf *out,
    const struct tunnel_status *tunnels, size_t n);

/* The value of a member `tunnels`: an array. */
void tunnel_show_json(struct app *app, struct json_writer *w,
    const struct tunnel_status *tunnels, size_t n);

/* How they are and where: "  tunnel.web  up  http://localhost:8188". */
void tunnel_show_places(struct app *app, struct strbuf *out,
    const struct tunnel_status *tunnels, size_t n);

/* What the holder holds of a spec's tunnels: their number.  None as well
 * when there is no holder or no spec (NULL), and when it is silent. */
size_t tunnel_show_find(struct app *app, const struct spec *spec,
    struct tunnel_status **tunnels);

#endif
