/*
 * github.h - the pretended GitHub behind HTTP: /github, /github/api/v3, the
 * packages, and its part of the control door.
 */
#ifndef SIM_GITHUB_H
#define SIM_GITHUB_H

#include "model/github.h"
#include "sim.h"

struct control;

/* The hub and its package; call once the clock runs. */
void github_begin(struct sim *sim);
void github_end(struct sim *sim);

/* What a request to GitHub has beside those to RunPod. */
struct github_headers {
	struct str host, user_agent, api_version, if_none_match;
};

/* A request below /github; the lock is held. */
void github_serve(struct sim *sim, struct arena *arena,
    const struct model_request *request,
    const struct github_headers *headers, struct model_reply *reply);

/* /control/github...; the lock is held. */
void control_github(struct control *control);

#endif
